package history

import (
	"context"
	"slices"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// maxGap is how many messages may lie between a read model that lags and the tail.
const maxGap = 1000

// Page is the newest messages of a conversation before an offset (0: the newest
// of all), at most limit, in ascending offset, and whether there are older ones.
// topic is where the tail has the conversation: itself or, for a direct one, the
// inbox of one of its users.
//
//	read model, up to its checkpoint │ the log, in between │ tail
//
// A page that the tail holds altogether takes nothing else.
func (h *History) Page(
	ctx context.Context, topic, conversation subject.Conversation, before uint64, limit int,
) (page []*event.Event, more bool, err error) {
	first, position, _ := h.tail.Stats()
	if before == 0 || before > position {
		before = position + 1
	}
	within := func(e *event.Event) bool { return e.Conversation == conversation }
	found, ok := h.tail.Newest(topic, first-1, before, limit+1, within, nil)
	if ok && (len(found) > limit || first <= 1) {
		return ascending(found, limit), len(found) > limit, nil
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	reply, err := h.model.Page(ctx, query.PageRequest{Conversation: conversation, Before: before, Limit: limit})
	if err == nil {
		err = h.SameLog(reply.Checkpoint)
	}
	if err != nil {
		return nil, false, err
	}
	newer, err := h.beyond(ctx, topic, reply.Checkpoint.Offset, before, limit+1, within)
	if err != nil {
		return nil, false, err
	}
	all := append(newer, pointers(reply.Events)...)
	return ascending(all, limit), reply.More || len(all) > limit, nil
}

// beyond reads what a topic has after a read model's checkpoint and before an
// offset, newest first, at most limit.
func (h *History) beyond(
	ctx context.Context, topic subject.Conversation, checkpoint, before uint64, limit int, keep func(*event.Event) bool,
) ([]*event.Event, error) {
	if before <= checkpoint+1 {
		return nil, nil
	}
	first, _, _ := h.tail.Stats()
	found, ok := h.tail.Newest(topic, max(checkpoint, first-1), before, limit, keep, nil)
	if !ok {
		return nil, fault.Errorf("read history", fault.Temporary, "the read model is at %d, too far behind", checkpoint)
	}
	if len(found) == limit || checkpoint+1 >= first {
		return found, nil
	}
	var between []*event.Event
	for cursor, end := checkpoint, min(first, before)-1; cursor < end; {
		if len(between) > maxGap {
			return nil, fault.Errorf("read history", fault.Temporary, "the read model is at %d, too far behind", checkpoint)
		}
		events, through, err := h.After(ctx, []subject.Conversation{topic}, cursor, end, query.MaxEvents)
		if err != nil {
			return nil, err
		}
		for _, e := range pointers(events) {
			if e.Offset <= end && keep(e) {
				between = append(between, e)
			}
		}
		cursor = through
	}
	slices.Reverse(between)
	found = append(found, between...)
	return found[:min(len(found), limit)], nil
}

// ascending is the first limit of some events, turned round.
func ascending(newest []*event.Event, limit int) []*event.Event {
	page := newest[:min(len(newest), limit)]
	slices.Reverse(page)
	return page
}

func pointers(events []event.Event) []*event.Event {
	p := make([]*event.Event, len(events))
	for i := range events {
		p[i] = &events[i]
	}
	return p
}
