// Package selection says which events of the log are meant: by offset, time, conversation, sender and type.
//
// What is asked for by offset and time bounds what is read of the log (Span). Everything else is told from each event that is
// read (Matcher) and not left to the server's filters: a filtered read of a subject with few events makes the server search
// its files, and no message can be stored meanwhile.
package selection

import (
	"time"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// Selection is what was asked for. Its zero value is the whole log. An event is meant if it is within the bounds, in one of
// the conversations (Rooms and Between together), by one of the senders and of one of the types; where nothing is asked for,
// any will do.
type Selection struct {
	From, To     uint64    // offsets, both included; 0: from the first, to the last
	Since, Until time.Time // since included, until not; zero: no bound
	Rooms        []string
	Between      []string // two users, by id or name: their direct conversation
	Senders      []string // by id or name
	Types        []string

	// Growing says that the log is followed beyond its present end, so that From may lie beyond it.
	Growing bool
}

// Within reports whether what the log stored at an offset and a time is within the bounds. It is all that can be told of an
// event that is damaged.
func (s *Selection) Within(offset uint64, at time.Time) bool {
	return offset >= s.From && (s.To == 0 || offset <= s.To) &&
		(s.Since.IsZero() || !at.Before(s.Since)) && (s.Until.IsZero() || at.Before(s.Until))
}

// Clip is what of a range of offsets, both included, is within the bounds: from > to if nothing is.
func (s *Selection) Clip(from, to uint64) (uint64, uint64) {
	if s.To > 0 {
		to = min(to, s.To)
	}
	return max(from, s.From), to
}

// matcher is the selection with all names resolved. It is pure.
type matcher struct {
	bounds        *Selection
	conversations map[subject.Conversation]bool // empty: any
	senders       map[string]bool
	types         map[event.Type]bool
}

// compile makes the matcher; direct is the conversation of Between, or the zero one.
func (s *Selection) compile(direct subject.Conversation) *matcher {
	bounds := *s
	m := &matcher{
		bounds: &bounds, conversations: map[subject.Conversation]bool{},
		senders: map[string]bool{}, types: map[event.Type]bool{},
	}
	for _, room := range s.Rooms {
		m.conversations[subject.Conversation{Kind: subject.Room, Name: room}] = true
	}
	if direct != (subject.Conversation{}) {
		m.conversations[direct] = true
	}
	for _, sender := range s.Senders {
		m.senders[sender] = true
	}
	for _, t := range s.Types {
		m.types[event.Type(t)] = true
	}
	return m
}

func (m *matcher) match(e *event.Event) bool {
	return m.bounds.Within(e.Offset, e.At) &&
		(len(m.conversations) == 0 || m.conversations[e.Conversation]) &&
		(len(m.types) == 0 || m.types[e.Type]) &&
		(len(m.senders) == 0 || e.Sender != "" && (m.senders[e.Sender] || m.senders[e.SenderName]))
}
