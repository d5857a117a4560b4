package signing

import (
	"context"
	"errors"
	"iter"
	"log/slog"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/notary"
	"github.com/tidemark-chat/tidemark/streams/provision"
)

// ledger is what a notary needs of the stream of checkpoints.
type ledger interface {
	Provision(ctx context.Context) error
	Last(ctx context.Context) (notary.Entry, error)
	Append(ctx context.Context, previous uint64, e *notary.Entry) error
	Entries(ctx context.Context) iter.Seq2[notary.Entry, error]
	Hashes(ctx context.Context, last notary.Entry) tlog.HashReader
}

// audit is the ledger that is in JetStream.
type audit struct {
	*notary.Audit
	js       jetstream.JetStream
	replicas int
	mode     provision.Mode
	log      *slog.Logger
}

func (a audit) Provision(ctx context.Context) error {
	return notary.ProvisionAs(ctx, a.js, a.replicas, a.mode, a.log)
}

// chain is where the ledger stands.
type chain struct {
	last  notary.Entry // only its sequence if the tree is empty
	epoch string       // of the log that the tree is of
	tree  *notary.Tree
	leaf  tlog.Hash // the tree's last one
}

func (c *chain) size() uint64 { return c.tree.Size() }

// before is a chain that begins another tree behind a sequence of the ledger.
func before(sequence uint64, epoch string) *chain {
	return &chain{last: notary.Entry{Sequence: sequence}, epoch: epoch, tree: &notary.Tree{}}
}

// load reads where the ledger stands, after it has made the ledger if there is none, and compares that with the log.
func (n *Notary) load(ctx context.Context) (*chain, error) {
	if err := n.ledger.Provision(ctx); err != nil {
		return nil, err
	}
	last, err := n.ledger.Last(ctx)
	if errors.Is(err, notary.ErrNone) {
		return before(0, ""), nil
	}
	if err != nil {
		return n.anew(ctx, last.Sequence, err)
	}
	c, checkpoint, err := n.resume(ctx, last)
	if err != nil {
		return n.anew(ctx, last.Sequence, err)
	}
	state, err := n.confirm(ctx, c)
	if err != nil {
		return nil, err
	}
	if !signedBy(last, n.options.Key.Verifier) && state.Epoch == c.epoch {
		n.log.Info("the last checkpoint is signed by another key, comparing it with the log", "signed", c.size(), "origin", checkpoint.Origin)
		if err := n.reckon(ctx, checkpoint); err != nil {
			return nil, err
		}
		return c, n.standsBy(ctx, c.epoch)
	}
	return c, nil
}

// resume makes the tree of an entry from the ledger's hashes, whoever signed it. Its error is Corrupt if they do not fit.
func (n *Notary) resume(ctx context.Context, last notary.Entry) (*chain, notary.Checkpoint, error) {
	checkpoint, err := last.Checkpoint()
	if err != nil {
		return nil, checkpoint, err
	}
	hashes := n.ledger.Hashes(ctx, last)
	c := &chain{last: last, epoch: checkpoint.Epoch}
	if c.tree, err = notary.Resume(last.Size, hashes); err != nil {
		return nil, checkpoint, err
	}
	root, err := c.tree.Root()
	if err != nil {
		return nil, checkpoint, err
	}
	if checkpoint.Size != last.Size || checkpoint.Root != root {
		return nil, checkpoint, fault.Errorf("resume the tree", fault.Corrupt,
			"the hashes up to message %d of stream %s do not make the root that it states", last.Sequence, notary.StreamName)
	}
	c.leaf, err = notary.LeafAt(hashes, last.Size)
	return c, checkpoint, err
}

func signedBy(e notary.Entry, verifier note.Verifier) bool {
	_, err := notary.Verify([]byte(e.Signed), verifier)
	return err == nil
}
