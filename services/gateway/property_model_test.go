package gateway_test

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
)

// world is what must hold, said as simply as possible: who said what, in the order
// of the acks' offsets, and who was where when he was told so.
type world struct {
	t     *rapid.T
	ctx   context.Context
	at    []string // addresses of the gateways
	log   *eventlog.Log
	rooms map[string]string // all there are, by what they are called in commands
	marks string            // the room that everybody is in
	base  uint64            // what is older is none of this world's business

	users   []*person
	open    []*socket
	sockets int
	guests  []string            // socket ids of guests, also of those who have left
	said    map[uint64]*message // by offset
	keys    map[string]*message // by scope and key
}

type person struct{ name, id, session string }

// message is one that was acked as new.
type message struct {
	gatewaytest.Post
	key  string
	by   *socket // over which it came
	from *person // nil: a guest
	to   *person // of a direct message
}

// socket is a connection. since says after which offset it follows each of its rooms
// and, as inbox, its user's direct messages.
type socket struct {
	*gatewaytest.Peer
	name   string
	who    *person
	since  map[string]uint64
	stayed []uint64 // what it was sent of rooms that it has left
	events []gatewaytest.Event
	last   uint64 // offset that a client would come back with, but for messages
}

const inbox = "an inbox, which is no room's name"

func (s *socket) wants(m *message) bool {
	topic := m.Room
	if m.to != nil {
		if s.who == nil || s.who != m.from && s.who != m.to || s == m.by {
			return false
		}
		topic = inbox
	}
	since, in := s.since[topic]
	return in && m.Offset > since
}

// want is the offsets of what a socket must have been sent, or will be.
func (w *world) want(s *socket) []uint64 {
	want := slices.Clone(s.stayed)
	for offset, m := range w.said {
		if s.wants(m) {
			want = append(want, offset)
		}
	}
	slices.Sort(want)
	return want
}

// received takes what has come to a socket, each message as it was said, and returns
// the offsets of all that ever came.
func (w *world) received(s *socket) []uint64 {
	fresh := s.TakeEvents()
	s.events = append(s.events, fresh...)
	for _, p := range gatewaytest.Posts(fresh) {
		m := w.said[p.Offset]
		if m == nil {
			w.failf("%s was sent what nobody said: %+v", s.name, p)
		}
		want := m.Post
		want.At = p.At
		if s.madeKey(w, m) {
			want.ClientOffset = m.key
		}
		if want.Event == "room message" && want.Room == "general" {
			want.Event = "chat message"
		}
		if p != want {
			w.failf("%s was sent %+v, want %+v", s.name, p, want)
		}
	}
	return gatewaytest.Offsets(gatewaytest.Posts(s.events))
}

// madeKey reports whether a message's key is told to a socket: to all of its user,
// to the guest whose socket's id it starts with or, if it starts with none, to the
// one who sent it.
func (s *socket) madeKey(w *world, m *message) bool {
	switch {
	case s.who != nil || m.from != nil:
		return s.who == m.from
	case w.ofSocket(m.key):
		return strings.HasPrefix(m.key, s.SocketID+"-")
	}
	return s == m.by
}

// ofSocket reports whether a key is one that a guest made on some connection.
func (w *world) ofSocket(key string) bool {
	return slices.ContainsFunc(w.guests, func(id string) bool { return strings.HasPrefix(key, id+"-") })
}

// failf says what is wrong. What is different each time only goes into the log:
// rapid makes a case smaller while it fails in the same way.
func (w *world) failf(format string, args ...any) {
	w.t.Helper()
	w.t.Logf(format, args...)
	w.t.Fatal("the gateways and the model disagree")
}

// scope is where a key counts.
func (w *world) scope(s *socket, conversation, key string) string {
	switch {
	case s.who != nil:
		return fmt.Sprintf("%s/%s/%s", s.who.id, conversation, key)
	case w.ofSocket(key):
		return fmt.Sprintf("guest/%s/%s", conversation, key)
	}
	return fmt.Sprintf("%s/%s/%s", s.SocketID, conversation, key)
}

// add takes a message that was acked as new.
func (w *world) add(m *message, scope string) {
	if w.said[m.Offset] != nil || m.Offset <= w.base || m.ID == "" {
		w.failf("%+v: this offset was acked before, or never can be", m)
	}
	w.said[m.Offset] = m
	if m.key != "" {
		w.keys[scope] = m
	}
}

// quiet waits until every open socket has been sent a mark, and checks that it was
// sent what it must have been before, and nothing else.
func (w *world) quiet() {
	if len(w.open) == 0 {
		w.connectGuest(arrival{from: w.base})
	}
	m := w.speak(w.open[0], w.marks, "mark", "")
	for _, s := range w.open {
		taken, err := s.Until(w.ctx, offsetIs(m.Offset))
		s.events = append(s.events, taken...)
		if err != nil {
			w.failf("%s waits for the mark at %d: %v; it got %v, want %v", s.name, m.Offset, err, w.received(s), w.want(s))
		}
		if got, want := w.received(s), w.want(s); !slices.Equal(got, want) {
			w.failf("%s got %v, want %v", s.name, got, want)
		}
	}
}

// audit checks that the log holds what was acked, each once, and nothing else.
func (w *world) audit() {
	state, err := w.log.State(w.ctx)
	if err != nil {
		w.failf("%v", err)
	}
	for offset := w.base + 1; offset <= state.Last; offset++ {
		e, err := w.log.Get(w.ctx, offset)
		if err != nil {
			w.failf("offset %d: %v", offset, err)
		}
		m := w.said[offset]
		switch {
		case e.Type == event.Registered:
			if !slices.ContainsFunc(w.users, func(p *person) bool { return p.id == e.Sender && p.name == e.SenderName }) {
				w.failf("nobody registered as %+v", e)
			}
		case m == nil || m.ID != e.ID || m.Content != e.Content || m.key != e.Key || m.From != e.Sender || m.To != e.Recipient:
			w.failf("the log holds %+v, acked was %+v", e, m)
		}
	}
	for offset := range w.said {
		if offset > state.Last {
			w.failf("%d was acked, the log ends at %d", offset, state.Last)
		}
	}
}

// listed checks the list of users that a connection of a user began with: everybody,
// and the newest of what was exchanged with each.
func (w *world) listed(s *socket) {
	for _, other := range w.users {
		entry, ok := s.Listed(other.id)
		if !ok || entry.Username != other.name {
			w.failf("%s is not told of %s: %+v", s.name, other.name, entry)
		}
		var want []uint64
		for offset, m := range w.said {
			if m.to != nil && (m.from == s.who && m.to == other || m.from == other && m.to == s.who) {
				want = append(want, offset)
			}
		}
		slices.Sort(want)
		got := gatewaytest.Offsets(entry.Messages)
		if n := len(got); n < min(len(want), 10) || n > len(want) || !slices.Equal(got, want[len(want)-n:]) {
			w.failf("%s is told of %v with %s, want the newest of %v", s.name, got, other.name, want)
		}
	}
}
