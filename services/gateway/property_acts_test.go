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

// newPerson adds a user, who registers when he first connects.
func (w *world) newPerson() {
	w.users = append(w.users, &person{name: fmt.Sprint("user ", len(w.users))})
}

// arrival is how somebody connects.
type arrival struct {
	gateway int
	from    any // an offset, "latest", or nil: a user, from now on
	rooms   []string
	joins   string // a room that he joins, speaking too, before he is through; may be empty
}

// connectUser connects a user, who registers if he is new.
func (w *world) connectUser(who *person, how arrival) *socket {
	a := auth{"username": who.name}
	if who.session != "" {
		a = auth{"sessionID": who.session}
	}
	s := w.connect(who, a, how, append(slices.Clone(how.rooms), w.marks, inbox))
	if s.UserID != who.id || s.SessionID != who.session {
		w.failf("%s came back as %q", who.name, s.UserID)
	}
	w.listed(s)
	return s
}

func (w *world) connectGuest(how arrival) *socket {
	topics := append(slices.Clone(how.rooms), w.marks)
	if !slices.Contains(topics, "general") {
		topics = append(topics, "general")
	}
	s := w.connect(nil, auth{}, how, topics)
	w.guests = append(w.guests, s.SocketID)
	return s
}

// connect connects somebody, and takes him into the model, who then follows topics.
func (w *world) connect(who *person, a auth, how arrival, topics []string) *socket {
	a = a.With(auth{"rooms": slices.DeleteFunc(slices.Clone(topics), func(topic string) bool { return topic == inbox })})
	if how.from != nil {
		a["serverOffset"] = how.from
	}
	client, err := gatewaytest.Dial(w.ctx, w.at[how.gateway], a)
	if err != nil {
		w.failf("connect with %v: %v", a, err)
	}
	w.sockets++
	s := &socket{Peer: &gatewaytest.Peer{Client: client}, who: who, since: make(map[string]uint64)}
	w.open = append(w.open, s)
	s.name = fmt.Sprintf("socket %d at gateway %d", w.sockets, how.gateway)
	if who != nil {
		s.name += " of " + who.name
	}
	var joined, spoken <-chan gatewaytest.Answer
	if how.joins != "" {
		joined, err = s.Start("room join", map[string]any{"room": how.joins})
		if err == nil {
			spoken, err = s.Start("room message", map[string]any{"room": w.marks, "content": "early"})
		}
	}
	if err = errors.Join(err, s.Begin(w.ctx)); err != nil {
		w.failf("%s begins: %v", s.name, err)
	}
	if who != nil && who.session == "" {
		who.session, who.id = s.SessionID, s.UserID
	}
	r := s.Recovery
	// Without an offset one begins where this gateway is: what another one has just acked may come a moment later, as a
	// replay. What came, and that it came once, is looked at below.
	if offset, ok := how.from.(uint64); !r.Recovered || ok && r.From != offset || r.Count != uint64(len(s.Replayed)) {
		w.failf("%s from %v: %+v", s.name, how.from, r)
	}
	s.events, s.last = s.Began, r.Head
	for _, topic := range topics {
		s.since[topic] = r.From
	}
	if how.joins != "" {
		w.early(s, how.joins, joined, spoken)
	}
	if got, want := w.received(s), w.want(s); len(got) > len(want) || !slices.Equal(got, want[:len(got)]) {
		w.failf("%s began with %v, want %v", s.name, got, want)
	}
	return s
}

// early takes what a socket did before it was through into the model.
func (w *world) early(s *socket, room string, joined, spoken <-chan gatewaytest.Answer) {
	var join gatewaytest.Joined
	var ack gatewaytest.Ack
	_, err := s.Await(w.ctx, joined, &join)
	if err == nil {
		_, err = s.Await(w.ctx, spoken, &ack)
	}
	if err != nil || !join.OK {
		w.failf("%s joins %q early: %+v, %v", s.name, room, join, err)
	}
	if _, in := s.since[room]; !in {
		s.since[room] = join.Head
	}
	w.acked(w.newMessage(s, w.marks, nil, "early", ""), ack)
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
	how := arrival{from: w.base, rooms: slices.Collect(maps.Values(w.rooms))}
	for i, who := range w.users {
		how.gateway = i % len(w.at)
		w.connectUser(who, how)
	}
	w.connectGuest(how)
	w.quiet()
}
