package history

import (
	"context"
	"errors"
	"slices"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/delivery"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// tailStep is how many messages are looked at in the tail in one go, because
// nothing is appended meanwhile. In an inbox they may all be of others.
const tailStep = 256

// PageAfter is Page the other way round: the oldest messages of a conversation
// after an offset, at most limit, in ascending offset, and whether there are newer
// ones. It may be shorter than limit, as the read model's answers are.
//
// Where the read model is away, what lies before the tail is read from the log, if
// that is not too much. What is gone for ever is passed over.
func (h *History) PageAfter(
	ctx context.Context, topic, conversation subject.Conversation, after uint64, limit int,
) (page []*event.Event, more bool, err error) {
	position := h.tail.Position()
	var silent error // why the read model says no more; nil as long as it has not been asked
	for cursor := after; cursor < position && len(page) <= limit; {
		want := min(limit+1-len(page), query.MaxEvents)
		found, through, ok := h.tailAfter(topic, conversation, cursor)
		switch {
		case ok:
		case silent == nil:
			if found, through, silent = h.modelAfter(ctx, conversation, cursor, want); silent == nil {
				page = append(page, found...)
				return page[:min(len(page), limit)], true, nil
			}
		default:
			if found, through, err = h.logAfter(ctx, conversation, cursor, want, silent); err != nil {
				return nil, false, err
			}
		}
		page, cursor = append(page, found...), through
	}
	return page[:min(len(page), limit)], len(page) > limit, nil
}

// tailAfter is the next messages after a cursor, up to where they are all. It is
// false if the tail does not reach back that far.
func (h *History) tailAfter(topic, conversation subject.Conversation, cursor uint64) ([]*event.Event, uint64, bool) {
	found, through, ok := h.tail.After(cursor, []subject.Conversation{topic}, tailStep)
	others := func(e *event.Event) bool { return e.Conversation != conversation }
	return slices.DeleteFunc(found, others), through, ok
}

// modelAfter is the next messages that the read model has after a cursor, up to
// where they are all, and why it has no more; nil: it has.
func (h *History) modelAfter(
	ctx context.Context, conversation subject.Conversation, cursor uint64, limit int,
) (found []*event.Event, through uint64, silent error) {
	reply, err := h.fromModel(ctx, []subject.Conversation{conversation}, cursor, limit)
	if err != nil {
		return nil, cursor, err
	}
	if reply.Through >= reply.Checkpoint.Offset {
		silent = &behindError{reply.Checkpoint.Offset}
	}
	return pointers(reply.Events), max(cursor, reply.Through), silent
}

// logAfter is the next messages that the log has between a cursor and the tail, up
// to where they are all.
func (h *History) logAfter(
	ctx context.Context, conversation subject.Conversation, cursor uint64, limit int, silent error,
) ([]*event.Event, uint64, error) {
	first, _, _ := h.tail.Stats()
	found, through, err := h.fromLog(ctx, []subject.Conversation{conversation}, cursor, first-1, limit, silent)
	if trimmed := (*delivery.TrimmedError)(nil); errors.As(err, &trimmed) {
		return nil, trimmed.First - 1, nil
	}
	return pointers(found), through, err
}
