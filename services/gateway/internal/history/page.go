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
	position := h.tail.Position()
	if before == 0 || before > position {
		before = position + 1
	}
	within := func(e *event.Event) bool { return e.Conversation == conversation }
	found, reached := h.tail.Newest(topic, 0, before, limit+1, within)
	if len(found) > limit || reached == 0 {
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
	between, err := h.between(ctx, topic, reply.Checkpoint.Offset, reached, within)
	if err != nil {
		return nil, false, err
	}
	all := slices.Concat(above(found, reply.Checkpoint.Offset), between, pointers(reply.Events))
	return ascending(all, limit), reply.More || len(all) > limit, nil
}

// between reads what the log has of a topic after a read model's checkpoint up to
// where the tail begins, newest first: nothing, as long as the read model keeps up.
func (h *History) between(
	ctx context.Context, topic subject.Conversation, checkpoint, through uint64, keep func(*event.Event) bool,
) (found []*event.Event, err error) {
	for cursor := checkpoint; cursor < through; {
		if len(found) > maxGap {
			return nil, fault.Errorf("read history", fault.Temporary, "the read model is at %d, too far behind", checkpoint)
		}
		events, complete, err := h.After(ctx, []subject.Conversation{topic}, cursor, through, query.MaxEvents)
		if err != nil {
			return nil, err
		}
		for _, e := range pointers(events) {
			if e.Offset <= through {
				found = append(found, e)
			}
		}
		cursor = complete
	}
	slices.Reverse(found)
	return slices.DeleteFunc(found, func(e *event.Event) bool { return !keep(e) }), nil
}

// above is those of some events, newest first, that lie after an offset.
func above(newest []*event.Event, after uint64) []*event.Event {
	n := 0
	for n < len(newest) && newest[n].Offset > after {
		n++
	}
	return newest[:n]
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
