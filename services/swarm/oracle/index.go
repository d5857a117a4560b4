package oracle

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/history"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// index finds things in a run and a log. Messages of the log are meant by their place in it.
type index struct {
	run *history.Run
	log Log

	rooms   map[subject.Conversation][]int32 // messages of a room
	inboxes map[string][]int32               // direct messages from and to a user of the run

	sends  map[string]sent    // by content
	stored map[string][]int32 // where the log holds a content of the run

	epoch string // of the log; if that is not known, as most connections were told; empty: none was
	known []known
}

// sent is a send and whose it is.
type sent struct {
	actor *history.Actor
	send  *history.Send
}

// known is an offset that somebody was told of at a time, and higher than any before.
type known struct {
	at     time.Duration
	offset uint64
}

func newIndex(run *history.Run, log Log) *index {
	x := &index{
		run: run, log: log,
		rooms: make(map[subject.Conversation][]int32), inboxes: make(map[string][]int32),
		sends: make(map[string]sent), stored: make(map[string][]int32),
	}
	epochs := make(map[string]int)
	for _, a := range run.Actors {
		if a.User != "" {
			x.inboxes[a.User] = nil
		}
		for _, s := range a.Sends {
			x.sends[s.Content] = sent{a, s}
		}
		x.learn(a, epochs)
	}
	x.epoch = cmp.Or(log.Epoch, x.epoch)
	x.order()
	for i := range log.Messages {
		x.place(int32(i))
	}
	return x
}

// place files a message of the log.
func (x *index) place(i int32) {
	m := &x.log.Messages[i]
	if m.Conversation.Kind == subject.DM {
		x.intoInbox(m.From, i)
		if m.To != m.From {
			x.intoInbox(m.To, i)
		}
	} else {
		x.rooms[m.Conversation] = append(x.rooms[m.Conversation], i)
	}
	if x.ofRun(m.Content) {
		x.stored[m.Content] = append(x.stored[m.Content], i)
	}
}

func (x *index) intoInbox(user string, i int32) {
	if list, ok := x.inboxes[user]; ok {
		x.inboxes[user] = append(list, i)
	}
}

// ofRun reports whether a content is of the run.
func (x *index) ofRun(content string) bool {
	return len(content) > len(x.run.ID) && content[len(x.run.ID)] == ' ' && strings.HasPrefix(content, x.run.ID)
}

// at is the message of the log at an offset.
func (x *index) at(offset uint64) (int32, bool) {
	i, ok := slices.BinarySearchFunc(x.log.Messages, offset, func(m Message, o uint64) int { return cmp.Compare(m.Offset, o) })
	return int32(i), ok
}

// between is the places out of some with after < offset <= through.
func (x *index) between(places []int32, after, through uint64) []int32 {
	beyond := func(offset uint64) int {
		i, _ := slices.BinarySearchFunc(places, offset, func(place int32, o uint64) int {
			if x.log.Messages[place].Offset <= o {
				return -1
			}
			return 1
		})
		return i
	}
	if through <= after {
		return nil
	}
	return places[beyond(after):beyond(through)]
}

// learn takes what an actor's connections and acks tell of the log's epoch and length.
func (x *index) learn(a *history.Actor, epochs map[string]int) {
	for _, s := range a.Sends {
		for _, t := range s.Tries {
			if t.Answer != nil && t.Answer.OK {
				x.known = append(x.known, known{t.Answer.At, t.Answer.Offset})
			}
		}
	}
	for _, c := range a.Connections {
		cursor := uint64(0)
		for i := range c.Entries {
			e := &c.Entries[i]
			if e.Kind == history.Recovered {
				if epochs[e.Recovery.Epoch]++; epochs[e.Recovery.Epoch] > epochs[x.epoch] {
					x.epoch = e.Recovery.Epoch
				}
			}
			if offset := claim(e); offset > cursor {
				cursor = offset
				x.known = append(x.known, known{e.At, offset})
			}
		}
	}
}

// order leaves of what is known what is news. What is beyond the log's head is a lie.
func (x *index) order() {
	slices.SortFunc(x.known, func(a, b known) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.offset, b.offset)) })
	highest := uint64(0)
	x.known = slices.DeleteFunc(x.known, func(k known) bool {
		if k.offset > x.log.Head || k.offset <= highest {
			return true
		}
		highest = k.offset
		return false
	})
}

// knownAt is the highest offset that somebody knew of at a time: the log had reached it.
func (x *index) knownAt(at time.Duration) uint64 {
	i, _ := slices.BinarySearchFunc(x.known, at, func(k known, at time.Duration) int {
		if k.at <= at {
			return -1
		}
		return 1
	})
	if i == 0 {
		return 0
	}
	return x.known[i-1].offset
}

// claim is the offset up to which, by an entry, everything has been sent; 0 if it is none such.
func claim(e *history.Entry) uint64 {
	switch e.Kind {
	case history.Received:
		return e.Message.Offset
	case history.Recovered:
		return e.Recovery.Head
	case history.Watermark:
		return e.Offset
	}
	return 0
}
