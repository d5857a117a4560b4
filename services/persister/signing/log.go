package signing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/notary"
	"github.com/tidemark-chat/tidemark/streams/replay"
)

// history is what a notary needs of the log.
type history interface {
	State(ctx context.Context) (eventlog.State, error)
	Get(ctx context.Context, offset uint64) (event.Event, error)
	// Leaves calls apply with the leaf of each offset, after < offset <= through, and returns at how many of them the log
	// holds nothing, or nothing intact. Temporary where what was read and the log's leader do not agree about that.
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
		if next < until {
			if err := s.hole(ctx, next, until-1); err != nil {
				return err
			}
		}
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

const leaderTimeout = 5 * time.Second

// hole asks the stream's leader whether it too holds nothing at two offsets: what was read came from one replica, which may be
// behind or damaged. The library's newer API would ask any replica.
func (s stream) hole(ctx context.Context, first, last uint64) error {
	const op = "ask the log's leader for what is missing"
	leader, err := s.js.Conn().JetStream()
	if err != nil {
		return fault.New(op, fault.Temporary, err)
	}
	ctx, cancel := context.WithTimeout(ctx, leaderTimeout)
	defer cancel()
	for _, offset := range slices.Compact([]uint64{first, last}) {
		_, err := leader.GetMsg(eventlog.StreamName, offset, nats.Context(ctx))
		if err == nil {
			return fault.Errorf(op, fault.Temporary, "it holds offset %d, which a replica was without", offset)
		}
		if !errors.Is(err, nats.ErrMsgNotFound) {
			return fault.Errorf(op, fault.Temporary, "offset %d: %w", offset, err)
		}
	}
	return nil
}

// leafOf is the leaf of an event as it was decoded, with the error of that.
func leafOf(e *event.Event, err error) tlog.Hash {
	if err != nil {
		return notary.NoLeaf()
	}
	return notary.Leaf(e)
}
