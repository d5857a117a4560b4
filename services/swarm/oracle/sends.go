package oracle

import (
	"fmt"
	"strings"

	"github.com/tidemark-chat/tidemark/services/swarm/history"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// answers checks what senders were answered.
func (c *check) answers() {
	for _, a := range c.run.Actors {
		for _, s := range a.Sends {
			for i := range s.Tries {
				if t := &s.Tries[i]; t.Answer != nil && t.Answer.OK {
					c.acked(a, s, i)
				}
			}
			c.agreeing(a, s)
			c.refused(a, s)
		}
	}
}

// acked checks one ack by the log.
func (c *check) acked(a *history.Actor, s *history.Send, try int) {
	t := s.Tries[try]
	lie := ""
	switch i, ok := c.at(t.Answer.Offset); {
	case !ok && t.Answer.Offset > c.log.Head:
		lie = fmt.Sprintf("The log ends at %d.", c.log.Head)
	case !ok:
		lie = "The log holds no message there."
	default:
		m := &c.log.Messages[i]
		if was := c.wasSent(a, s, m); was != "" {
			lie = "The log holds another message there: " + was + "."
		} else if m.ID != t.Answer.ID {
			lie = fmt.Sprintf("The log holds it under the id %s.", m.ID)
		}
	}
	if lie == "" {
		return
	}
	c.found.Add(AckedInLog, func() Finding {
		elsewhere := ""
		if at := c.stored[s.Content]; len(at) > 0 && c.log.Messages[at[0]].Offset != t.Answer.Offset {
			elsewhere = fmt.Sprintf(" It holds this one at %d.", c.log.Messages[at[0]].Offset)
		} else if len(at) == 0 {
			elsewhere = " It holds this one nowhere."
		}
		return Finding{
			Actor: a.Name, Connection: t.Connection, Offset: t.Answer.Offset,
			Text: fmt.Sprintf("%s was told at %s (%s) that its message %s is stored at %d (id %s). %s%s",
				a.Name, moment(t.Answer.At), place(a, t.Connection), quote(s.Content), t.Answer.Offset, t.Answer.ID, lie, elsewhere),
			Timeline: timelineOfSend(a, s, try),
		}
	})
}

// wasSent says in what a message of the log differs from what was sent; empty: in nothing.
func (c *check) wasSent(a *history.Actor, s *history.Send, m *Message) string {
	switch {
	case m.Content != s.Content:
		return fmt.Sprintf("%s of %s", quote(m.Content), person(m.From))
	case m.From != a.User:
		return "it is of " + person(m.From)
	case m.Username != a.Username: // a guest of a run takes no nickname
		return fmt.Sprintf("it is under the name %q, and its sender's is %q", m.Username, a.Username)
	case m.Conversation != s.Conversation || m.To != s.To:
		return fmt.Sprintf("it is in %s to %q, and was sent to %s to %q", m.Conversation, m.To, s.Conversation, s.To)
	case m.Key != s.Key:
		return fmt.Sprintf("its key is %q, and was %q", m.Key, s.Key)
	}
	return ""
}

// agreeing checks the acks of one message against each other.
func (c *check) agreeing(a *history.Actor, s *history.Send) {
	first := -1
	fresh := -1
	for i, t := range s.Tries {
		if t.Answer == nil || !t.Answer.OK {
			continue
		}
		if first >= 0 && boundToConnection(a.User, s.Key) && t.Connection != s.Tries[first].Connection {
			first, fresh = -1, -1 // under such a key it is another message there
		}
		switch {
		case first < 0:
			first = i
		case t.Answer.Offset != s.Tries[first].Answer.Offset || t.Answer.ID != s.Tries[first].Answer.ID:
			c.disagree(a, s, first, i, "Both acks must say the same.")
		case fresh >= 0 && !t.Answer.Duplicate:
			c.disagree(a, s, fresh, i, "Neither was said to be a duplicate, but it can have been stored anew only once.")
		}
		if !t.Answer.Duplicate {
			fresh = i
		}
	}
}

func (c *check) disagree(a *history.Actor, s *history.Send, one, other int, why string) {
	c.found.Add(Once, func() Finding {
		x, y := s.Tries[one], s.Tries[other]
		return Finding{
			Actor: a.Name, Connection: y.Connection, Offset: y.Answer.Offset,
			Text: fmt.Sprintf("%s was told at %s (%s) that its message %s is stored at %d (id %s), and at %s (%s) that it is stored at %d (id %s). %s",
				a.Name, moment(x.Answer.At), place(a, x.Connection), quote(s.Content), x.Answer.Offset, x.Answer.ID,
				moment(y.Answer.At), place(a, y.Connection), y.Answer.Offset, y.Answer.ID, why),
			Timeline: timelineOfSend(a, s, other),
		}
	})
}

// refused checks that what was only ever refused is not in the log.
func (c *check) refused(a *history.Actor, s *history.Send) {
	for _, t := range s.Tries {
		if t.Answer == nil || t.Answer.OK {
			return // it may have been stored
		}
	}
	at := c.stored[s.Content]
	if len(s.Tries) == 0 || len(at) == 0 {
		return
	}
	c.found.Add(RefusedNotStored, func() Finding {
		last := len(s.Tries) - 1
		t := s.Tries[last]
		return Finding{
			Actor: a.Name, Connection: t.Connection, Offset: c.log.Messages[at[0]].Offset,
			Text: fmt.Sprintf("%s was told at %s (%s) that its message %s is refused (%s). The log holds it at %d.",
				a.Name, moment(t.Answer.At), place(a, t.Connection), quote(s.Content), t.Answer.Code, c.log.Messages[at[0]].Offset),
			Timeline: timelineOfSend(a, s, last),
		}
	})
}

// once checks that the log holds no key and no message of the run twice.
func (c *check) once() {
	type key struct{ scope, key string }
	keys := make(map[key]int32)
	for i := range c.log.Messages {
		m := &c.log.Messages[i]
		k := key{c.scope(m), m.Key}
		if k.scope == "" || k.key == "" {
			continue
		}
		if first, ok := keys[k]; ok {
			c.twice(first, int32(i), fmt.Sprintf("the key %q of %s", m.Key, k.scope))
			continue
		}
		keys[k] = int32(i)
	}
	for _, a := range c.run.Actors {
		for _, s := range a.Sends {
			at := c.stored[s.Content]
			if n := copies(a, s); len(at) > n {
				c.twice(at[n-1], at[n], "the message "+quote(s.Content))
			}
		}
	}
}

// scope is where a message's key counts, as far as that is known.
func (c *check) scope(m *Message) string {
	switch {
	case !c.log.Observed:
		return m.Scope
	case m.From != "":
		return "user:" + m.From + "/" + m.Conversation.String()
	case !boundToConnection(m.From, m.Key):
		return "guest/" + m.Conversation.String()
	}
	return ""
}

func (c *check) twice(first, second int32, what string) {
	c.found.Add(Once, func() Finding {
		a, b := &c.log.Messages[first], &c.log.Messages[second]
		f := Finding{Connection: -1, Offset: b.Offset, Text: fmt.Sprintf("The log holds %s twice: at %d (%s of %s) and at %d (%s of %s).",
			what, a.Offset, quote(a.Content), person(a.From), b.Offset, quote(b.Content), person(b.From))}
		if by, ok := c.sends[b.Content]; ok {
			f.Actor, f.Timeline = by.actor.Name, timelineOfSend(by.actor, by.send, len(by.send.Tries)-1)
		}
		return f
	})
}

// storedAsSent checks that the log holds nothing of the run that nobody sent, or not so.
func (c *check) storedAsSent() {
	for i := range c.log.Messages {
		m := &c.log.Messages[i]
		if !c.ofRun(m.Content) {
			continue
		}
		by, ok := c.sends[m.Content]
		why := ""
		switch {
		case !ok:
			why = "Nobody of the run sent it."
		case len(by.send.Tries) == 0:
			why = by.actor.Name + " never sent it."
		default:
			if was := c.wasSent(by.actor, by.send, m); was != "" {
				why = "It was sent otherwise by " + by.actor.Name + ": " + was + "."
			}
		}
		if why != "" {
			c.invented(m, by, why)
		}
	}
}

func (c *check) invented(m *Message, by sent, why string) {
	c.found.Add(NothingInvented, func() Finding {
		f := Finding{Connection: -1, Offset: m.Offset, Text: fmt.Sprintf("The log holds at %d the message %s of %s in %s (id %s). %s",
			m.Offset, quote(m.Content), person(m.From), m.Conversation, m.ID, why)}
		if by.actor != nil {
			f.Actor, f.Timeline = by.actor.Name, timelineOfSend(by.actor, by.send, len(by.send.Tries)-1)
		}
		return f
	})
}

// boundToConnection reports whether a key is only good for the connection it came on: a guest's that does not begin with
// a Socket.IO id.
func boundToConnection(user, key string) bool {
	return user == "" && key != "" && !beginsWithSocketID(key)
}

// beginsWithSocketID reports whether a key has the form "<Socket.IO id>-…": 24 characters of base64url here, 20 by Node.js.
func beginsWithSocketID(key string) bool {
	for _, length := range []int{24, 20} {
		if len(key) > length && key[length] == '-' && strings.Trim(key[:length], socketIDCharacters) == "" {
			return true
		}
	}
	return false
}

const socketIDCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

// copies is how often a message may be stored: once, but under a key that is bound to its connection, once for each.
func copies(a *history.Actor, s *history.Send) int {
	if !boundToConnection(a.User, s.Key) {
		return 1
	}
	connections := make(map[int]bool)
	for _, t := range s.Tries {
		connections[t.Connection] = true
	}
	return max(1, len(connections))
}

// direct reports whether a conversation is between two.
func direct(c subject.Conversation) bool { return c.Kind == subject.DM }
