package idempotency

import (
	"time"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// Guest is a connection without a user.
type Guest struct {
	SocketID string    // the Socket.IO id, which the client knows too
	Since    time.Time // when it connected, by the log's clock
	Joined   uint64    // an offset the log had reached before
}

// Lengths of Socket.IO ids: this library's (18 bytes in base64) and Node.js's
// (15), from which a client's page may come to us with a message still unsent.
const (
	socketIDLength     = 24
	nodeSocketIDLength = 20
)

// Scope is the scope in which a guest's key counts in a conversation.
func (g Guest) Scope(key string, conversation subject.Conversation) string {
	if hasSocketID(key) {
		return event.Scope("guest", conversation)
	}
	return event.Scope("guest:"+g.SocketID, conversation)
}

// Sent reports whether an event with a key was sent over this connection, or
// by the same client over an earlier one (then the key only starts with the id
// it has now if it was made since).
func (g Guest) Sent(e *event.Event) bool {
	if e.Sender != "" || e.Key == "" {
		return false
	}
	return e.Scope == g.Scope(e.Key, e.Conversation) && (!hasSocketID(e.Key) || g.Made(e.Key))
}

// Recent implements Sender.
func (g Guest) Recent(key string, now time.Time, w Window) bool {
	return g.Own(key) && g.Since.After(w.Horizon(now))
}

// Own implements Sender.
func (g Guest) Own(key string) bool { return g.Made(key) || !hasSocketID(key) }

// Name implements Sender.
func (g Guest) Name() string { return g.SocketID }

// Made implements Sender.
func (g Guest) Made(key string) bool { return madeOn(g.SocketID, key) }

// Reached implements Sender.
func (g Guest) Reached() uint64 { return g.Joined }

// hasSocketID reports whether a key starts with a Socket.IO id: "<id>-…".
func hasSocketID(key string) bool {
	return startsWithID(key, socketIDLength) || startsWithID(key, nodeSocketIDLength)
}

func startsWithID(key string, length int) bool {
	if len(key) <= length || key[length] != '-' {
		return false
	}
	for i := range length {
		c := key[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-') {
			return false
		}
	}
	return true
}
