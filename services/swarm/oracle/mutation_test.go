package oracle_test

import (
	"cmp"
	"slices"
	"testing"

	"github.com/tidemark-chat/tidemark/services/swarm/history"
	"github.com/tidemark-chat/tidemark/services/swarm/oracle"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// mutation breaks one promise in a history that is in order. It returns what must be found, or nil where the history has
// no place for it. A Connection of -1 and an Offset of 0 mean any.
type mutation struct {
	name  string
	spoil func(w *world) *oracle.Finding
}

func TestEveryBrokenPromiseIsFound(t *testing.T) {
	const seeds, enough = 20, 5
	for _, m := range slices.Concat(deliveries, claims, storages) {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			broken := 0
			for seed := range uint64(seeds) {
				w := newWorld(seed, 300)
				want := m.spoil(w)
				if want == nil {
					continue
				}
				broken++
				slices.SortFunc(w.log.Messages, func(a, b oracle.Message) int { return cmp.Compare(a.Offset, b.Offset) })
				found := oracle.Check(w.run, w.log, quiet)
				if !slices.ContainsFunc(found, func(f oracle.Finding) bool { return fits(f, want) }) {
					t.Fatalf("seed %d: want %s of %q at %d on connection %d, found:\n%s",
						seed, want.Rule, want.Actor, want.Offset, want.Connection, tell(found))
				}
			}
			if broken < enough {
				t.Errorf("only %d of %d histories had a place for it", broken, seeds)
			}
		})
	}
}

func fits(f oracle.Finding, want *oracle.Finding) bool {
	return f.Rule == want.Rule && f.Actor == want.Actor && f.Text != "" &&
		(want.Connection < 0 || f.Connection == want.Connection) && (want.Offset == 0 || f.Offset == want.Offset)
}

// spot is an entry of a connection.
type spot struct {
	*wire
	i int
}

func (s spot) entry() *history.Entry { return &s.Entries[s.i] }

func (s spot) finding(rule oracle.Rule, offset uint64) *oracle.Finding {
	return &oracle.Finding{Rule: rule, Actor: s.actor.Name, Connection: s.number, Offset: offset}
}

func (s spot) remove() { s.Entries = slices.Delete(s.Entries, s.i, s.i+1) }

// spots are the entries that fit, of all connections.
func (w *world) spots(fits func(spot) bool) (all []spot) {
	for _, l := range w.lines {
		for i := range l.Entries {
			if s := (spot{l, i}); fits(s) {
				all = append(all, s)
			}
		}
	}
	return all
}

// at breaks something at one of the entries that fit.
func at(fits func(*world, spot) bool, do func(*world, spot) *oracle.Finding) func(*world) *oracle.Finding {
	return func(w *world) *oracle.Finding {
		spots := w.spots(func(s spot) bool { return fits(w, s) })
		if len(spots) == 0 {
			return nil
		}
		return do(w, pick(w, spots))
	}
}

func received(_ *world, s spot) bool { return s.entry().Kind == history.Received }

func both(a, b func(*world, spot) bool) func(*world, spot) bool {
	return func(w *world, s spot) bool { return a(w, s) && b(w, s) }
}

// owed reports whether a message had to come: not one's own direct message, which may have come over this connection,
// nor one of a room that the client was leaving, nor the first one where it is not known where the connection begins.
func owed(w *world, s spot) bool {
	if !received(w, s) || !s.told {
		return false
	}
	m := s.entry().Message
	return !(m.Conversation.Kind == subject.DM && m.From == s.actor.User) && !s.asked(m.Conversation.Name, s.i, history.LeaveAsked)
}

// asked reports whether a client had asked for something of a room before an entry.
func (l *wire) asked(room string, before int, kind history.Kind) bool {
	return slices.ContainsFunc(l.Entries[:before], func(e history.Entry) bool { return e.Kind == kind && e.Room == room })
}

// later reports whether another message came after an entry.
func later(w *world, s spot) bool {
	return slices.ContainsFunc(s.Entries[s.i+1:], func(e history.Entry) bool { return e.Kind == history.Received })
}

// change alters a message for one receiver.
func change(s spot, alter func(*history.Message)) *oracle.Finding {
	m := *s.entry().Message
	alter(&m)
	s.entry().Message = &m
	return s.finding(oracle.AsInLog, m.Offset)
}

// leak sends a message of the log over a connection that it is not for, in its place by the offset.
func (w *world) leak(rule oracle.Rule, fits func(l *wire, m *oracle.Message) bool) *oracle.Finding {
	for range 2000 {
		l, m := pick(w, w.lines), pick(w, w.log.Messages)
		if l.told && fits(l, &m) {
			return l.insert(&m).finding(rule, m.Offset)
		}
	}
	return nil
}

// insert puts a message where its offset belongs.
func (l *wire) insert(m *oracle.Message) spot {
	i := slices.IndexFunc(l.Entries, func(e history.Entry) bool {
		return e.Kind == history.Received && e.Message.Offset > m.Offset ||
			e.Kind == history.Recovered && e.Recovery.Head >= m.Offset || e.Kind == history.Watermark && e.Offset >= m.Offset
	})
	if i < 0 {
		i = len(l.Entries)
	}
	return l.insertAt(i, m)
}

func (l *wire) insertAt(i int, m *oracle.Message) spot {
	e := history.Entry{Kind: history.Received, Message: l.sees(m), At: l.Opened}
	if i > 0 {
		e.At = l.Entries[i-1].At
	}
	l.Entries = slices.Insert(l.Entries, i, e)
	return spot{l, i}
}

// has reports whether a message came over a connection.
func (l *wire) has(m *oracle.Message) bool {
	return slices.ContainsFunc(l.Entries, func(e history.Entry) bool {
		return e.Kind == history.Received && e.Message.Offset == m.Offset
	})
}

// mentions reports whether a room is anything to a connection.
func (l *wire) mentions(room string) bool {
	return slices.Contains(l.Rooms, room) || l.actor.User == "" && room == "general" || l.asked(room, len(l.Entries), history.JoinAsked)
}

// deliveries are faults in what is sent to whom.
var deliveries = []mutation{
	{"a message is not delivered", at(both(owed, later), func(w *world, s spot) *oracle.Finding {
		f := s.finding(oracle.Complete, s.entry().Message.Offset)
		s.remove()
		return f
	})},
	{"a message comes twice at once", at(received, func(w *world, s spot) *oracle.Finding {
		s.Entries = slices.Insert(s.Entries, s.i+1, *s.entry())
		return s.finding(oracle.Ascending, s.entry().Message.Offset)
	})},
	{"a message comes twice, much later", at(received, func(w *world, s spot) *oracle.Finding {
		s.add(*s.entry())
		return s.finding(oracle.Ascending, s.entry().Message.Offset)
	})},
	{"two messages are swapped", at(
		func(w *world, s spot) bool {
			return received(w, s) && s.i+1 < len(s.Entries) && received(w, spot{s.wire, s.i + 1})
		},
		func(w *world, s spot) *oracle.Finding {
			f := s.finding(oracle.Ascending, s.entry().Message.Offset)
			s.Entries[s.i], s.Entries[s.i+1] = s.Entries[s.i+1], s.Entries[s.i]
			return f
		})},
	{"a content is altered", at(received, func(w *world, s spot) *oracle.Finding {
		return change(s, func(m *history.Message) { m.Content += "!" })
	})},
	{"an id is altered", at(received, func(w *world, s spot) *oracle.Finding {
		return change(s, func(m *history.Message) { m.ID = "other" })
	})},
	{"a time is altered", at(received, func(w *world, s spot) *oracle.Finding {
		return change(s, func(m *history.Message) { m.At = "1999-01-01T00:00:00.000Z" })
	})},
	{"a sender is altered", at(received, func(w *world, s spot) *oracle.Finding {
		return change(s, func(m *history.Message) { m.From += "x" })
	})},
	{"a name is altered", at(received, func(w *world, s spot) *oracle.Finding {
		return change(s, func(m *history.Message) { m.Username += "x" })
	})},
	{"a message comes under another offset", at(received, func(w *world, s spot) *oracle.Finding {
		return change(s, func(m *history.Message) { m.Offset = w.log.Head + 7 })
	})},
	{"a key is told to others", at(
		func(w *world, s spot) bool { return received(w, s) && s.entry().Message.Key == "" },
		func(w *world, s spot) *oracle.Finding {
			return change(s, func(m *history.Message) { m.Key = "k" })
		})},
	{"a key is kept from its sender", at(
		func(w *world, s spot) bool { return received(w, s) && s.entry().Message.Key != "" },
		func(w *world, s spot) *oracle.Finding { return change(s, func(m *history.Message) { m.Key = "" }) })},
	{"a direct message between others", func(w *world) *oracle.Finding {
		return w.leak(oracle.Private, func(l *wire, m *oracle.Message) bool {
			return m.To != "" && m.To != l.actor.User && m.From != l.actor.User
		})
	}},
	{"a message of a room that it was never in", func(w *world) *oracle.Finding {
		return w.leak(oracle.Private, func(l *wire, m *oracle.Message) bool { return m.To == "" && !l.mentions(m.Conversation.Name) })
	}},
	{"a message of a room that it has left", at(
		func(w *world, s spot) bool {
			room, since := s.entry().Room, s.i
			for since > 0 && (s.Entries[since].Kind != history.LeaveAsked || s.Entries[since].Room != room) {
				since--
			}
			return s.entry().Kind == history.Left &&
				!slices.ContainsFunc(s.Entries[since:], func(e history.Entry) bool { return e.Kind == history.JoinAsked && e.Room == room })
		},
		func(w *world, s spot) *oracle.Finding {
			for _, m := range w.log.Messages {
				if m.Conversation == in(s.entry().Room) && !s.has(&m) {
					s.insertAt(len(s.Entries), &m)
					return s.finding(oracle.Private, m.Offset)
				}
			}
			return nil
		})},
	{"a message of a room that it was refused", func(w *world) *oracle.Finding {
		return w.leak(oracle.Private, func(l *wire, m *oracle.Message) bool {
			room := m.Conversation.Name
			return m.To == "" && l.asked(room, len(l.Entries), history.JoinRefused) && !l.asked(room, len(l.Entries), history.Joined) &&
				!slices.Contains(l.Rooms, room) && (l.actor.User != "" || room != "general") && !l.waits()
		})
	}},
	{"a message of a room that it was not let out of", at(
		func(w *world, s spot) bool {
			if !received(w, s) || !s.told || !later(w, s) || s.entry().Message.To != "" {
				return false
			}
			room := s.entry().Message.Conversation.Name
			return s.asked(room, s.i, history.LeaveRefused) && !s.asked(room, len(s.Entries), history.Left) && !s.waits()
		},
		func(w *world, s spot) *oracle.Finding {
			f := s.finding(oracle.Complete, s.entry().Message.Offset)
			s.remove()
			return f
		})},
	{"a join or leave that is never answered", at(
		func(w *world, s spot) bool {
			switch s.entry().Kind {
			case history.Joined, history.Left, history.JoinRefused, history.LeaveRefused:
				return s.Closed == 0
			}
			return false
		},
		func(w *world, s spot) *oracle.Finding {
			s.remove()
			return s.finding(oracle.Contract, 0)
		})},
	{"a message of before a join", func(w *world) *oracle.Finding {
		spots := w.spots(func(s spot) bool {
			e := s.entry()
			return e.Kind == history.Joined && !slices.Contains(s.Rooms, e.Room) && (s.actor.User != "" || e.Room != "general") &&
				!s.asked(e.Room, s.i, history.Joined)
		})
		for _, s := range spots {
			for _, m := range w.log.Messages {
				if m.Conversation == in(s.entry().Room) && m.Offset <= s.entry().Offset {
					s.insertAt(s.i+1, &m)
					return s.finding(oracle.Complete, m.Offset)
				}
			}
		}
		return nil
	}},
	{"a message of before the beginning", func(w *world) *oracle.Finding {
		return w.leak(oracle.Complete, func(l *wire, m *oracle.Message) bool {
			return m.Offset <= l.from && (m.To == "" && slices.Contains(l.Rooms, m.Conversation.Name) || m.To != "" && m.To == l.actor.User)
		})
	}},
	{"the last message is lost", at(
		func(w *world, s spot) bool { return owed(w, s) && s.Closed == 0 && s.i == len(s.Entries)-1 },
		func(w *world, s spot) *oracle.Finding {
			f := s.finding(oracle.Reached, s.entry().Message.Offset)
			s.remove()
			return f
		})},
	{"somebody does not come back", func(w *world) *oracle.Finding {
		for _, l := range w.open() {
			if l.actor.Name == "user-0" {
				w.close(l)
			}
		}
		return &oracle.Finding{Rule: oracle.Reached, Actor: "user-0", Connection: -1}
	}},
	{"an own direct message comes back", func(w *world) *oracle.Finding {
		return w.leak(oracle.Complete, func(l *wire, m *oracle.Message) bool { return w.sentOver(l, m, true) && m.Offset > l.from })
	}},
	{"an own direct message is kept from the other tab", at(
		func(w *world, s spot) bool {
			if !received(w, s) || !s.told || !later(w, s) {
				return false
			}
			i := slices.IndexFunc(w.log.Messages, func(m oracle.Message) bool { return m.Offset == s.entry().Message.Offset })
			return w.sentOver(s.wire, &w.log.Messages[i], false)
		},
		func(w *world, s spot) *oracle.Finding {
			f := s.finding(oracle.Complete, s.entry().Message.Offset)
			s.remove()
			return f
		})},
	{"something breaks the contract", at(received, func(w *world, s spot) *oracle.Finding {
		s.Entries = slices.Insert(s.Entries, s.i, history.Entry{At: s.entry().At, Kind: history.Malformed, Text: "an offset of -1"})
		return s.finding(oracle.Contract, 0)
	})},
}

// waits reports whether a connection ended before it was answered.
func (l *wire) waits() bool { return len(l.waiting) > 0 }

// sentOver reports whether a message is a direct one of a connection's user all of whose tries went over it, or none.
func (w *world) sentOver(l *wire, m *oracle.Message, all bool) bool {
	if m.To == "" || m.From != l.actor.User {
		return false
	}
	for _, s := range l.actor.Sends {
		if s.Content == m.Content {
			return !slices.ContainsFunc(s.Tries, func(t history.Try) bool { return (t.Connection == l.number) != all })
		}
	}
	return false
}
