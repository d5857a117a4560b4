package history

import (
	"context"
	"math"
	"slices"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

const (
	directConversations = 50 // the newest of a user
	directMessages      = 50 // the newest of each
)

// Direct is the newest messages of a user's newest direct conversations, up to an
// offset that the tail has reached, by the other user, in ascending offset.
//
// Without the read model there are those that the tail holds, and the error that
// says why these may not be all. Of a conversation that is there, nothing newer
// than its oldest message is missing.
func (h *History) Direct(ctx context.Context, user string, through uint64) (map[string][]*event.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	c := collection{user: user, through: through, found: make(map[string][]*event.Event)}
	inbox := subject.Inbox(user)
	reply, err := h.directFromModel(ctx, user)
	_, reached := h.tail.Newest(inbox, reply.Checkpoint.Offset, through+1, math.MaxInt, c.take)
	if err == nil {
		err = h.takeOlder(ctx, inbox, reply, reached, c.take)
	}
	for _, events := range c.found {
		slices.Reverse(events)
	}
	return c.found, err
}

func (h *History) directFromModel(ctx context.Context, user string) (query.DirectReply, error) {
	reply, err := h.model.Direct(ctx, query.DirectRequest{User: user, Conversations: directConversations, Messages: directMessages})
	if err == nil {
		err = h.SameLog(reply.Checkpoint)
	}
	if err != nil {
		return query.DirectReply{}, err
	}
	return reply, nil
}

// takeOlder takes what lies before the tail: nothing, if it cannot be told that
// it joins on to it.
func (h *History) takeOlder(
	ctx context.Context, inbox subject.Conversation, reply query.DirectReply, reached uint64, take func(*event.Event) bool,
) error {
	all := func(*event.Event) bool { return true }
	between, err := h.between(ctx, inbox, reply.Checkpoint.Offset, reached, all)
	if err != nil {
		return err
	}
	for _, e := range append(between, pointers(reply.Events)...) {
		take(e)
	}
	return nil
}

// collection is messages by the other user, as they are taken: those of one
// conversation newest first, and all of the newest conversations first.
type collection struct {
	user    string
	through uint64
	found   map[string][]*event.Event
}

// take keeps a message, unless there are enough.
func (c *collection) take(e *event.Event) bool {
	other := e.Sender
	if other == c.user {
		other = e.Recipient
	}
	have, known := c.found[other]
	if e.Offset > c.through || len(have) == directMessages || !known && len(c.found) == directConversations {
		return false
	}
	c.found[other] = append(have, e)
	return true
}
