package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
)

// What the commands do, to the gateways and to the model.

func (w *world) newPerson() *person {
	p := &person{name: fmt.Sprint("user ", len(w.users))}
	w.users = append(w.users, p)
	return p
}

// connectUser connects a user who registers if he is new: from an offset or, if that
// is nil, from now on.
func (w *world) connectUser(gateway int, who *person, from any, rooms []string) *socket {
	a := auth{"username": who.name}
	if who.session != "" {
		a = auth{"sessionID": who.session}
	}
	s := w.connect(gateway, who, a, from, append(rooms, inbox))
	if who.session == "" {
		who.session, who.id = s.SessionID, s.UserID
	}
	if s.UserID != who.id || s.SessionID != who.session {
		w.failf("%s came back as %q", who.name, s.UserID)
	}
	w.listed(s)
	return s
}

func (w *world) connectGuest(gateway int, from any, rooms []string) *socket {
	if !slices.Contains(rooms, "general") {
		rooms = append(rooms, "general")
	}
	s := w.connect(gateway, nil, auth{}, from, rooms)
	w.guests = append(w.guests, s.SocketID)
	return s
}

func (w *world) connect(gateway int, who *person, a auth, from any, topics []string) *socket {
	topics = append(topics, w.marks)
	rooms := slices.DeleteFunc(slices.Clone(topics), func(topic string) bool { return topic == inbox })
	a = a.With(auth{"rooms": rooms})
	if from != nil {
		a["serverOffset"] = from
	}
	peer, err := gatewaytest.DialPeer(w.ctx, w.at[gateway], a)
	if err != nil {
		w.failf("connect with %v: %v", a, err)
	}
	w.sockets++
	s := &socket{Peer: peer, who: who, since: make(map[string]uint64), last: peer.Recovery.Head}
	s.name = fmt.Sprintf("socket %d at gateway %d", w.sockets, gateway)
	if who != nil {
		s.name += " of " + who.name
	}
	w.open = append(w.open, s)
	r := s.Recovery
	if offset, ok := from.(uint64); !r.Recovered || ok && r.From != offset || r.Count != uint64(len(s.Replayed)) || !ok && r.Count > 0 {
		w.failf("%s from %v: %+v", s.name, from, r)
	}
	for _, topic := range topics {
		s.since[topic] = r.From
	}
	s.events = s.Began
	if got, want := w.received(s), w.want(s); len(got) > len(want) || !slices.Equal(got, want[:len(got)]) {
		w.failf("%s began with %v, want %v", s.name, got, want)
	}
	return s
}

// disconnect returns the offset that a client would come back with. What came until
// then is, in order and without a hole, what had to come.
func (w *world) disconnect(s *socket) (last uint64) {
	s.Close()
	w.open = slices.DeleteFunc(w.open, func(o *socket) bool { return o == s })
	got, want := w.received(s), w.want(s)
	if len(got) > len(want) || !slices.Equal(got, want[:len(got)]) {
		w.failf("%s got %v, want %v", s.name, got, want)
	}
	if last = s.last; len(got) > 0 {
		last = max(last, got[len(got)-1])
	}
	return last
}

func (w *world) speak(s *socket, room, content, key string) *message {
	m := w.newMessage(s, room, nil, content, key)
	w.acked(m, w.mustSend(m))
	return m
}

func (w *world) write(s *socket, to *person, content, key string) {
	if to == nil {
		to = &person{id: "nobody"}
	}
	m := w.newMessage(s, "", to, content, key)
	w.acked(m, w.mustSend(m))
}

func (w *world) mustSend(m *message) gatewaytest.Ack {
	ack, err := m.send(w.ctx)
	if err != nil {
		w.failf("%s sends %+v: %v", m.by.name, m.Post, err)
	}
	return ack
}

// atOnce sends messages at the same time. Of those with one key, whichever was first
// is the original.
func (w *world) atOnce(messages []*message) {
	acks, errs := make([]gatewaytest.Ack, len(messages)), make([]error, len(messages))
	var all sync.WaitGroup
	for i, m := range messages {
		all.Go(func() { acks[i], errs[i] = m.send(w.ctx) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		w.failf("at once: %v", err)
	}
	for _, duplicate := range []bool{false, true} {
		for i, m := range messages {
			if acks[i].Duplicate == duplicate {
				w.acked(m, acks[i])
			}
		}
	}
}

// newMessage is a message to a room or to somebody.
func (w *world) newMessage(s *socket, room string, to *person, content, key string) *message {
	m := &message{by: s, from: s.who, to: to, key: key}
	m.Event, m.Room, m.Content = "room message", room, content
	if s.who != nil {
		m.From, m.Username = s.who.id, s.who.name
	}
	if to != nil {
		m.Event, m.To = "private message", to.id
	}
	return m
}

func (m *message) send(ctx context.Context) (gatewaytest.Ack, error) {
	fields := map[string]any{"content": m.Content}
	if m.key != "" {
		fields["clientOffset"] = m.key
	}
	if m.to != nil {
		fields["to"] = m.to.id
	} else {
		fields["room"] = m.Room
	}
	return m.by.Send(ctx, m.Event, fields)
}

// acked checks the ack of a message, and takes one that is new into the model.
func (w *world) acked(m *message, ack gatewaytest.Ack) {
	conversation := m.Room
	if m.to != nil {
		ids := []string{m.From, m.To}
		slices.Sort(ids)
		conversation = fmt.Sprint(ids)
	}
	scope := w.scope(m.by, conversation, m.key)
	original := w.keys[scope]
	_, in := m.by.since[m.Room]
	code := ""
	switch {
	case m.to == nil && !in, m.to != nil && m.from == nil:
		code = "forbidden"
	case m.to != nil && !slices.Contains(w.users, m.to):
		code = "unknown_recipient"
	case m.key != "" && original != nil && original.Content != m.Content:
		code = "key_conflict"
	}
	m.Offset, m.ID = ack.Offset, ack.ID
	switch {
	case ack.Error.Code != code || ack.OK != (code == ""):
		w.failf("%s: %+v is acked with %+v, want %q", m.by.name, m.Post, ack, code)
	case code != "":
	case m.key == "" || original == nil:
		if ack.Duplicate {
			w.failf("%s: %+v is acked as repeated: %+v", m.by.name, m.Post, ack)
		}
		w.add(m, scope)
	case !ack.Duplicate || ack.Offset != original.Offset || ack.ID != original.ID:
		w.failf("%s: %+v is acked with %+v, but was said before: %+v", m.by.name, m.Post, ack, original.Post)
	}
}

// everybodyAgain has each user and a guest read all there was from the beginning.
func (w *world) everybodyAgain() {
	for i, who := range w.users {
		w.connectUser(i%len(w.at), who, w.base, slices.Collect(maps.Values(w.rooms)))
	}
	w.connectGuest(0, w.base, slices.Collect(maps.Values(w.rooms)))
	w.quiet()
}
