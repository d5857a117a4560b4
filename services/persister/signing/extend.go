package signing

import (
	"context"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/streams/notary"
)

const (
	// maxPortion is how many leaves are in hand at most: 4 MiB.
	maxPortion = 128 << 10
	// appendTimeout bounds one append. It is not cut short by a stop, so that what became of it is known.
	appendTimeout = 3 * time.Second
)

// extend signs the log through an offset, at most maxPortion further than the chain.
func (n *Notary) extend(ctx context.Context, through uint64, replicas int) error {
	leaves, err := n.leaves(ctx, n.chain.size(), through, replicas)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(leaves, n.options.Every) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := n.sign(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

// leaves reads a span of the log. What seems to be lost must seem so more than once.
func (n *Notary) leaves(ctx context.Context, after, through uint64, replicas int) (leaves []tlog.Hash, err error) {
	readings := 2
	if replicas > 1 {
		readings = confirmations
	}
	for reading := 1; ; reading++ {
		leaves = make([]tlog.Hash, 0, through-after)
		lost, err := n.read(ctx, after, through, func(leaf tlog.Hash) error {
			leaves = append(leaves, leaf)
			return nil
		})
		if err != nil || lost == 0 {
			return leaves, err
		}
		if reading == readings {
			n.log.Warn("signing a log that holds nothing intact at some offsets; auditor verify names them",
				"count", lost, "after", after, "through", through)
			return leaves, nil
		}
		if !pause(ctx, confirmEvery) {
			return nil, ctx.Err()
		}
	}
}

// sign adds leaves to the chain and signs what then is its root. After an error the chain is of no more use.
func (n *Notary) sign(ctx context.Context, leaves []tlog.Hash) error {
	c := n.chain
	e, err := notary.MakeEntry(c.last, c.tree, leaves, c.epoch, time.Now(), n.options.Key)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), appendTimeout)
	defer cancel()
	if err := n.ledger.Append(ctx, c.last.Sequence, &e); err != nil {
		return err
	}
	c.last, c.leaf = e, leaves[len(leaves)-1]
	n.signed = time.Now()
	n.metrics.checkpoints.Inc()
	n.covers(e.Size)
	n.log.Debug("signed", "offset", e.Size, "sequence", e.Sequence)
	if n.outside != nil {
		n.outside.offer([]byte(e.Signed))
	}
	return nil
}
