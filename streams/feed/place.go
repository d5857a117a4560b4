package feed

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
)

// place is where a feed is, and how it would know that place again. It belongs to
// the goroutine that applies, but for reached.
type place struct {
	epoch    string
	offset   uint64
	reached  atomic.Uint64 // offset, for who watches
	digest   event.Digest  // of the event at offset; zero if none was delivered intact
	consumer string        // the server-side consumer that delivered it
}

// begin is the place after an offset, of the log as it is now.
func begin(ctx context.Context, log *eventlog.Log, after uint64) (*place, error) {
	state, err := log.State(ctx)
	if err != nil {
		return nil, err
	}
	if after > state.Last {
		return nil, lost("asked for what follows %d, the log ends at %d", after, state.Last)
	}
	at := &place{epoch: state.Epoch, offset: after}
	at.reached.Store(after)
	return at, nil
}

// step moves the place to a message of the log, which is beyond it, and returns
// the message's record.
func (p *place) step(offset uint64, at time.Time, subj string, header nats.Header, content []byte) Record {
	r := Record{Missing: offset - p.offset - 1, Trace: event.TraceOf(header)}
	r.Event, r.Damaged = event.Decode(offset, at, subj, header, content)
	p.offset, p.digest = offset, event.Digest{}
	p.reached.Store(offset)
	if r.Damaged == nil {
		p.digest = r.Event.Digest
	}
	return r
}

// check makes sure that the log is still the one the feed began with, and still
// holds what was delivered. A consumer that starts behind the end of a shorter
// log would be accepted by the server and skip events silently; an older copy
// of the log that was put back keeps its epoch and issues offsets again.
func check(ctx context.Context, log *eventlog.Log, at *place) (eventlog.State, error) {
	state, err := log.State(ctx)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return state, lost("%w", err)
	case err != nil:
		return state, err
	case state.Epoch != at.epoch:
		return state, lost("it is another log (epoch %s, was %s)", state.Epoch, at.epoch)
	case state.Last < at.offset:
		return state, lost("the log ends at %d, %d was delivered", state.Last, at.offset)
	case at.digest == event.Digest{}:
		return state, nil
	}
	e, err := log.Get(ctx, at.offset)
	if fault.Is(err, fault.Temporary) {
		return state, err
	}
	if e.Digest != at.digest {
		return state, lost("the event at %d is not the one that was delivered", at.offset)
	}
	return state, nil
}

func lost(format string, args ...any) error {
	return fault.Errorf("feed", fault.Temporary, "%w: %w", ErrLost, fmt.Errorf(format, args...))
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
