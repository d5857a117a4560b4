package oracle

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/tidemark-chat/tidemark/services/swarm/history"
)

// Observed puts a log together from what clients received and were acked, for deployments whose log cannot be read. What
// nobody received and nobody was acked is not in it, and of what was only acked it does not hold the time. Where clients
// saw two messages at one offset, it holds the one that most of them saw, and there is a finding.
func Observed(run *history.Run) (Log, []Finding) {
	o := &observation{seen: make(map[uint64][]sighting), sends: make(map[string]sent)}
	for _, a := range run.Actors {
		for _, s := range a.Sends {
			o.sends[s.Content] = sent{a, s}
		}
		for number, connection := range a.Connections {
			for i := range connection.Entries {
				o.entry(a, number, i, &connection.Entries[i])
			}
		}
	}
	for _, a := range run.Actors {
		for _, s := range a.Sends {
			o.acks(a, s)
		}
	}
	return o.log()
}

// observation is what was seen.
type observation struct {
	seen  map[uint64][]sighting // by offset
	sends map[string]sent       // by content
	head  uint64
}

// sighting is a message as some saw it.
type sighting struct {
	message history.Message // without its key
	key     string
	times   int

	actor             *history.Actor // who saw it first
	connection, entry int            // -1: by an ack
}

func (o *observation) entry(a *history.Actor, number, i int, e *history.Entry) {
	switch e.Kind {
	case history.Received:
		m := *e.Message
		m.Key = ""
		o.saw(sighting{message: m, key: e.Message.Key, times: 1, actor: a, connection: number, entry: i})
	case history.Recovered:
		o.head = max(o.head, e.Recovery.Head)
	case history.Watermark, history.Joined:
		o.head = max(o.head, e.Offset)
	}
}

func (o *observation) saw(s sighting) {
	list := o.seen[s.message.Offset]
	for i := range list {
		if list[i].message == s.message {
			list[i].times++
			list[i].key = cmp.Or(list[i].key, s.key)
			return
		}
	}
	o.seen[s.message.Offset] = append(list, s)
}

// acks adds what its sender was acked, where nobody received it.
func (o *observation) acks(a *history.Actor, s *history.Send) {
	for _, t := range s.Tries {
		if t.Answer == nil || !t.Answer.OK || len(o.seen[t.Answer.Offset]) > 0 {
			continue // what differs from an ack is found by Check
		}
		o.seen[t.Answer.Offset] = []sighting{{
			message: history.Message{
				Offset: t.Answer.Offset, ID: t.Answer.ID, Conversation: s.Conversation,
				From: a.User, Username: a.Username, To: s.To, Content: s.Content,
			},
			key: s.Key, times: 1, actor: a, connection: t.Connection, entry: -1,
		}}
	}
}

func (o *observation) log() (Log, []Finding) {
	log, found := Log{Observed: true}, Findings{}
	for _, offset := range slices.Sorted(maps.Keys(o.seen)) {
		list := o.seen[offset]
		best := 0
		for i := range list {
			if list[i].times > list[best].times {
				best = i
			}
		}
		for i := range list {
			if i != best {
				o.contradiction(&found, list[best], list[i])
			}
		}
		log.Messages = append(log.Messages, Message{Message: o.keyed(list[best])})
		o.head = max(o.head, offset)
	}
	log.Head = o.head
	return log, found.All()
}

// keyed is a message with its key, which only its sender is told.
func (o *observation) keyed(s sighting) history.Message {
	m := s.message
	m.Key = s.key
	if by, ok := o.sends[m.Content]; ok && by.actor.User == m.From {
		m.Key = by.send.Key
	}
	return m
}

func (o *observation) contradiction(found *Findings, most, other sighting) {
	found.Add(AsInLog, func() Finding {
		return Finding{
			Actor: other.actor.Name, Connection: other.connection, Offset: other.message.Offset,
			Text: fmt.Sprintf("One offset, two messages: %s (%s) was sent %s, and %s (%s) something else: %s.",
				other.actor.Name, place(other.actor, other.connection), describe(&other.message),
				most.actor.Name, place(most.actor, most.connection), differences(&other.message, &most.message)),
			Timeline: timeline(other.actor, other.connection, other.entry),
		}
	})
}
