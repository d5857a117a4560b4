package readmodel

import (
	"unicode/utf8"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/query"
)

// maxReply bounds the JSON of an answer's events or users. NATS carries 1 MiB;
// the rest is for the frame around them.
const maxReply = 960 << 10

// Budget is what one answer has used of what it may hold. The zero Budget is that
// of an empty answer.
type Budget struct {
	items, content, encoded int
}

// Take reports whether the next event fits as well, and counts it if so: by
// query.MaxBytes of content, and by what it takes as JSON, where one hostile
// byte becomes six. The first always fits.
func (b *Budget) Take(e *event.Event) bool {
	return b.take(len(e.Content), encodedSize(e))
}

func (b *Budget) take(content, encoded int) bool {
	next := Budget{b.items + 1, b.content + content, b.encoded + encoded}
	if b.items > 0 && (next.content > query.MaxBytes || next.encoded > maxReply) {
		return false
	}
	*b = next
	return true
}

// Cut returns how many of the events, from the first, fit into one answer. A
// single event always fits.
func Cut(events []event.Event) int {
	var budget Budget
	for i := range events {
		if !budget.Take(&events[i]) {
			return i
		}
	}
	return len(events)
}

// CutUsers is Cut for users.
func CutUsers(users []query.User) int {
	var budget Budget
	for i := range users {
		if !budget.take(0, encodedUser(&users[i])) {
			return i
		}
	}
	return len(users)
}

// Reach says how far an answer of After goes that holds the first n of some
// ascending events, of which there may be more: at the end of the read model
// if it holds them all, otherwise at the last one it holds.
func Reach(events []event.Event, n int, more bool, checkpoint uint64) uint64 {
	if n == len(events) && !more {
		return checkpoint
	}
	return events[n-1].Offset
}

// encodedSize is at least the size of an event as JSON, in bytes.
func encodedSize(e *event.Event) int {
	const fixed = 300 // names of the fields, numbers, time, type, digest
	return fixed + jsonSize(e.ID) + jsonSize(e.Conversation.Name) + jsonSize(e.Sender) + jsonSize(e.SenderName) +
		jsonSize(e.Recipient) + jsonSize(e.Scope) + jsonSize(e.Key) + jsonSize(e.Content)
}

// encodedUser is at least the size of a user as JSON, in bytes.
func encodedUser(u *query.User) int {
	const fixed = 96 // names of the fields, number, time
	return fixed + jsonSize(u.ID) + jsonSize(u.Name)
}

// jsonSize is the size of s inside a JSON string as encoding/json writes it,
// rounded up to six bytes for whatever it escapes.
func jsonSize(s string) int {
	n := len(s)
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c < 0x20 || c == '<' || c == '>' || c == '&' || c == '"' || c == '\\' || c == 0x7f {
				n += 5
			}
			i++
			continue
		}
		r, width := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError || r == '\u2028' || r == '\u2029' {
			n += 5
		}
		i += width
	}
	return n
}

// Share is what one of several conversations may have of an answer, of its newest
// messages: an equal part of query.MaxBytes of content, and one message at least.
// So nobody's many words are at the expense of another's.
func Share(newest []event.Event, conversations int) []event.Event {
	content := 0
	for i := range newest {
		content += len(newest[i].Content)
		if i > 0 && content > query.MaxBytes/conversations {
			return newest[:i]
		}
	}
	return newest
}
