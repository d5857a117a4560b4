package oracle

import (
	"fmt"
	"strconv"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/history"
)

// moment is a time since the run began, to be read: "+12.402 s".
func moment(at time.Duration) string { return fmt.Sprintf("+%.3f s", at.Seconds()) }

// quote is a text in quotation marks, cut where it is long.
func quote(text string) string {
	const most = 48 // runes
	n := 0
	for i := range text {
		if n++; n > most {
			return strconv.Quote(text[:i]) + "…"
		}
	}
	return strconv.Quote(text)
}

// place is a connection, as it stands in brackets.
func place(a *history.Actor, number int) string {
	if number < 0 || number >= len(a.Connections) {
		return fmt.Sprintf("connection %d", number)
	}
	return fmt.Sprintf("connection %d, gateway %s", number, a.Connections[number].Gateway)
}

// person is a user, by id.
func person(id string) string {
	if id == "" {
		return "a guest"
	}
	return "user " + id
}

// describe is a message, as the object of a sentence.
func describe(m *history.Message) string {
	if direct(m.Conversation) {
		return fmt.Sprintf("%d, %s from %s to %s", m.Offset, quote(m.Content), person(m.From), person(m.To))
	}
	return fmt.Sprintf("%d, %s of %s in room %q", m.Offset, quote(m.Content), person(m.From), m.Conversation.Name)
}

func andMore(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", nor %d more", n)
}
