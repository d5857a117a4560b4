// Package faulty breaks a feed on purpose, so that it can be shown that the proof (services/swarm) finds what it is
// there to find. Only gateways built with the tag "faultyfeed" have it in them.
package faulty

import (
	"context"
	"fmt"
	"slices"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/feed"
)

// Kind is a way of being wrong. All of them keep what a gateway checks by itself: offsets ascend without a hole.
type Kind string

const (
	Drop   Kind = "drop"   // the event is damaged beyond recognition, so that nobody is sent it
	Double Kind = "double" // it comes once more in the place of the next one
	Swap   Kind = "swap"   // it and the next one change places
)

// Every is one event in how many is treated wrongly.
const Every = 10_000

// Wrap makes a feed wrong at every Every-th offset, each time it is run the same ones. One of an unknown kind does not run.
func Wrap(right feed.Feed, kind Kind) feed.Feed { return &wrapped{right: right, kind: kind} }

type wrapped struct {
	right feed.Feed
	kind  Kind
}

// Run implements feed.Feed, wrongly.
func (w *wrapped) Run(ctx context.Context, after uint64, apply func(feed.Record)) error {
	if !slices.Contains([]Kind{Drop, Double, Swap}, w.kind) {
		return fmt.Errorf("faulty feed %q: want drop, double or swap", w.kind)
	}
	var held *feed.Record // waits for the next one, for a moment
	return w.right.Run(ctx, after, func(r feed.Record) {
		switch {
		case held != nil:
			first, second := w.exchange(*held, r)
			held = nil
			apply(first)
			apply(second)
		case r.Event.Offset%Every != 0:
			apply(r)
		case w.kind == Drop:
			r.Damaged = fmt.Errorf("dropped on purpose")
			apply(r)
		default:
			held = &r
		}
	})
}

// exchange is what comes at two places in a row.
func (w *wrapped) exchange(a, b feed.Record) (first, second feed.Record) {
	first, second = a, b
	second.Event = at(a, b)
	if w.kind == Swap {
		first.Event = at(b, a)
	}
	return first, second
}

// at is what a holds, in the place of b.
func at(a, b feed.Record) event.Event {
	e := a.Event
	e.Offset, e.At = b.Event.Offset, b.Event.At
	return e
}
