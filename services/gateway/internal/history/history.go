// Package history reads the past: what lies before a gateway's tail, from the
// read model, and where that is silent or behind, from the log itself over a
// short span; and pages, of which the tail has the newest part.
package history

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/delivery"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/subject"
	"github.com/tidemark-chat/tidemark/streams/tail"
)

// Timeout bounds one question, to the read model or to the log.
const Timeout = 2 * time.Second

// Log is what of the log is needed (eventlog.Log).
type Log interface {
	State(ctx context.Context) (eventlog.State, error)
	Read(ctx context.Context, topics []subject.Conversation, after, through uint64, limit int) ([]event.Event, uint64, error)
}

// History implements delivery.History. Safe for concurrent use.
type History struct {
	model query.Model
	log   Log
	tail  *tail.Tail
	epoch string
	read  func(from delivery.Source) // told what has answered After
}

// New reads the history of the log of an epoch, whose newest part is in a tail.
// A read model of another epoch is not believed. read is told what has answered
// After; it may be nil.
func New(model query.Model, log Log, t *tail.Tail, epoch string, read func(from delivery.Source)) *History {
	if read == nil {
		read = func(delivery.Source) {}
	}
	return &History{model: model, log: log, tail: t, epoch: epoch, read: read}
}

// After implements delivery.History.
func (h *History) After(
	ctx context.Context, topics []subject.Conversation, cursor, through uint64, limit int,
) ([]event.Event, uint64, error) {
	reply, err := h.fromModel(ctx, topics, cursor, limit)
	if err == nil && reply.Through > cursor {
		h.read(delivery.FromModel)
		return reply.Events, reply.Through, nil
	}
	if err == nil {
		err = &behindError{reply.Through}
	}
	events, reached, err := h.fromLog(ctx, topics, cursor, through, limit, err)
	if err == nil {
		h.read(delivery.FromLog)
	}
	return events, reached, err
}

// behindError says that the read model knows nothing beyond an offset.
type behindError struct{ at uint64 }

func (e *behindError) Error() string { return fmt.Sprintf("the read model is at %d", e.at) }

// fromLog is After without the read model. silent is why that says nothing: it fails,
// or it is behind.
func (h *History) fromLog(
	ctx context.Context, topics []subject.Conversation, cursor, through uint64, limit int, silent error,
) ([]event.Event, uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	state, err := h.log.State(ctx)
	if err != nil {
		return nil, 0, err
	}
	if state.First > cursor+1 {
		if !errors.As(silent, new(*behindError)) {
			return nil, 0, silent // it may hold what the log no longer does
		}
		return nil, 0, &delivery.TrimmedError{First: state.First}
	}
	if through-cursor > eventlog.MaxReadSpan {
		return nil, 0, fault.Errorf("read history", fault.Temporary,
			"%d offsets after %d are too many to read from the log, and: %w", through-cursor, cursor, silent)
	}
	return h.log.Read(ctx, topics, cursor, through, limit)
}

func (h *History) fromModel(
	ctx context.Context, topics []subject.Conversation, cursor uint64, limit int,
) (query.AfterReply, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	reply, err := h.model.After(ctx, query.AfterRequest{
		Conversations: topics, Offset: cursor, Limit: min(limit, query.MaxEvents),
	})
	if err == nil {
		err = h.SameLog(reply.Checkpoint)
	}
	return reply, err
}

// SameLog checks that the read model is one of this log.
func (h *History) SameLog(c query.Checkpoint) error {
	if c.Offset > 0 && c.Epoch != h.epoch {
		return fault.Errorf("read history", fault.Temporary, "the read model is of another log (epoch %s, not %s)", c.Epoch, h.epoch)
	}
	return nil
}

// Head implements delivery.History.
func (h *History) Head(ctx context.Context) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	state, err := h.log.State(ctx)
	return state.Last, err
}

var _ delivery.History = (*History)(nil)
