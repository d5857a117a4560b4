// Package idempotency says what an idempotency key of a client stands for: in
// which scope it counts, and whether it can be older than the time for which
// the log itself recognises a repeated append.
//
//	key of a guest               scope                    how old can it be?
//	<this socket's id>-<n>       all guests               as old as this connection
//	<another socket's id>-<n>    all guests               unknown: look it up
//	anything else (undefined-0)  this connection          as old as this connection
//
//	key of a user                scope                    how old can it be?
//	<this socket's id>-<n>       the user                 as old as this connection
//	a UUIDv7 or a ULID           the user                 it says so itself, see Window
//	anything else                the user                 unknown: look it up
//
// Pure functions of values. The socket id in a key is known to its owner only,
// so that no guest can use up another's keys.
package idempotency

import (
	"strings"
	"time"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// Sender is one connection of whoever sends: a Guest or a User.
type Sender interface {
	// Scope is the scope in which a key counts in a conversation.
	Scope(key string, conversation subject.Conversation) string
	// Recent reports whether a key, judged now by the log's clock, was certainly
	// not used before the window's horizon.
	Recent(key string, now time.Time, w Window) bool
	// Own reports whether a key was certainly not used before this connection.
	Own(key string) bool
	// Made reports whether a key was made on this connection.
	Made(key string) bool
	// Name is the socket's or the user's id. Where Sent is true, the event's key
	// begins with it, or the event's sender is it, or the scope is "guest:<name>/…".
	Name() string
	// Sent reports whether an event with a key is the sender's own, who alone is
	// told the key.
	Sent(e *event.Event) bool
	// Reached is an offset that the log had reached before this connection.
	Reached() uint64
}

var _, _ Sender = Guest{}, User{}

// madeOn reports whether a key was made on the connection with a socket id.
func madeOn(socketID, key string) bool {
	return len(key) > len(socketID) && key[len(socketID)] == '-' && strings.HasPrefix(key, socketID)
}
