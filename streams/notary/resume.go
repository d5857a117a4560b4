package notary

import (
	"context"

	"golang.org/x/mod/sumdb/note"

	"github.com/tidemark-chat/tidemark/streams/fault"
)

// Resume is the tree of an entry, to be gone on with, and its checkpoint: signed by verifier, and the tree's root is the
// signed one. A Corrupt error says that it is not so, or that a hash which the tree goes on from is lost: then only another
// tree, over all of the log, can be gone on with.
func (a *Audit) Resume(ctx context.Context, e Entry, verifier note.Verifier) (*Tree, Checkpoint, error) {
	const op = "resume the tree"
	c, err := Verify([]byte(e.Signed), verifier)
	if err != nil {
		return nil, Checkpoint{}, fault.New(op, fault.KindOf(err), err)
	}
	tree, err := Resume(e.Size, a.Hashes(ctx, e))
	if err != nil {
		return nil, Checkpoint{}, fault.New(op, fault.KindOf(err), err)
	}
	root, err := tree.Root()
	if err != nil {
		return nil, Checkpoint{}, fault.New(op, fault.Corrupt, err)
	}
	if c.Size != e.Size || root != c.Root {
		return nil, Checkpoint{}, fault.Errorf(op, fault.Corrupt, "the hashes of the tree of %d do not make its signed root", e.Size)
	}
	return tree, c, nil
}
