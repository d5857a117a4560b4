package contract

import (
	"encoding/json"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// Acks are maps, as the Socket.IO library wants them.

// Stored is the ack of a message the log holds.
func Stored(offset uint64, id string, duplicate bool) map[string]any {
	return map[string]any{"ok": true, "offset": offset, "id": id, "duplicate": duplicate}
}

// Refused is the ack of a permanent refusal.
func Refused(r *Refusal) map[string]any {
	e := map[string]any{"code": string(r.Code), "message": r.Message}
	if r.Code == RateLimited {
		e["retryAfterMs"] = max(1, r.RetryAfter.Milliseconds())
	}
	return map[string]any{"ok": false, "error": e}
}

// Joined is the ack of "room join". What the room has after head is sent.
func Joined(room string, head uint64) map[string]any {
	return map[string]any{"ok": true, "room": room, "head": head}
}

// Left is the ack of "room leave".
func Left(room string) map[string]any {
	return map[string]any{"ok": true, "room": room}
}

// maxPageBytes bounds the messages of one page as JSON; one is always given.
const maxPageBytes = 256 << 10

// HistoryPage is the ack of "history": messages in ascending offset, and whether
// there are older ones or, where newer ones were asked for, newer ones, as there are
// where not all of page fit. own reports whether a message with a key is by the
// client that asked, which alone is told the key.
func HistoryPage(page []*event.Event, own func(*event.Event) bool, newer, more bool) map[string]any {
	if n := fitting(page, newer); n < len(page) {
		more = true
		if newer {
			page = page[:n]
		} else {
			page = page[len(page)-n:]
		}
	}
	list := []byte{'['}
	for i, e := range page {
		if i > 0 {
			list = append(list, ',')
		}
		list = appendPast(list, e, e.Key != "" && own(e))
	}
	// The library's encoder takes []byte for binary, but not this type.
	return map[string]any{"ok": true, "messages": json.RawMessage(append(list, ']')), "more": more}
}

// fitting is how many messages, from the first or else from the last, fit into one
// page.
func fitting(page []*event.Event, first bool) (n int) {
	size := 0
	var one []byte
	for ; n < len(page); n++ {
		e := page[n]
		if !first {
			e = page[len(page)-1-n]
		}
		one = appendPast(one[:0], e, e.Key != "")
		if size += len(one) + 1; size > maxPageBytes && n > 0 {
			break
		}
	}
	return n
}

// appendPast appends a message of a page:
//
//	{"room" or "to":…,"content":…,"from":…,"username":…,"offset":…,"id":…,"at":…,"clientOffset":…}
func appendPast(dst []byte, e *event.Event, own bool) []byte {
	if e.Conversation.Kind == subject.DM {
		dst = appendString(append(dst, `{"to":`...), e.Recipient)
	} else {
		dst = appendString(append(dst, `{"room":`...), e.Conversation.Name)
	}
	return append(appendPosted(append(dst, ','), e, own), '}')
}
