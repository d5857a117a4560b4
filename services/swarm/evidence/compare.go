package evidence

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidemark-chat/tidemark/services/swarm/oracle"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// projection is what a read model is to hold of a log: an event whose key, or whose user, an earlier one has taken is not
// in it.
type projection struct {
	conversations map[subject.Conversation][]event.Event
	inboxes       map[string][]event.Event // direct messages, by user
	users         map[string]query.User
	keyed         []event.Event
}

func project(events []event.Event) projection {
	p := projection{
		conversations: make(map[subject.Conversation][]event.Event), inboxes: make(map[string][]event.Event),
		users: make(map[string]query.User),
	}
	type key struct{ scope, key string }
	taken := make(map[key]bool)
	for _, e := range events {
		k := key{e.Scope, e.Key}
		switch {
		case !e.Message():
			if _, ok := p.users[e.Sender]; !ok {
				p.users[e.Sender] = query.User{ID: e.Sender, Name: e.SenderName, Offset: e.Offset, At: e.At}
			}
			continue
		case e.Key != "" && taken[k]:
			continue
		case e.Key != "":
			taken[k] = true
			p.keyed = append(p.keyed, e)
		}
		p.conversations[e.Conversation] = append(p.conversations[e.Conversation], e)
		for _, topic := range e.Topics() {
			if user, ok := topic.InboxOf(); ok {
				p.inboxes[user] = append(p.inboxes[user], e)
			}
		}
	}
	return p
}

// difference is where an answer of the read model is not what the log says.
type difference struct {
	offset uint64
	text   string
}

// compare compares what was answered with what the log holds, both by ascending offset.
func compare(want, got []event.Event) (all []difference) {
	byOffset := func(a, b event.Event) int { return int(a.Offset) - int(b.Offset) }
	if !slices.IsSortedFunc(got, byOffset) {
		all = append(all, difference{got[0].Offset, "is not in the order of the offsets"})
		got = slices.SortedStableFunc(slices.Values(got), byOffset)
	}
	for len(want) > 0 || len(got) > 0 {
		switch {
		case len(got) == 0 || len(want) > 0 && want[0].Offset < got[0].Offset:
			all = append(all, difference{want[0].Offset, "lacks " + name(&want[0])})
			want = want[1:]
		case len(want) == 0 || got[0].Offset < want[0].Offset:
			all = append(all, difference{got[0].Offset, "holds in addition " + name(&got[0])})
			got = got[1:]
		default:
			if text := altered(&want[0], &got[0]); text != "" {
				all = append(all, difference{want[0].Offset, "holds otherwise " + name(&want[0]) + ": " + text})
			}
			want, got = want[1:], got[1:]
		}
	}
	return all
}

func name(e *event.Event) string {
	return fmt.Sprintf("%d (id %s of %s)", e.Offset, e.ID, e.Conversation)
}

// altered names the fields of an event that are not as in the log.
func altered(want, got *event.Event) string {
	var fields []string
	differ := func(field string, same bool) {
		if !same {
			fields = append(fields, field)
		}
	}
	differ("time", want.At.Equal(got.At))
	differ("schema", want.Schema == got.Schema)
	differ("type", want.Type == got.Type)
	differ("id", want.ID == got.ID)
	differ("conversation", want.Conversation == got.Conversation)
	differ("sender", want.Sender == got.Sender)
	differ("sender's name", want.SenderName == got.SenderName)
	differ("recipient", want.Recipient == got.Recipient)
	differ("scope", want.Scope == got.Scope)
	differ("key", want.Key == got.Key)
	differ("content", want.Content == got.Content)
	differ("digest", want.Digest == got.Digest)
	return strings.Join(fields, ", ")
}

func sameUser(a, b query.User) bool {
	return a.ID == b.ID && a.Name == b.Name && a.Offset == b.Offset && a.At.Equal(b.At)
}

// finding is a finding of the read model.
func finding(offset uint64, format string, args ...any) func() oracle.Finding {
	return func() oracle.Finding {
		return oracle.Finding{Connection: -1, Offset: offset, Text: fmt.Sprintf(format, args...)}
	}
}
