package oracle

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/history"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// written is a message of the run that the log holds, with the time of its first try.
type written struct {
	sent
	first  time.Duration
	offset uint64
}

// ack is the first ack of a message of the run that the log holds.
type ack struct {
	sent
	at     time.Duration
	try    int
	offset uint64
}

// realTime checks that what was sent after another message had been acked stands behind it in their conversation.
func (c *check) realTime() {
	sends, acks := make(map[subject.Conversation][]written), make(map[subject.Conversation][]ack)
	for _, w := range c.written() {
		conversation := w.send.Conversation
		sends[conversation] = append(sends[conversation], w)
		if a, ok := firstAck(w); ok {
			acks[conversation] = append(acks[conversation], a)
		}
	}
	for _, conversation := range c.conversations() {
		c.inRealTime(sends[conversation], acks[conversation])
	}
}

// inRealTime goes through a conversation in the order of time.
func (c *check) inRealTime(sends []written, acks []ack) {
	slices.SortFunc(acks, func(a, b ack) int { return cmp.Compare(a.at, b.at) })
	var highest *ack
	next := 0
	for _, w := range sends {
		for ; next < len(acks) && acks[next].at < w.first; next++ {
			if highest == nil || acks[next].offset > highest.offset {
				highest = &acks[next]
			}
		}
		if highest != nil && highest.offset > w.offset {
			c.outOfTime(highest, w)
		}
	}
}

func (c *check) outOfTime(before *ack, w written) {
	c.found.Add(RealTimeOrder, func() Finding {
		return Finding{
			Actor: w.actor.Name, Connection: w.send.Tries[0].Connection, Offset: w.offset,
			Text: fmt.Sprintf("%s sent its message %s at %s, after %s had been told at %s that %s is stored. The log holds the later one at %d, before the earlier one at %d.",
				w.actor.Name, quote(w.send.Content), moment(w.first), before.actor.Name, moment(before.at), quote(before.send.Content), w.offset, before.offset),
			Timeline: timelineOfSend(w.actor, w.send, 0),
		}
	})
}

// written is what of the run is in the log, by the time of its first try.
func (c *check) written() (all []written) {
	for _, a := range c.run.Actors {
		for _, s := range a.Sends {
			at := c.stored[s.Content]
			if len(at) != 1 || len(s.Tries) == 0 || copies(a, s) > 1 {
				continue // which of them was when is not known
			}
			all = append(all, written{sent{a, s}, s.Tries[0].At, c.log.Messages[at[0]].Offset})
		}
	}
	slices.SortStableFunc(all, func(a, b written) int { return cmp.Compare(a.first, b.first) })
	return all
}

func firstAck(w written) (first ack, ok bool) {
	for i, t := range w.send.Tries {
		if t.Answer != nil && t.Answer.OK && (!ok || t.Answer.At < first.at) {
			first, ok = ack{w.sent, t.Answer.At, i, w.offset}, true
		}
	}
	return first, ok
}

// conversations are those in which the run sent, in the order in which it did.
func (c *check) conversations() (all []subject.Conversation) {
	seen := make(map[subject.Conversation]bool)
	for _, a := range c.run.Actors {
		for _, s := range a.Sends {
			if !seen[s.Conversation] {
				seen[s.Conversation] = true
				all = append(all, s.Conversation)
			}
		}
	}
	return all
}

// head is how far a client was told that the log is: by a watermark, a recovery or a join.
type head struct {
	actor             *history.Actor
	connection, entry int
	at                time.Duration
	offset            uint64
}

// foreseen checks that nobody was told of a head that the log had not reached: what is first sent after that stands
// behind it.
func (c *check) foreseen() {
	heads := c.heads()
	var highest *head
	next := 0
	lies := make(map[*head]bool)
	for _, w := range c.written() {
		for ; next < len(heads) && heads[next].at < w.first; next++ {
			if highest == nil || heads[next].offset > highest.offset {
				highest = &heads[next]
			}
		}
		if highest != nil && highest.offset >= w.offset && !lies[highest] {
			lies[highest] = true
			c.foresaw(highest, w)
		}
	}
}

func (c *check) foresaw(h *head, w written) {
	c.found.Add(Watermark, func() Finding {
		return Finding{
			Actor: h.actor.Name, Connection: h.connection, Offset: h.offset,
			Text: fmt.Sprintf("%s was told at %s (%s) that the log was at %d. The message %s, which %s first sent at %s, is at %d.",
				h.actor.Name, moment(h.at), place(h.actor, h.connection), h.offset, quote(w.send.Content), w.actor.Name, moment(w.first), w.offset),
			Timeline: timeline(h.actor, h.connection, h.entry),
		}
	})
}

// heads is what clients were told of the log's length, by time. What is beyond the log is found by another rule.
func (c *check) heads() (all []head) {
	for _, a := range c.run.Actors {
		for i, connection := range a.Connections {
			for j := range connection.Entries {
				e := &connection.Entries[j]
				offset := e.Offset
				switch e.Kind {
				case history.Recovered:
					offset = max(e.Recovery.Head, e.Recovery.From)
				case history.Watermark, history.Joined:
				default:
					continue
				}
				if offset <= c.log.Head {
					all = append(all, head{a, i, j, e.At, offset})
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b head) int { return cmp.Compare(a.at, b.at) })
	return all
}
