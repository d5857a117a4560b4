package delivery

import (
	"maps"
	"math"
	"slices"
	"time"

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
	// Time has the time measured from an event's storing until what Send has just
	// taken is written, if that is not being done for another one.
	Time(stored time.Time)
	// Close cuts the connection so that its client comes back by itself.
	Close()
}

// Viewer is how one connection looks at messages. Its methods are called under
// the hub's lock too, so they must not block.
type Viewer interface {
	// Own reports whether a message is by this client, which alone is told its
	// clientOffset. Called for messages with a key.
	Own(*event.Event) bool
	// Sent reports whether a message was sent over this very connection.
	Sent(*event.Event) bool
	// ID begins the key, or the scope's socket, or is the sender, of every message of
	// which Own is true. Empty: nothing can be told by it. It does not change.
	ID() string
}

// state is what a member is doing.
type state uint8

const (
	idle    state = iota // has not begun
	waiting              // queued for a reader
	reading              // a reader is at work for it
	parked               // its outlet is full: the outlet's drain queues it again
	live                 // the feed sends to it
	gone                 // left, or closed
)

// Member is one connection that receives events. Its cursor is the offset up to
// which it has been sent everything.
type Member struct {
	outlet   Outlet
	viewer   Viewer
	mark     uint64        // of the viewer's ID
	resolved chan struct{} // closed when it is clear where it begins

	// Guarded by Hub.mu, except that while the member is reading only its reader
	// changes the fields below interest, and may read them without the lock.
	state    state
	drained  bool // its outlet drained while a reader was at work
	interest *interest

	start     *start // where it wants to begin, until that is resolved
	cursor    uint64
	shown     uint64 // newest offset that the client has been told of: less than the cursor if that is of nothing it is sent
	announced bool   // its replay event has been sent, or need not be
	told      bool   // its recovery event has been sent
	recovery  contract.Recovery
}

// start is where a member wants to begin.
type start struct {
	offset uint64
	epoch  string // of the log the offset belongs to; empty if it did not say
}

// interest is what a member follows. It never changes: a member that joins or
// leaves gets another one, and a reader finds that what it has read is of no use.
type interest struct {
	topics []subject.Conversation
	since  map[subject.Conversation]uint64 // for those joined later: after which offset
	lounge uint64                          // after which offset it is sent "new message" too
}

const never = math.MaxUint64

// wants reports whether a message of one of the topics is for the member.
func (i *interest) wants(e *event.Event) bool { return e.Offset > i.since[e.Conversation] }

func (i *interest) follows(topic subject.Conversation) bool { return slices.Contains(i.topics, topic) }

// with is the interest and one more topic, from after an offset.
func (i *interest) with(topic subject.Conversation, after uint64) *interest {
	since := maps.Clone(i.since)
	if since == nil {
		since = make(map[subject.Conversation]uint64, 1)
	}
	since[topic] = after
	return &interest{topics: append(slices.Clone(i.topics), topic), since: since, lounge: i.lounge}
}

func (i *interest) without(topic subject.Conversation) *interest {
	since := maps.Clone(i.since)
	delete(since, topic)
	topics := slices.DeleteFunc(slices.Clone(i.topics), func(t subject.Conversation) bool { return t == topic })
	return &interest{topics: topics, since: since, lounge: i.lounge}
}
