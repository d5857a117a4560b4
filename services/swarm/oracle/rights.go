package oracle

import (
	"fmt"
	"strings"

	"github.com/tidemark-chat/tidemark/services/swarm/history"
)

// debt is whether a message of its conversations is sent to a connection.
type debt uint8

const (
	required debt = iota
	optional
	forbidden
)

// owed says whether a direct message from or to its user goes to the connection: one's own goes to all connections but
// the one that it came from.
func (w *walk) owed(m *history.Message) debt {
	by, ok := w.sends[m.Content]
	if !ok || m.From != w.actor.User || by.actor != w.actor {
		return required
	}
	here, elsewhere := false, false
	for _, t := range by.send.Tries {
		here = here || t.Connection == w.number
		elsewhere = elsewhere || t.Connection != w.number
	}
	switch {
	case !here:
		return required
	case elsewhere:
		return optional // it is not known which of them was stored
	}
	return forbidden
}

// mayBeSent checks that a message that came is for the connection.
func (w *walk) mayBeSent(i int, m *history.Message) {
	if !direct(m.Conversation) {
		w.mayBeSentOfRoom(i, m)
		return
	}
	switch {
	case w.actor.User == "" || m.From != w.actor.User && m.To != w.actor.User:
		w.add(Private, i, m.Offset, func() string {
			return fmt.Sprintf("%s was sent %s, which is for %s alone.", w.who(i), describe(m), person(m.To))
		})
	case m.Offset <= w.begins:
		w.before(i, m, w.begins)
	case w.owed(m) == forbidden:
		w.add(Complete, i, m.Offset, func() string {
			return fmt.Sprintf("%s was sent its own direct message back, on the connection on which it had sent it: %s.", w.who(i), describe(m))
		})
	}
}

func (w *walk) mayBeSentOfRoom(i int, m *history.Message) {
	s, ok := in(w.stays, m.Conversation, i)
	switch {
	case !ok:
		w.add(Private, i, m.Offset, func() string {
			return fmt.Sprintf("%s was sent %s, but was not in this room%s.", w.who(i), describe(m), w.leftAt(i, m))
		})
	case s.joined && m.Offset <= s.after:
		w.before(i, m, s.after)
	}
}

// leftAt says when a room was left that something came of.
func (w *walk) leftAt(entry int, m *history.Message) string {
	for _, s := range w.stays {
		if s.room == m.Conversation && s.left < entry {
			return ", which it had left at " + moment(w.conn.Entries[s.left].At)
		}
	}
	return ""
}

func (w *walk) before(i int, m *history.Message, after uint64) {
	w.add(Complete, i, m.Offset, func() string {
		return fmt.Sprintf("%s was sent %s, though it is only to be sent what follows %d.", w.who(i), describe(m), after)
	})
}

// asInLog checks that a message came as the log holds it.
func (w *walk) asInLog(i int, m *history.Message, place int32, stored bool) {
	if !stored {
		w.add(AsInLog, i, m.Offset, func() string {
			if m.Offset > w.log.Head {
				return fmt.Sprintf("%s was sent %s. The log ends at %d.", w.who(i), describe(m), w.log.Head)
			}
			return fmt.Sprintf("%s was sent %s. The log holds no message at this offset.", w.who(i), describe(m))
		})
		return
	}
	want := w.log.Messages[place].Message
	switch w.toldKey(&w.log.Messages[place]) {
	case forbidden:
		want.Key = ""
	case optional:
		if m.Key == "" {
			want.Key = ""
		}
	}
	if *m != want {
		w.add(AsInLog, i, m.Offset, func() string {
			return fmt.Sprintf("%s was sent %s otherwise than the log holds it: %s.", w.who(i), describe(m), differences(m, &want))
		})
	}
}

// toldKey says whether the connection is told a message's key: a user is told his own. A guest has no name: he is told it
// on the connection whose id the key begins with or, if it begins with none, on the one that it came on.
func (w *walk) toldKey(m *Message) debt {
	switch {
	case m.Key == "":
		return forbidden
	case w.actor.User != "" && m.From == w.actor.User:
		return required
	case w.actor.User != "" || m.From != "":
		return forbidden
	case !boundToConnection(m.From, m.Key):
		if strings.HasPrefix(m.Key, w.conn.SocketID+"-") {
			return required
		}
		return forbidden
	}
	return w.toldBoundKey(m)
}

func (w *walk) toldBoundKey(m *Message) debt {
	if !w.log.Observed {
		if m.Scope == "guest:"+w.conn.SocketID+"/"+m.Conversation.String() {
			return required
		}
		return forbidden
	}
	by, ok := w.sends[m.Content]
	if !ok || by.actor != w.actor {
		return forbidden
	}
	for _, t := range by.send.Tries {
		if t.Connection == w.number {
			return optional // a try on another connection may be the one that was stored
		}
	}
	return forbidden
}

// differences names the fields in which what came differs from what should have.
func differences(got, want *history.Message) string {
	var all []string
	differ := func(field, got, want string) {
		if got != want {
			all = append(all, fmt.Sprintf("its %s was %s, and is %s", field, quote(got), quote(want)))
		}
	}
	differ("id", got.ID, want.ID)
	differ("time", got.At, want.At)
	differ("conversation", got.Conversation.String(), want.Conversation.String())
	differ("sender", got.From, want.From)
	differ("sender's name", got.Username, want.Username)
	differ("recipient", got.To, want.To)
	differ("content", got.Content, want.Content)
	differ("key", got.Key, want.Key)
	return strings.Join(all, "; ")
}
