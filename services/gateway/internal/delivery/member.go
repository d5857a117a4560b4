package delivery

import (
	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// Outlet is where a member's frames go. Its methods never block, and never call
// the drain function or the hub themselves: they may be used under the hub's lock.
type Outlet interface {
	// Send takes frames while they fit its budget and returns how many. After
	// it took fewer than given it calls the drain function once there is room.
	Send(frames ...transport.Frame) int
	// OnDrain sets that function.
	OnDrain(func())
	// Close cuts the connection so that its client comes back by itself.
	Close()
}

// Interest is what one connection wants to be sent.
type Interest struct {
	Conversations []subject.Conversation
	// Own reports whether an event was sent by this member: it alone is told
	// the clientOffset. Called for events with a key, under the hub's lock.
	Own func(*event.Event) bool
}

// state is what a member is doing.
type state uint8

const (
	waiting state = iota // queued for a reader
	reading              // a reader is at work for it
	parked               // its outlet is full: the outlet's drain queues it again
	live                 // the feed sends to it
	gone                 // left, or closed
)

// Member is one connection that receives events. Its cursor is the offset up to
// which it has been sent everything.
type Member struct {
	outlet   Outlet
	interest Interest

	// Guarded by Hub.mu, except that a reader owns the fields below state
	// while the member is reading.
	state   state
	drained bool // its outlet drained while a reader was at work

	start    *contract.Hello // where it wants to begin, until that is resolved
	cursor   uint64
	told     bool // its recovery event has been sent
	recovery contract.Recovery
}
