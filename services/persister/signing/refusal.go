package signing

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

const (
	// With several replicas a read can be answered by one that is behind, so what looks like another history has to look like it
	// for a while.
	confirmations = 10
	confirmEvery  = 500 * time.Millisecond
)

// refusal is why a notary does not sign: what was signed and what the log holds cannot both be true. It names the way out.
type refusal struct{ reason string }

func (r *refusal) Error() string { return r.reason }

func refused(format string, args ...any) error {
	return &refusal{fmt.Sprintf(format, args...) + ". Run auditor verify, and see The notary in docs/operations.md: put back the log that was signed, " +
		"or, if this one is to go on, raise its epoch (metadata tidemark-epoch of stream CHAT)"}
}

// needsOperator tells errors that do not pass.
func needsOperator(err error) bool {
	return errors.As(err, new(*refusal)) || fault.Is(err, fault.Permanent)
}

// confirm compares a chain with the log, and returns the log's state. Its error is a *refusal if they contradict each other.
func (n *Notary) confirm(ctx context.Context, c *chain) (eventlog.State, error) {
	for attempt := 1; ; attempt++ {
		state, err := n.history.State(ctx)
		if err != nil {
			return state, err
		}
		difference, err := n.differs(ctx, c, state)
		if err != nil || difference == "" {
			return state, err
		}
		if state.Replicas <= 1 || attempt == confirmations {
			return state, refused("%s", difference)
		}
		if !pause(ctx, confirmEvery) {
			return state, ctx.Err()
		}
	}
}

// differs says how the log contradicts what was signed: it is shorter, or holds something else where the tree ends. A log of
// another epoch contradicts nothing.
func (n *Notary) differs(ctx context.Context, c *chain, state eventlog.State) (string, error) {
	size := c.size()
	if size == 0 || c.epoch != state.Epoch {
		return "", nil
	}
	if state.Last < size {
		return fmt.Sprintf("the log ends at offset %d, and was signed up to %d, under the same epoch", state.Last, size), nil
	}
	leaf, err := n.leafAt(ctx, size)
	if err != nil || leaf == c.leaf {
		return "", err
	}
	if leaf == notary.NoLeaf() {
		return fmt.Sprintf("the log holds nothing intact at offset %d, where it held the last event that was signed", size), nil
	}
	return fmt.Sprintf("the log holds another event at offset %d than was signed, under the same epoch", size), nil
}

// leafAt is the leaf of one offset, as the log now has it.
func (n *Notary) leafAt(ctx context.Context, offset uint64) (tlog.Hash, error) {
	e, err := n.history.Get(ctx, offset)
	if err != nil && !errors.Is(err, eventlog.ErrNotFound) && !fault.Is(err, fault.Corrupt) {
		return tlog.Hash{}, err
	}
	return leafOf(&e, err), nil
}
