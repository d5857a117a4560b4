package history

import (
	"context"
	"slices"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

const (
	directConversations = 50 // the newest of a user
	directMessages      = 20 // the newest of each
	directRecent        = directConversations * directMessages
)

// Direct is the newest messages of a user's direct conversations, up to an offset
// that the tail has reached, by the other user, in ascending offset.
//
// Without the read model there are those that the tail holds, and the error that
// says why these are not all.
func (h *History) Direct(ctx context.Context, user string, through uint64) (map[string][]*event.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	any := func(*event.Event) bool { return true }
	inbox := subject.Inbox(user)
	reply, err := h.model.Direct(ctx, query.DirectRequest{User: user, Conversations: directConversations, Messages: directMessages})
	if err == nil {
		err = h.SameLog(reply.Checkpoint)
	}
	var recent []*event.Event
	if err == nil {
		recent, err = h.beyond(ctx, inbox, reply.Checkpoint.Offset, through+1, directRecent, any)
	}
	if err != nil {
		first, _, _ := h.tail.Stats()
		recent, _ = h.tail.Newest(inbox, first-1, through+1, directRecent, any, nil)
		reply.Events = nil
	}
	return byOther(user, append(recent, pointers(reply.Events)...), through), err
}

// byOther sorts messages, of which those of one conversation come newest first,
// by the other user.
func byOther(user string, newest []*event.Event, through uint64) map[string][]*event.Event {
	found := make(map[string][]*event.Event)
	for _, e := range newest {
		other := e.Sender
		if other == user {
			other = e.Recipient
		}
		if e.Offset <= through && len(found[other]) < directMessages {
			found[other] = append(found[other], e)
		}
	}
	for _, events := range found {
		slices.Reverse(events)
	}
	return found
}
