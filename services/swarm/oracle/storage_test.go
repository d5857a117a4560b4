package oracle_test

import (
	"slices"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/history"
	"github.com/tidemark-chat/tidemark/services/swarm/oracle"
)

func (w *world) copies(content string) (n int) {
	for _, m := range w.log.Messages {
		if m.Content == content {
			n++
		}
	}
	return n
}

// post is a stored message of the run with what its sender knows of it.
type post struct {
	actor *history.Actor
	send  *history.Send
	place int // in the log
}

// posts are the stored messages of the run that fit, but those that are stored more than once under a guest's key.
func (w *world) posts(fits func(p post) bool) (all []post) {
	for _, a := range w.run.Actors {
		for _, s := range a.Sends {
			i := slices.IndexFunc(w.log.Messages, func(m oracle.Message) bool { return m.Content == s.Content })
			if i >= 0 && w.copies(s.Content) == 1 && fits(post{a, s, i}) {
				all = append(all, post{a, s, i})
			}
		}
	}
	return all
}

// of breaks something about one of the stored messages that fit.
func of(fits func(post) bool, do func(w *world, p post) *oracle.Finding) func(*world) *oracle.Finding {
	return func(w *world) *oracle.Finding {
		if all := w.posts(fits); len(all) > 0 {
			return do(w, pick(w, all))
		}
		return nil
	}
}

// ok is the first try that was acked, or -1.
func (p post) ok() int {
	return slices.IndexFunc(p.send.Tries, func(t history.Try) bool { return t.Answer != nil && t.Answer.OK })
}

func acked(p post) bool { return p.ok() >= 0 }

func ackedAtOnce(p post) bool { return acked(p) && len(p.send.Tries) == 1 }

func stored(post) bool { return true }

func (p post) finding(rule oracle.Rule, offset uint64) *oracle.Finding {
	return &oracle.Finding{Rule: rule, Actor: p.actor.Name, Connection: -1, Offset: offset}
}

// misack alters an ack.
func misack(alter func(w *world, a *history.Answer)) func(*world) *oracle.Finding {
	return of(acked, func(w *world, p post) *oracle.Finding {
		a := p.send.Tries[p.ok()].Answer
		alter(w, a)
		return p.finding(oracle.AckedInLog, a.Offset)
	})
}

// restore alters a message in the log.
func restore(rule oracle.Rule, alter func(m *oracle.Message)) func(*world) *oracle.Finding {
	return of(acked, func(w *world, p post) *oracle.Finding {
		alter(&w.log.Messages[p.place])
		return p.finding(rule, w.log.Messages[p.place].Offset)
	})
}

// ackedAgain adds a try that is acked.
func ackedAgain(alter func(a *history.Answer)) func(*world) *oracle.Finding {
	return of(acked, func(w *world, p post) *oracle.Finding {
		t := p.send.Tries[p.ok()]
		a := *t.Answer
		t.At, a.At, a.Duplicate = w.tick(), w.tick(), true
		t.Answer = &a
		alter(&a)
		p.send.Tries = append(p.send.Tries, t)
		return p.finding(oracle.Once, a.Offset)
	})
}

// storages are faults in what is acked and stored.
var storages = []mutation{
	{"an ack with the next offset", misack(func(w *world, a *history.Answer) { a.Offset++ })},
	{"an ack with another message's offset", misack(func(w *world, a *history.Answer) {
		was := a.Offset
		for a.Offset == was {
			a.Offset = pick(w, w.log.Messages).Offset
		}
	})},
	{"an ack beyond the log", misack(func(w *world, a *history.Answer) { a.Offset = w.log.Head + 1 })},
	{"an ack with another id", misack(func(w *world, a *history.Answer) { a.ID = "other" })},
	{"an acked message that is not in the log", of(acked, func(w *world, p post) *oracle.Finding {
		f := p.finding(oracle.AckedInLog, w.log.Messages[p.place].Offset)
		w.log.Messages = slices.Delete(w.log.Messages, p.place, p.place+1)
		return f
	})},
	{"a content stored otherwise", restore(oracle.AckedInLog, func(m *oracle.Message) { m.Content += "!" })},
	{"a message stored in another room", restore(oracle.AckedInLog, func(m *oracle.Message) { m.Conversation, m.To = in("other"), "" })},
	{"a message stored under another key", restore(oracle.AckedInLog, func(m *oracle.Message) { m.Key += "!" })},
	{"a message stored as somebody else's", restore(oracle.NothingInvented, func(m *oracle.Message) { m.From += "x" })},
	{"a message stored under another name", restore(oracle.AckedInLog, func(m *oracle.Message) { m.Username += "x" })},
	{"a message of the run under another name", restore(oracle.NothingInvented, func(m *oracle.Message) { m.Username = "x" })},
	{"a message that nobody sent", func(w *world) *oracle.Finding {
		w.append(&oracle.Message{Message: history.Message{Conversation: in("a"), Content: runID + " out of nowhere"}})
		return &oracle.Finding{Rule: oracle.NothingInvented, Connection: -1, Offset: w.log.Head}
	}},
	{"a key stored twice", of(func(p post) bool { return p.send.Key != "" }, func(w *world, p post) *oracle.Finding {
		m := w.log.Messages[p.place]
		m.Content = "something else"
		w.append(&m)
		return &oracle.Finding{Rule: oracle.Once, Connection: -1, Offset: w.log.Head}
	})},
	{"a message stored twice", of(func(p post) bool { return len(p.send.Tries) == 1 }, func(w *world, p post) *oracle.Finding {
		m := w.log.Messages[p.place]
		m.Key, m.Scope = "", ""
		w.append(&m)
		return p.finding(oracle.Once, w.log.Head)
	})},
	{"an ack that disagrees in its offset", ackedAgain(func(a *history.Answer) { a.Offset++ })},
	{"an ack that disagrees in its id", ackedAgain(func(a *history.Answer) { a.ID = "other" })},
	{"two acks of which none is a duplicate", of(
		func(p post) bool { return acked(p) && !p.send.Tries[p.ok()].Answer.Duplicate },
		func(w *world, p post) *oracle.Finding {
			t := p.send.Tries[p.ok()]
			again := *t.Answer
			t.Answer = &again
			p.send.Tries = append(p.send.Tries, t)
			return p.finding(oracle.Once, again.Offset)
		})},
	{"a refused message that is stored", of(stored, func(w *world, p post) *oracle.Finding {
		for i := range p.send.Tries {
			p.send.Tries[i].Answer = &history.Answer{At: w.tick(), Code: "forbidden"}
		}
		return p.finding(oracle.RefusedNotStored, w.log.Messages[p.place].Offset)
	})},
	{"a message that overtakes an acked one", of(ackedAtOnce, func(w *world, p post) *oracle.Finding {
		// Another one of the conversation stands before it, and is now sent only after its ack.
		before := w.posts(func(o post) bool {
			return o.place < p.place && o.send.Conversation == p.send.Conversation && len(o.send.Tries) == 1
		})
		if len(before) == 0 {
			return nil
		}
		o := before[0]
		at := w.tick()
		for i := range p.send.Tries {
			if a := p.send.Tries[i].Answer; a != nil && a.OK {
				at = max(at, a.At)
			}
		}
		for i := range o.send.Tries {
			o.send.Tries[i].At = at + time.Duration(i+1)*time.Millisecond
			if a := o.send.Tries[i].Answer; a != nil {
				a.At = o.send.Tries[i].At + 1
			}
		}
		return o.finding(oracle.RealTimeOrder, w.log.Messages[o.place].Offset)
	})},
}
