package oracle

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/tidemark-chat/tidemark/services/swarm/history"
)

// walk goes through what came over one connection, beside what the log holds of its conversations.
type walk struct {
	*check
	actor  *history.Actor
	number int // of the connection
	conn   *history.Connection

	begins uint64 // after which offset
	stays  []stay
	due    []int32 // what must come, up to the highest cursor or further, ascending

	last    uint64        // offset of the last message
	cursor  uint64        // up to which everything has been sent, by what came
	next    int           // in due: what is before it has come, or is missing
	missing map[int32]int // due and passed by, and by which entry that is known; nil while there is none
}

// connection checks one connection of an actor.
func (c *check) connection(a *history.Actor, number int) {
	connection := a.Connections[number]
	w := &walk{check: c, actor: a, number: number, conn: connection, begins: c.begins(a, connection)}
	w.stays = stays(a, connection, w.begins)
	end := cursorAt(connection, len(connection.Entries), w.begins)
	if w.atEnd() {
		end = max(end, c.upTo())
	}
	w.collect(end)
	if w.begins != nowhere {
		w.cursor = w.begins
	}
	for i := range connection.Entries {
		w.entry(i, &connection.Entries[i])
	}
	w.incomplete()
	w.recovery()
	if w.atEnd() {
		w.unreached()
		w.unanswered()
	}
}

// atEnd reports whether the connection must have reached the log's end: it was open when all was quiet.
func (w *walk) atEnd() bool { return w.options.Quiet && w.conn.Closed == 0 }

// upTo is the offset up to which everybody must have been sent everything when all is quiet.
func (c *check) upTo() uint64 { return cmp.Or(c.options.UpTo, c.log.Head) }

// collect finds what must come up to an offset.
func (w *walk) collect(end uint64) {
	for _, s := range w.stays {
		if s.joined {
			w.due = append(w.due, w.between(w.rooms[s.room], max(s.after, w.log.After), min(s.through, end))...)
		}
	}
	if w.actor.User != "" {
		for _, i := range w.between(w.inboxes[w.actor.User], max(w.begins, w.log.After), end) {
			if w.owed(&w.log.Messages[i].Message) == required {
				w.due = append(w.due, i)
			}
		}
	}
	slices.Sort(w.due)
	w.due = slices.Compact(w.due)
}

// entry takes one entry.
func (w *walk) entry(i int, e *history.Entry) {
	switch e.Kind {
	case history.Received:
		w.received(i, e.Message)
	case history.Watermark:
		w.claimed(i, e.Offset, "a watermark")
	case history.Recovered:
		w.claimed(i, e.Recovery.Head, "its recovery's head")
	case history.Joined:
		if e.Offset > w.log.Head {
			w.beyond(i, e.Offset, "the head of a join")
		}
	case history.Malformed:
		w.add(Contract, i, e.Offset, func() string { return fmt.Sprintf("%s was sent what breaks the contract: %s.", w.who(i), e.Text) })
	}
}

// received takes a message.
func (w *walk) received(i int, m *history.Message) {
	place, stored := w.at(m.Offset)
	_, late := w.missing[place]
	late = late && stored
	if late {
		delete(w.missing, place)
	}
	switch {
	case m.Offset <= w.last:
		w.descends(i, m)
	case m.Offset > w.begins && m.Offset <= w.cursor && !late:
		w.add(Watermark, i, m.Offset, func() string {
			return fmt.Sprintf("%s was sent %s, and had been told before that it was sent everything through %d.", w.who(i), describe(m), w.cursor)
		})
	}
	w.pass(i, max(m.Offset, 1)-1)
	if w.next < len(w.due) && stored && w.due[w.next] == place {
		w.next++
	}
	w.last, w.cursor = max(w.last, m.Offset), max(w.cursor, m.Offset)

	if m.Offset > w.log.After {
		w.asInLog(i, m, place, stored)
	}
	if stored {
		w.mayBeSent(i, &w.log.Messages[place].Message)
	} else {
		w.mayBeSent(i, m)
	}
}

// pass notes as missing what is due up to an offset and has not come. It returns the first of it.
func (w *walk) pass(entry int, through uint64) (first int32, count int) {
	for ; w.next < len(w.due) && w.log.Messages[w.due[w.next]].Offset <= through; w.next++ {
		if w.missing == nil {
			w.missing = make(map[int32]int)
		}
		if w.missing[w.due[w.next]] = entry; count == 0 {
			first = w.due[w.next]
		}
		count++
	}
	return first, count
}

// claimed takes what says that everything through an offset has been sent.
func (w *walk) claimed(i int, offset uint64, what string) {
	if offset > w.log.Head {
		w.beyond(i, offset, what)
	}
	if first, count := w.pass(i, offset); count > 0 {
		w.add(Watermark, i, w.log.Messages[first].Offset, func() string {
			return fmt.Sprintf("%s was told by %s that it had been sent everything through %d. It had not been sent %s%s.",
				w.who(i), what, offset, describe(&w.log.Messages[first].Message), andMore(count-1))
		})
	}
	w.cursor = max(w.cursor, offset)
}

func (w *walk) beyond(i int, offset uint64, what string) {
	w.add(Watermark, i, offset, func() string {
		return fmt.Sprintf("%s was told by %s that the log was at %d. It ends at %d.", w.who(i), what, offset, w.log.Head)
	})
}

func (w *walk) descends(i int, m *history.Message) {
	w.add(Ascending, i, m.Offset, func() string {
		for j := range w.conn.Entries[:i] {
			if e := &w.conn.Entries[j]; e.Kind == history.Received && e.Message.Offset == m.Offset {
				return fmt.Sprintf("%s was sent %s, which it had been sent at %s.", w.who(i), describe(m), moment(e.At))
			}
		}
		return fmt.Sprintf("%s was sent %s after %d.", w.who(i), describe(m), w.last)
	})
}

// incomplete tells what never came although later things did.
func (w *walk) incomplete() {
	if len(w.missing) == 0 {
		return
	}
	first := int32(math.MaxInt32)
	for place := range w.missing {
		first = min(first, place)
	}
	m, entry := &w.log.Messages[first].Message, w.missing[first]
	w.add(Complete, entry, m.Offset, func() string {
		return fmt.Sprintf("%s was sent what follows %d, but never %s%s.",
			w.who(entry), m.Offset, describe(m), andMore(len(w.missing)-1))
	})
}

// unreached tells what had not come when all was quiet.
func (w *walk) unreached() {
	if w.next == len(w.due) {
		return
	}
	m, entry := &w.log.Messages[w.due[w.next]].Message, len(w.conn.Entries)-1
	w.add(Reached, entry, m.Offset, func() string {
		return fmt.Sprintf("%s is still open (%s) and stands at %d. It was never sent %s%s.",
			w.actor.Name, place(w.actor, w.number), w.cursor, describe(m), andMore(len(w.due)-w.next-1))
	})
}

// unanswered tells what the client asked for and was not answered when all was quiet.
func (w *walk) unanswered() {
	rooms := asked(w.conn)
	for _, name := range slices.Sorted(maps.Keys(rooms)) {
		for _, ask := range rooms[name] {
			if ask.answered > 0 {
				continue
			}
			w.add(Contract, ask.entry, 0, func() string {
				return fmt.Sprintf("%s %s, and was never answered.", w.who(ask.entry), entryLine(&w.conn.Entries[ask.entry]))
			})
		}
	}
}

// add adds a finding about an entry of the connection.
func (w *walk) add(rule Rule, entry int, offset uint64, text func() string) {
	w.found.Add(rule, func() Finding {
		return Finding{
			Actor: w.actor.Name, Connection: w.number, Offset: offset,
			Text: text(), Timeline: timeline(w.actor, w.number, entry),
		}
	})
}

// who is the subject of a sentence about an entry.
func (w *walk) who(entry int) string {
	return fmt.Sprintf("%s at %s (%s)", w.actor.Name, moment(w.conn.Entries[entry].At), place(w.actor, w.number))
}
