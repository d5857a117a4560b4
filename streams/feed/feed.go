// Package feed delivers the log as it grows: every event after an offset,
// in log order, each once, on one goroutine.
//
// What a caller may assume of a Feed:
//   - apply is called with strictly ascending offsets, beginning with the
//     first event after the given one, and never again after Run returned.
//   - nothing is left out between two calls, except offsets at which the log
//     holds nothing (Record.Missing says how many).
//   - while the log cannot be reached nothing is applied, and afterwards it
//     goes on where it was.
//   - if it cannot be shown that nothing was left out, Run returns ErrLost.
package feed

import (
	"context"
	"errors"

	"github.com/tidemark-chat/tidemark/streams/event"
)

// ErrLost says that the feed cannot go on without leaving something out: the
// log is another one, or shorter than what was already delivered.
var ErrLost = errors.New("the feed has lost its place in the log")

// Record is one position of the log.
type Record struct {
	Event event.Event
	// Damaged is set when the event could not be decoded, or its digest does
	// not fit; then only Event.Offset and Event.At can be relied on.
	Damaged error
	// Missing counts the offsets just before this one at which the log holds
	// nothing. In an intact log it is always 0.
	Missing uint64
	// Trace is the trace context that came with the event, whoever wrote it; empty
	// for none.
	Trace string
}

// Feed is an ordered feed without gaps.
type Feed interface {
	// Run delivers every event after an offset to apply, which it calls from
	// one goroutine and which must not block, until ctx ends (nil) or the
	// feed is lost (ErrLost). apply owns its argument.
	Run(ctx context.Context, after uint64, apply func(Record)) error
}
