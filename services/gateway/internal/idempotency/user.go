package idempotency

import (
	"time"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// User is a connection of a user. All of a user's connections share their keys.
type User struct {
	ID       string
	SocketID string    // the Socket.IO id, which the client knows too
	Since    time.Time // when it connected, by the log's clock
	Joined   uint64    // an offset the log had reached before
}

// Scope implements Sender.
func (u User) Scope(_ string, conversation subject.Conversation) string {
	return event.Scope("user:"+u.ID, conversation)
}

// Recent implements Sender.
func (u User) Recent(key string, now time.Time, w Window) bool {
	if u.Made(key) {
		return u.Since.After(w.Horizon(now))
	}
	at, ok := minted(key)
	return ok && w.vouched(at, now)
}

// Own implements Sender.
func (u User) Own(key string) bool { return u.Made(key) }

// Name implements Sender.
func (u User) Name() string { return u.ID }

// Made implements Sender.
func (u User) Made(key string) bool { return madeOn(u.SocketID, key) }

// Sent implements Sender: over whichever connection.
func (u User) Sent(e *event.Event) bool { return e.Sender == u.ID && e.Key != "" }

// Reached implements Sender.
func (u User) Reached() uint64 { return u.Joined }
