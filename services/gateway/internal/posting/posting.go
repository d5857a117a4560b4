// Package posting turns what a client sends into an event of the log: once per
// idempotency key, without any limit of time.
//
//	key ──▶ certainly recent? ──yes──▶ append: the log itself knows a repetition
//	              │no                     ▲
//	              ▼                       │ not there, and what was not searched
//	        look it up in the tail, ──────╯ is recent
//	        then in the read model
//	              │there
//	              ▼
//	        the original's offset, or a conflict
//
// Where neither the log's window nor the read model can tell, nothing is
// appended and the sender is left to retry: never risk the duplicate.
package posting

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/history"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/idempotency"
	"github.com/tidemark-chat/tidemark/streams/appender"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/tail"
	"github.com/tidemark-chat/tidemark/streams/trace"
)

// Stored is a message the log holds.
type Stored struct {
	Offset    uint64
	ID        string
	Duplicate bool // it was stored before, by an earlier sending
}

// Done is told how a posting ended, once. An error is a *contract.Refusal, to
// be acked, or temporary, and then nothing is to be acked. It must not block.
type Done func(Stored, error)

// Log is what of the log is needed (eventlog.Log).
type Log interface {
	State(ctx context.Context) (eventlog.State, error)
	Get(ctx context.Context, offset uint64) (event.Event, error)
}

// Poster posts to one log.
type Poster struct {
	Appender *appender.Appender
	Model    query.Model
	SameLog  func(query.Checkpoint) error // whether a read model is one of this log
	Log      Log
	Tail     *tail.Tail
	Window   idempotency.Window
	Now      func() time.Time // by the log's clock
	Began    time.Time        // no event of the log is older
	Tracer   *trace.Tracer    // nil: nothing is traced

	comparing sync.WaitGroup
}

// Post posts a message, complete but for its key's scope, under a key of its
// sender, or none. It returns when the message has its place behind those posted
// before it: at once, or after a question to the read model where the key may be
// old.
func (p *Poster) Post(ctx context.Context, sender idempotency.Sender, e event.Event, done Done) {
	if e.Key != "" {
		e.Scope = sender.Scope(e.Key, e.Conversation)
	}
	e.Seal()
	if e.Key != "" {
		original, err := p.original(ctx, sender, e)
		if err != nil {
			done(Stored{}, err)
			return
		}
		if original != nil {
			done(compare(original, e))
			return
		}
	}
	ctx, span := p.Tracer.Append(ctx)
	err := p.Appender.Append(ctx, e, func(r appender.Receipt, err error) {
		endAppend(span, r, err)
		p.appended(e, r, err, done)
	})
	if err != nil {
		endAppend(span, appender.Receipt{}, err)
		done(Stored{}, err)
	}
}

func endAppend(span trace.Span, r appender.Receipt, err error) {
	if err != nil {
		span.End("not stored")
		return
	}
	span.Set("tidemark.offset", int64(r.Offset)).End("")
}

// Wait waits for what Post left to other goroutines. Call it when nothing is
// posted any more.
func (p *Poster) Wait() { p.comparing.Wait() }

// original finds the event stored under e's key before the log's window, or
// nil if it is shown that there is none.
func (p *Poster) original(ctx context.Context, sender idempotency.Sender, e event.Event) (*event.Event, error) {
	now := p.Now()
	horizon := p.Window.Horizon(now)
	if sender.Recent(e.Key, now, p.Window) || p.Began.After(horizon) {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, history.Timeout)
	defer cancel()
	if original, ok := p.Tail.Keyed(e.MessageID()); ok {
		return original, nil
	}
	if position, at, ok := p.Tail.Since(sender.Reached()); ok && sender.Own(e.Key) {
		// The tail holds all since the key was made, or nearly: no need to ask.
		return nil, p.nothingOldAfter(ctx, query.Checkpoint{Offset: position, At: at}, horizon)
	}
	reply, err := p.Model.Lookup(ctx, query.LookupRequest{Scope: e.Scope, Key: e.Key})
	if err == nil {
		err = p.SameLog(reply.Checkpoint)
	}
	if err != nil {
		return nil, err
	}
	if reply.Event != nil {
		return reply.Event, nil
	}
	return nil, p.nothingOldAfter(ctx, reply.Checkpoint, horizon)
}

// nothingOldAfter shows that every event after what was searched, up to a
// checkpoint, is younger than a time, or fails.
func (p *Poster) nothingOldAfter(ctx context.Context, c query.Checkpoint, horizon time.Time) error {
	if c.At.After(horizon) {
		return nil // and what follows is younger still
	}
	if at, ok := p.Tail.NextAt(c.Offset); ok && at.After(horizon) {
		return nil
	}
	state, err := p.Log.State(ctx)
	if err != nil {
		return err
	}
	if state.Last <= c.Offset {
		return nil
	}
	next, err := p.Log.Get(ctx, c.Offset+1)
	if err == nil && next.At.After(horizon) {
		return nil
	}
	return fault.Errorf("post", fault.Temporary, "what was searched ends at %d, and what follows may be older than the log's window", c.Offset)
}

// appended ends a posting whose append has ended. It runs on the appender's
// goroutine: what may take longer goes elsewhere.
func (p *Poster) appended(e event.Event, r appender.Receipt, err error, done Done) {
	switch {
	case fault.Is(err, fault.Permanent):
		done(Stored{}, &contract.Refusal{Code: contract.TooLarge, Message: "the message does not fit into the log"})
	case err != nil:
		done(Stored{}, err)
	case !r.Duplicate:
		done(Stored{Offset: r.Offset, ID: e.ID}, nil)
	default:
		if original, ok := p.Tail.Get(r.Offset); ok {
			done(compare(original, e))
			return
		}
		p.comparing.Go(func() {
			original, err := p.fetch(r.Offset)
			if err != nil {
				done(Stored{}, err)
				return
			}
			done(compare(&original, e))
		})
	}
}

// fetch reads an event that the log has just said it holds. A replica that is
// asked may not have it yet.
func (p *Poster) fetch(offset uint64) (event.Event, error) {
	ctx, cancel := context.WithTimeout(context.Background(), history.Timeout)
	defer cancel()
	for {
		e, err := p.Log.Get(ctx, offset)
		if !errors.Is(err, eventlog.ErrNotFound) {
			return e, err
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return event.Event{}, fmt.Errorf("event %d: %w", offset, err)
		}
	}
}

// compare ends the posting of a repeated key: the same message has its
// original's place, another one is a conflict.
func compare(original *event.Event, again event.Event) (Stored, error) {
	if !original.SameMessage(again) {
		return Stored{}, &contract.Refusal{
			Code: contract.KeyConflict, Message: fmt.Sprintf("this clientOffset was used for another message, at offset %d", original.Offset),
		}
	}
	return Stored{Offset: original.Offset, ID: original.ID, Duplicate: true}, nil
}
