package crowd

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/client"
	"github.com/tidemark-chat/tidemark/services/swarm/history"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// speak sends a message to some conversation; it is false if there is nothing to say, or it must wait.
func (s *seat) speak() bool {
	m := s.m
	m.actor.Mu.Lock()
	p := s.compose()
	m.actor.Mu.Unlock()
	if p == nil {
		return false
	}
	s.try(p)
	if p.send.Key != "" {
		for range m.p.repeats - 1 {
			m.anySeat().try(p)
		}
	}
	return true
}

// compose makes a message and puts it into the outbox. It is nil if there is nothing to say. Under Mu.
func (s *seat) compose() *pending {
	m := s.m
	if m.c.quiet.Load() || s.line == nil || !s.line.caughtUp || len(m.outbox) >= maxOutbox {
		return nil
	}
	c, to, ok := s.target()
	if !ok {
		return nil
	}
	m.made++
	send := &history.Send{
		Conversation: c, To: to, Key: m.newKey(s.line.record.SocketID),
		Content: content(m.c.run.ID, m.actor.Name, m.made, m.c.since(), m.c.Size),
	}
	p := &pending{send: send, payload: payload(send)}
	p.once = send.Key == ""
	p.bound = p.once || strings.HasPrefix(send.Key, unbornKey)
	m.outbox = append(m.outbox, p)
	if m.c.Record {
		m.actor.Sends = append(m.actor.Sends, send)
	}
	return p
}

// target is where to say something. Under Mu.
func (s *seat) target() (c subject.Conversation, to string, ok bool) {
	m := s.m
	if !m.p.user {
		return subject.General, "", true
	}
	if len(s.rooms) == 0 || m.rng.Float64() < directPart {
		to = m.c.people.pick(m.rng.Uint64())
		return pair(m.actor.User, to), to, to != ""
	}
	return subject.Conversation{Kind: subject.Room, Name: s.rooms[m.rng.IntN(len(s.rooms))]}, "", true
}

// payload is the event that sends a message.
func payload(s *history.Send) []byte {
	fields := map[string]any{"content": s.Content}
	if s.Key != "" {
		fields["clientOffset"] = s.Key
	}
	switch {
	case s.To != "":
		fields["to"] = s.To
		return client.Payload("private message", fields)
	case s.Conversation != subject.General:
		fields["room"] = s.Conversation.Name
		return client.Payload("room message", fields)
	case s.Key != "":
		return client.Payload("chat message", s.Content, s.Key)
	}
	return client.Payload("chat message", s.Content)
}

// try sends a message over the seat's connection, if there is one.
func (s *seat) try(p *pending) {
	m := s.m
	m.actor.Mu.Lock()
	conn, l := s.conn, s.line
	if conn == nil || p.bound && p.over != nil && p.over != conn { // the connection may have become another just now
		m.actor.Mu.Unlock()
		return
	}
	at := m.c.since()
	number := len(p.send.Tries)
	p.send.Tries = append(p.send.Tries, history.Try{Connection: l.number, At: at})
	p.over, p.tried = conn, time.Now()
	l.waiting++
	m.c.Meter.Sent.Add(1)
	m.actor.Mu.Unlock()
	// An error here is the connection's end, of which the seat hears by itself.
	_ = conn.Ask(p.payload, func(args []byte) { s.answered(l, p, number, at, args) })
}

// ack is what a message is answered with.
type ack struct {
	OK        *bool  `json:"ok"`
	Offset    uint64 `json:"offset"`
	ID        string `json:"id"`
	Duplicate bool   `json:"duplicate"`
	Error     struct {
		Code         string `json:"code"`
		RetryAfterMs int    `json:"retryAfterMs"`
	} `json:"error"`
}

// readAck reads the answer to a message; ok is false if it is none.
func readAck(args []byte) (a ack, ok bool) {
	all := []*ack{&a}
	err := json.Unmarshal(args, &all)
	return a, err == nil && len(all) == 1 && a.OK != nil && (*a.OK || a.Error.Code != "") && (!*a.OK || a.Offset > 0 && a.ID != "")
}

// answered takes an ack, on the connection's reader goroutine.
func (s *seat) answered(l *line, p *pending, number int, sent time.Duration, args []byte) {
	m := s.m
	a, ok := readAck(args)
	m.actor.Mu.Lock()
	defer m.actor.Mu.Unlock()
	l.waiting--
	if !ok {
		s.note(l, history.Entry{Kind: history.Malformed, Text: "an ack that is none: " + string(args[:min(len(args), 300)])})
		return
	}
	now := m.c.since()
	p.send.Tries[number].Answer = &history.Answer{At: now, OK: *a.OK, Offset: a.Offset, ID: a.ID, Duplicate: a.Duplicate, Code: a.Error.Code}
	switch {
	case *a.OK:
		m.c.Meter.Ack(now - sent)
		m.c.Meter.Acked.Add(1)
		if a.Duplicate {
			m.c.Meter.Duplicates.Add(1)
		}
		m.c.reach(a.Offset)
		m.done(p.send)
	case a.Error.Code == "rate_limited":
		m.c.Meter.Rejected.Add(1)
		p.rest = time.Now().Add(time.Duration(a.Error.RetryAfterMs) * time.Millisecond)
		p.over = nil
		if p.once {
			m.done(p.send)
		}
	default:
		m.c.Meter.Rejected.Add(1)
		m.done(p.send)
		left := m.p.roams && a.Error.Code == "forbidden" && p.send.To == "" // the room, perhaps just now
		if !m.p.hostile && !left {
			s.note(l, history.Entry{Kind: history.Malformed, Text: "a message that must be accepted was refused: " + string(args)})
		}
	}
}

// roam joins a room, or leaves one.
func (s *seat) roam() {
	m := s.m
	m.actor.Mu.Lock()
	conn, l := s.conn, s.line
	if m.c.quiet.Load() || conn == nil || s.moving || !l.caughtUp || m.c.Rooms == 0 {
		m.actor.Mu.Unlock()
		return
	}
	s.moving = true
	name := room(m.rng.IntN(m.c.Rooms))
	leave := slices.Contains(s.rooms, name)
	event, asked := "room join", history.JoinAsked
	if leave {
		event, asked = "room leave", history.LeaveAsked
		s.rooms = slices.DeleteFunc(s.rooms, func(r string) bool { return r == name })
	}
	s.note(l, history.Entry{Kind: asked, Room: name})
	m.actor.Mu.Unlock()
	_ = conn.Ask(client.Payload(event, map[string]string{"room": name}), func(args []byte) { s.moved(l, name, leave, args) })
}

// moved takes the answer to a join or leave.
func (s *seat) moved(l *line, name string, leave bool, args []byte) {
	m := s.m
	var all []struct {
		OK    bool
		Room  string
		Head  uint64
		Error struct{ Code string }
	}
	err := json.Unmarshal(args, &all)
	m.actor.Mu.Lock()
	defer m.actor.Mu.Unlock()
	if s.line == l {
		s.moving = false
	}
	switch {
	case err != nil || len(all) != 1:
		s.note(l, history.Entry{Kind: history.Malformed, Text: "an answer to a join or leave that is none: " + string(args)})
	case !all[0].OK:
		s.refusedToMove(l, name, leave, all[0].Error.Code)
	case leave:
		s.note(l, history.Entry{Kind: history.Left, Room: name})
	default:
		s.note(l, history.Entry{Kind: history.Joined, Room: name, Offset: all[0].Head})
		if s.line == l {
			s.rooms = append(s.rooms, name)
		}
	}
}

// refusedToMove takes the refusal of a join or leave. Under Mu.
func (s *seat) refusedToMove(l *line, name string, leave bool, code string) {
	kind := history.JoinRefused
	if leave {
		kind = history.LeaveRefused
		if s.line == l {
			s.rooms = append(s.rooms, name)
		}
	}
	s.note(l, history.Entry{Kind: kind, Room: name, Text: code})
	if code != "rate_limited" {
		s.note(l, history.Entry{Kind: history.Malformed, Text: fmt.Sprintf("to join or leave %q was refused: %s", name, code)})
	}
}
