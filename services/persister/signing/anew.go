package signing

import (
	"context"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

// anew begins another tree of the same log behind a message that cannot be gone on from: it is no entry, or its hashes are not
// true. Before that the log must show that it is still the one that this notary has signed.
func (n *Notary) anew(ctx context.Context, behind uint64, reason error) (*chain, error) {
	if !fault.Is(reason, fault.Corrupt) {
		return nil, reason
	}
	state, err := n.history.State(ctx)
	if err != nil {
		return nil, err
	}
	if err := n.standsBy(ctx, state.Epoch); err != nil {
		return nil, err
	}
	n.log.Warn("the last checkpoint cannot be gone on from: the tree is begun anew behind it, over all of the log",
		"reason", reason, "sequence", behind)
	return before(behind, state.Epoch), nil
}

// standsBy refuses if the log is not the one that this notary has signed under an epoch. What others have added to the ledger
// changes nothing about that.
func (n *Notary) standsBy(ctx context.Context, epoch string) error {
	own, err := n.farthest(ctx, epoch)
	if err != nil || own.Size == 0 {
		return err
	}
	return n.reckon(ctx, own)
}

// farthest is that checkpoint of an epoch, signed by the notary's own key, that covers most; the zero Checkpoint if there is none.
// It reads the whole ledger.
func (n *Notary) farthest(ctx context.Context, epoch string) (farthest notary.Checkpoint, err error) {
	for e, err := range n.ledger.Entries(ctx) {
		if fault.Is(err, fault.Corrupt) {
			continue
		}
		if err != nil {
			return farthest, err
		}
		c, err := notary.Verify([]byte(e.Signed), n.options.Key.Verifier)
		if err == nil && c.Epoch == epoch && c.Size > farthest.Size {
			farthest = c
		}
	}
	return farthest, nil
}

// reckon makes a checkpoint's root again from the log, which takes as long as to read all of it, and refuses if it is another.
func (n *Notary) reckon(ctx context.Context, c notary.Checkpoint) error {
	state, err := n.history.State(ctx)
	if err != nil {
		return err
	}
	if state.Last < c.Size {
		return refused("the log ends at offset %d, and was signed up to %d, under the same epoch", state.Last, c.Size)
	}
	began, tree := time.Now(), &notary.Tree{}
	_, err = n.read(ctx, 0, c.Size, func(leaf tlog.Hash) error {
		_, err := tree.Append(leaf)
		return err
	})
	if err != nil {
		return err
	}
	root, err := tree.Root()
	if err != nil {
		return err
	}
	if root != c.Root {
		return refused("the log's first %d offsets are not those that a checkpoint in %s speaks of, which has to be made sure of before the "+
			"notary goes on: either the log was altered, or the checkpoint is forged", c.Size, notary.StreamName)
	}
	n.log.Info("the log is the one that was signed", "offsets", c.Size, "took", time.Since(began).Round(time.Millisecond))
	return nil
}
