package crowd

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/history"
)

// hear takes an event as a page does, on the connection's reader goroutine.
func (s *seat) hear(l *line, payload []byte) {
	m := s.m
	f := m.c.frames.read(payload, m.c.run.ID)
	now := m.c.since()
	m.actor.Mu.Lock()
	defer m.actor.Mu.Unlock()
	l.heard++
	if f.malformed == nil && f.message != nil {
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
	m := s.m
	if m.p.user && l.heard <= 2 {
		if want := []string{"session", "users"}[l.heard-1]; f.name != want {
			return fmt.Errorf("event %d of a user's connection is %q, want %q", l.heard, f.name, want)
		}
	}
	switch f.name {
	case "session":
		return s.introduce(f)
	case "recovery":
		return s.recovered(l, f)
	case "watermark":
		var w struct{ Offset *uint64 }
		if err := first(f, &w); err != nil || w.Offset == nil {
			return fmt.Errorf("a watermark without an offset: %s", f.args)
		}
		s.note(l, history.Entry{Kind: history.Watermark, Offset: *w.Offset})
		s.move(*w.Offset)
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
	if !r.Recovered {
		s.cursor = nil // what it had is of no use
	}
	s.move(r.Head)
	l.caughtUp = true
	return nil
}
