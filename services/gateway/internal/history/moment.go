package history

import (
	"context"
	"math"
	"time"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// PageAt is a conversation as it was at a time: Page before the first message that
// the log stored later.
//
// Times ascend with offsets unless the log's clock was set back. Then there may be
// several messages that were stored by that time and are followed by a later one,
// and the page ends with any of them; what it holds may be later than its end.
func (h *History) PageAt(
	ctx context.Context, topic, conversation subject.Conversation, at time.Time, limit int,
) (page []*event.Event, more bool, err error) {
	last, err := h.lastAt(ctx, topic, conversation, at)
	if err != nil || last == 0 {
		return nil, false, err
	}
	return h.Page(ctx, topic, conversation, last+1, limit)
}

// lastAt is the offset of the last message of a conversation at a time, 0 if there
// was none. Where the tail has one, nobody else is asked.
func (h *History) lastAt(ctx context.Context, topic, conversation subject.Conversation, at time.Time) (uint64, error) {
	by := func(e *event.Event) bool { return e.Conversation == conversation && !e.At.After(at) }
	found, reached := h.tail.Newest(topic, 0, math.MaxUint64, 1, by)
	if len(found) > 0 {
		return found[0].Offset, nil
	}
	if reached == 0 {
		return 0, nil
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	reply, err := h.model.Moment(ctx, query.MomentRequest{Conversation: conversation, At: at})
	if err == nil {
		err = h.SameLog(reply.Checkpoint)
	}
	if err != nil {
		return 0, err
	}
	between, err := h.between(ctx, topic, reply.Checkpoint.Offset, reached, by)
	if err != nil || len(between) == 0 {
		return reply.Offset, err
	}
	return between[0].Offset, nil
}
