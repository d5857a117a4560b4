package readmodel

import (
	"unicode/utf8"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/query"
)

// maxReply bounds the JSON of an answer's events. NATS carries 1 MiB; the rest
// is for the frame around them.
const maxReply = 960 << 10

// Cut returns how many of the events, from the first, fit into one answer: by
// query.MaxBytes of content, and by what they take as JSON, where one hostile
// byte becomes six. A single event always fits.
func Cut(events []event.Event) int {
	content, encoded := 0, 0
	for i := range events {
		content += len(events[i].Content)
		encoded += encodedSize(&events[i])
		if i > 0 && (content > query.MaxBytes || encoded > maxReply) {
			return i
		}
	}
	return len(events)
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
	const fixed = 512 // names of the fields, numbers, time, type, id, digest
	return fixed + jsonSize(e.ID) + jsonSize(e.Conversation.Name) + jsonSize(e.Sender) + jsonSize(e.SenderName) +
		jsonSize(e.Recipient) + jsonSize(e.Scope) + jsonSize(e.Key) + jsonSize(e.Content)
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
