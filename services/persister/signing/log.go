package signing

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/notary"
	"github.com/tidemark-chat/tidemark/streams/replay"
)

// history is what a notary needs of the log.
type history interface {
	State(ctx context.Context) (eventlog.State, error)
	Get(ctx context.Context, offset uint64) (event.Event, error)
	// Leaves calls apply with the leaf of each offset, after < offset <= through, and returns at how many of them the log
	// holds nothing, or nothing intact.
	Leaves(ctx context.Context, after, through uint64, apply func(tlog.Hash) error) (lost uint64, err error)
}

// stream is the history that is in JetStream.
type stream struct {
	*eventlog.Log
	js jetstream.JetStream
}

func (s stream) Leaves(ctx context.Context, after, through uint64, apply func(tlog.Hash) error) (lost uint64, err error) {
	next := after + 1
	hole := func(until uint64) error {
		for ; next < until; next++ {
			lost++
			if err := apply(notary.NoLeaf()); err != nil {
				return err
			}
		}
		return nil
	}
	missing, err := replay.Log(ctx, s.js, after, through, func(r replay.Record) error {
		if err := hole(r.Offset); err != nil {
			return err
		}
		next++
		e, err := r.Event()
		if err != nil {
			lost++
		}
		return apply(leafOf(&e, err))
	})
	if err != nil {
		return lost, err
	}
	if end := through + 1 - next; end != missing { // an end cut short must not pass for a hole
		return lost, fmt.Errorf("read leaves: the log was read through offset %d, and %d offsets are said to be missing before %d", next-1, missing, through)
	}
	return lost, hole(through + 1)
}

// leafOf is the leaf of an event as it was decoded, with the error of that.
func leafOf(e *event.Event, err error) tlog.Hash {
	if err != nil {
		return notary.NoLeaf()
	}
	return notary.Leaf(e)
}
