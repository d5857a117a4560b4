package oracle

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/history"
)

// A timeline is so many lines before the one that it is about, and behind it.
const (
	linesBefore = 12
	linesAfter  = 7
)

// line is one moment of a timeline.
type line struct {
	at    time.Duration
	text  string
	about bool
}

// timeline is what came and was done on a connection around one of its entries.
func timeline(a *history.Actor, number, entry int) []string {
	connection := a.Connections[number]
	first, end := max(0, entry-linesBefore), min(len(connection.Entries), max(0, entry)+linesAfter+1)
	lines := []line{}
	for i := first; i < end; i++ {
		e := &connection.Entries[i]
		lines = append(lines, line{e.At, entryLine(e), i == entry})
	}
	from, to := connection.Opened, connection.Closed
	if first > 0 {
		from = connection.Entries[first].At
	}
	if end < len(connection.Entries) {
		to = connection.Entries[end].At
	}
	for _, s := range a.Sends {
		for _, t := range s.Tries {
			if t.Connection == number && t.At >= from && (to == 0 || t.At <= to) {
				lines = append(lines, tryLines(s, t, -1)...)
			}
		}
	}
	if len(lines) == 0 || !slices.ContainsFunc(lines, func(l line) bool { return l.about }) {
		lines = append(lines, line{connection.Opened, "nothing came", true})
	}
	return printed(append(lines, frame(connection, number)...))
}

// timelineOfSend is the fate of a message, around one of its tries.
func timelineOfSend(a *history.Actor, s *history.Send, try int) []string {
	lines := []line{}
	on := make(map[int]bool)
	for i, t := range s.Tries {
		about := tryLines(s, t, t.Connection)
		about[len(about)-1].about = i == try
		lines = append(lines, about...)
		on[t.Connection] = true
	}
	for number, connection := range a.Connections {
		if on[number] {
			lines = append(lines, frame(connection, number)...)
		}
		for i := range connection.Entries {
			if e := &connection.Entries[i]; e.Kind == history.Received && e.Message.Content == s.Content {
				lines = append(lines, line{e.At, fmt.Sprintf("[%d] %s", number, entryLine(e)), false})
			}
		}
	}
	return printed(lines)
}

// frame is how a connection began and ended.
func frame(c *history.Connection, number int) []line {
	from := "the gateway's choice"
	switch {
	case c.Latest:
		from = "now on"
	case c.From != nil:
		from = fmt.Sprintf("after %d", *c.From)
	}
	lines := []line{{c.Opened, fmt.Sprintf("connection %d to %s by %s, from %s, rooms %q, socket %s",
		number, c.Gateway, c.Transport, from, c.Rooms, c.SocketID), false}}
	if c.Closed > 0 {
		lines = append(lines, line{c.Closed, fmt.Sprintf("connection %d ended: %s", number, c.Why), false})
	}
	return lines
}

// tryLines are one try and its answer. The connection is named unless it is -1.
func tryLines(s *history.Send, t history.Try, connection int) []line {
	on := ""
	if connection >= 0 {
		on = fmt.Sprintf("[%d] ", connection)
	}
	lines := []line{{t.At, fmt.Sprintf("%ssends %s to %s, key %q", on, quote(s.Content), s.Conversation, s.Key), false}}
	switch r := t.Answer; {
	case r == nil:
	case r.OK:
		lines = append(lines, line{r.At, fmt.Sprintf("%sack of %s: %d, id %s, duplicate %t", on, quote(s.Content), r.Offset, r.ID, r.Duplicate), false})
	default:
		lines = append(lines, line{r.At, fmt.Sprintf("%srefusal of %s: %s", on, quote(s.Content), r.Code), false})
	}
	return lines
}

func entryLine(e *history.Entry) string {
	switch e.Kind {
	case history.Received:
		return "received " + describe(e.Message)
	case history.Recovered:
		r := e.Recovery
		return fmt.Sprintf("recovery: recovered %t %q, from %d, head %d, count %d, epoch %q", r.Recovered, r.Reason, r.From, r.Head, r.Count, r.Epoch)
	case history.Watermark:
		return fmt.Sprintf("watermark %d", e.Offset)
	case history.JoinAsked:
		return fmt.Sprintf("asks to join %q", e.Room)
	case history.Joined:
		return fmt.Sprintf("joined %q at %d", e.Room, e.Offset)
	case history.LeaveAsked:
		return fmt.Sprintf("asks to leave %q", e.Room)
	case history.Left:
		return fmt.Sprintf("left %q", e.Room)
	case history.JoinRefused:
		return fmt.Sprintf("is refused the join of %q: %s", e.Room, e.Text)
	case history.LeaveRefused:
		return fmt.Sprintf("is refused the leave of %q: %s", e.Room, e.Text)
	case history.Malformed:
		return "breach: " + e.Text
	case history.PausedHere:
		return "stops reading"
	case history.ResumedHere:
		return "reads again"
	}
	return "?"
}

// printed sorts lines by time and prints those around the one that they are about.
func printed(lines []line) (text []string) {
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(a.at, b.at) })
	about := slices.IndexFunc(lines, func(l line) bool { return l.about })
	for _, l := range lines[max(0, about-linesBefore):min(len(lines), max(0, about)+linesAfter+1)] {
		mark := " "
		if l.about {
			mark = ">"
		}
		text = append(text, fmt.Sprintf("%s %12s  %s", mark, moment(l.at), l.text))
	}
	return text
}
