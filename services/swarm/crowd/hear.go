package crowd

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/history"
)

// beginning is how each connection of a user begins.
var beginning = []string{"session", "users"}

// hear takes an event as a page does, on the connection's reader goroutine.
func (s *seat) hear(l *line, payload []byte) {
	m := s.m
	f := m.c.frames.read(payload, m.c.run.ID)
	now := m.c.since()
	m.actor.Mu.Lock()
	defer m.actor.Mu.Unlock()
	l.heard++
	m.c.Meter.Bytes.Add(int64(len(payload)))
	if m.p.user && l.heard <= len(beginning) && f.name != beginning[l.heard-1] {
		s.note(l, history.Entry{Kind: history.Malformed, Text: fmt.Sprintf("event %d of a user's connection is %q, want %q", l.heard, f.name, beginning[l.heard-1])})
	}
	if f.malformed == nil && f.message != nil {
		l.replayed = true
		s.note(l, history.Entry{Kind: history.Received, Offset: f.message.Offset, Message: f.message})
		s.move(f.message.Offset)
		m.c.Meter.Received.Add(1)
		if l.caughtUp && f.ours {
			m.c.Meter.Delivery(now - f.sent)
		}
		return
	}
	err := f.malformed
	if err == nil {
		err = s.other(l, f)
	}
	if err != nil {
		s.note(l, history.Entry{Kind: history.Malformed, Text: err.Error()})
	}
}

// move brings the cursor forward. Under Mu.
func (s *seat) move(offset uint64) {
	if s.cursor == nil || offset > *s.cursor {
		s.cursor = &offset
	}
}

// other takes an event that is no message. Under Mu.
func (s *seat) other(l *line, f *frame) error {
	switch f.name {
	case "session":
		if !s.m.p.user {
			return errors.New("a guest was sent a session")
		}
		return s.introduce(f)
	case "users":
		return s.list(f)
	case "user connected", "user disconnected":
		if !s.m.p.user {
			return fmt.Errorf("a guest was sent %q", f.name)
		}
	case "typing", "stop typing": // others may be there who type
	case "replay":
		return l.announced(f)
	case "recovery":
		return s.recovered(l, f)
	case "watermark":
		var w struct{ Offset *uint64 }
		if err := first(f, &w); err != nil || w.Offset == nil {
			return fmt.Errorf("a watermark without an offset: %s", f.args)
		}
		s.note(l, history.Entry{Kind: history.Watermark, Offset: *w.Offset})
		s.move(*w.Offset)
	default:
		return fmt.Errorf("%q was sent to one who did nothing for it", f.name)
	}
	return nil
}

// list takes the list of users, whose messages must be one's own. Under Mu.
func (s *seat) list(f *frame) error {
	if !s.m.p.user {
		return errors.New("a guest was sent the list of users")
	}
	if !s.m.c.Record {
		return nil
	}
	var users []struct {
		UserID   string
		Messages []struct{ From, To string }
	}
	if err := first(f, &users); err != nil {
		return fmt.Errorf("the list of users: %w", err)
	}
	self := false
	for _, u := range users {
		self = self || u.UserID == s.m.actor.User
		for _, message := range u.Messages {
			if message.From != s.m.actor.User && message.To != s.m.actor.User {
				return fmt.Errorf("the list of users shows a message from %s to %s", message.From, message.To)
			}
		}
	}
	if !self {
		return errors.New("the list of users does not show oneself")
	}
	return nil
}

// first reads the first argument.
func first(f *frame, into any) error {
	if len(f.args) == 0 {
		return fmt.Errorf("%q without an argument", f.name)
	}
	return json.Unmarshal(f.args[0], into)
}

func (s *seat) introduce(f *frame) error {
	m := s.m
	var told struct{ SessionID, UserID string }
	if err := first(f, &told); err != nil || told.SessionID == "" || told.UserID == "" {
		return fmt.Errorf("a session without its ids: %v", err)
	}
	if m.session != "" {
		if m.session != told.SessionID || m.actor.User != told.UserID {
			return fmt.Errorf("the session is another: user %q, was %q", told.UserID, m.actor.User)
		}
		return nil
	}
	m.session, m.actor.User = told.SessionID, told.UserID
	m.c.people.add(told.UserID)
	close(m.known)
	return nil
}

// longReplay is how many offsets a replay that is announced is longer than.
const longReplay = 1000

// announced takes the event before a long replay, which comes once and first.
func (l *line) announced(f *frame) error {
	var r struct{ From, Head *uint64 }
	if err := first(f, &r); err != nil || r.From == nil || r.Head == nil {
		return fmt.Errorf("a replay without its offsets: %s", f.args)
	}
	if *r.Head <= *r.From+longReplay {
		return fmt.Errorf("a replay was announced that is not long: %s", f.args)
	}
	if l.replayed || l.caughtUp {
		return fmt.Errorf("a replay was announced after it had begun, or twice: %s", f.args)
	}
	l.replayed = true
	return nil
}

func (s *seat) recovered(l *line, f *frame) error {
	r := &history.Recovery{}
	if err := first(f, r); err != nil {
		return fmt.Errorf("recovery: %w", err)
	}
	s.note(l, history.Entry{Kind: history.Recovered, Offset: r.Head, Recovery: r})
	s.m.c.Meter.Recoveries.Add(1)
	if l.record.From != nil {
		s.m.c.Meter.Recovery(time.Since(l.dialled))
	}
	s.epoch = r.Epoch
	s.m.c.epochs.add(l.record.Gateway, r.Epoch)
	if !r.Recovered {
		s.cursor = nil // what it had is of no use
	}
	s.move(r.Head)
	l.caughtUp, s.arrived = true, true
	return nil
}
