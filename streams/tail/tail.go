// Package tail keeps the newest events of the log in memory, up to a budget of
// bytes, so that "what did this client miss" is answered without asking anyone.
//
//	offset      41      42      43      44      45     position = 45
//	entries   [ a ]   [ b ]   [ a ]   [ c ]   [ a ]
//	links       ╰───────────────╯╰──────────────╯      next and previous of the topic
//	heads     a ▶ 45   b ▶ 42   c ▶ 44                 newest of each topic
//
// A topic is what is followed: a room, or a user's inbox. Events of one topic are
// linked, so that finding those after a cursor costs what was missed and not what
// is kept; a direct message is in two topics. One goroutine appends (the feed's);
// any number read.
package tail

import (
	"sync"
	"time"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// What an entry costs beside its event, in bytes, and what its key does.
const (
	entryCost = 80
	keyCost   = 96
)

// Tail is the newest part of the log.
type Tail struct {
	mu     sync.RWMutex
	budget int
	bytes  int
	// ring holds the entries of offsets first..position; offset o is at
	// index o & (len(ring)-1). Its length is a power of two and it is full at
	// most. first is position+1 when the tail is empty.
	ring            []entry
	first, position uint64
	heads           map[subject.Conversation]uint64
	keys            map[string]uint64 // offsets by event.MessageID
}

// entry is one offset. event is nil where the log holds nothing of use to
// readers: an unknown type, or a damaged event.
type entry struct {
	event *event.Event
	at    time.Time
	links [2]link // by the event's topics
}

// link is the offsets of the neighbours in a topic; 0 for none, or below first.
type link struct{ prev, next uint64 }

// in is the entry's link in one of its topics.
func (n *entry) in(topic subject.Conversation) *link {
	if user, ok := topic.InboxOf(); ok && n.event.Sender != user {
		return &n.links[1]
	}
	return &n.links[0]
}

// New makes an empty tail that follows position, and holds at most budget
// bytes (but always the newest event).
func New(budget int, position uint64) *Tail {
	return &Tail{
		budget: budget, ring: make([]entry, 1024), first: position + 1, position: position,
		heads: make(map[subject.Conversation]uint64), keys: make(map[string]uint64),
	}
}

// Append adds the event at position+1 or, where the log has a hole, at a later
// offset; then what was kept before the hole is let go. It must not be changed
// afterwards.
func (t *Tail) Append(e *event.Event) { t.add(e.Offset, e.At, e) }

// Skip advances over an offset that holds nothing of use to readers.
func (t *Tail) Skip(offset uint64, at time.Time) { t.add(offset, at, nil) }

func (t *Tail) add(offset uint64, at time.Time, e *event.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if offset <= t.position {
		return // it is here already
	}
	if offset != t.position+1 {
		for t.first <= t.position {
			t.evict()
		}
		t.first = offset
	}
	if t.position+1-t.first == uint64(len(t.ring)) && offset == t.position+1 {
		t.grow()
	}
	t.position = offset
	n := entry{event: e, at: at}
	if e != nil {
		for i, topic := range e.Topics() {
			if topic == (subject.Conversation{}) {
				continue
			}
			prev := t.heads[topic]
			if n.links[i].prev = prev; prev != 0 {
				t.at(prev).in(topic).next = offset
			}
			t.heads[topic] = offset
		}
		if e.Key != "" {
			t.keys[e.MessageID()] = offset
		}
	}
	*t.at(offset) = n
	t.bytes += cost(e)
	for t.bytes > t.budget && t.first < t.position {
		t.evict()
	}
}

func cost(e *event.Event) int {
	if e == nil {
		return entryCost
	}
	if e.Key != "" {
		return entryCost + keyCost + e.Size()
	}
	return entryCost + e.Size()
}

// evict lets the oldest entry go.
func (t *Tail) evict() {
	old := t.at(t.first)
	t.bytes -= cost(old.event)
	if old.event != nil {
		if id := old.event.MessageID(); t.keys[id] == t.first {
			delete(t.keys, id)
		}
		for i, topic := range old.event.Topics() {
			switch next := old.links[i].next; {
			case topic == (subject.Conversation{}):
			case next == 0:
				delete(t.heads, topic)
			default:
				t.at(next).in(topic).prev = 0
			}
		}
	}
	*old = entry{}
	t.first++
}

func (t *Tail) grow() {
	ring := make([]entry, 2*len(t.ring))
	for o := t.first; o <= t.position; o++ {
		ring[o&uint64(len(ring)-1)] = *t.at(o)
	}
	t.ring = ring
}

func (t *Tail) at(offset uint64) *entry { return &t.ring[offset&uint64(len(t.ring)-1)] }

// Position is the newest offset that was appended or skipped.
func (t *Tail) Position() uint64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.position
}

// Stats says what the tail holds: its offsets from first to position, in bytes.
func (t *Tail) Stats() (first, position uint64, bytes int) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.first, t.position, t.bytes
}

// Get is the event at an offset, if the tail holds one there.
func (t *Tail) Get(offset uint64) (*event.Event, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if offset < t.first || offset > t.position {
		return nil, false
	}
	e := t.at(offset).event
	return e, e != nil
}

// Keyed is the event with an id (event.MessageID), if the tail holds it.
func (t *Tail) Keyed(id string) (*event.Event, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	offset, ok := t.keys[id]
	if !ok {
		return nil, false
	}
	return t.at(offset).event, true
}

// Since reports whether the tail holds everything after an offset up to its
// position, and when the log stored what is there.
func (t *Tail) Since(offset uint64) (position uint64, at time.Time, ok bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if offset+1 < t.first {
		return 0, time.Time{}, false
	}
	if t.first <= t.position {
		at = t.at(t.position).at
	}
	return t.position, at, true
}

// NextAt is when the log stored what follows an offset. It is false if the
// tail does not reach back that far, or nothing follows yet.
func (t *Tail) NextAt(offset uint64) (time.Time, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if offset+1 < t.first || offset >= t.position {
		return time.Time{}, false
	}
	return t.at(offset + 1).at, true
}

// maxLook bounds how many entries After looks at before those it returns.
const maxLook = 4096

// After returns the events of some topics after a cursor, in ascending offset, at
// most limit (1 or more) of them. It returns up to which offset the answer is
// complete: the position, unless limit or the time it takes cut it short. ok is
// false if the tail does not reach back to the cursor.
//
// It walks back along each topic where little was missed, and looks through what
// follows the cursor where that would take longer.
func (t *Tail) After(cursor uint64, topics []subject.Conversation, limit int) (events []*event.Event, through uint64, ok bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if cursor+1 < t.first {
		return nil, 0, false
	}
	if cursor >= t.position {
		return nil, cursor, true
	}
	ahead := make([]place, 0, 8) // the next event of each topic that has one
	look := maxLook
	for _, topic := range topics {
		if o := t.follow(topic, cursor, &look); o != 0 {
			ahead = append(ahead, place{o, topic})
		}
		if look <= 0 {
			events, through = t.scan(cursor, topics, limit)
			return events, through, true
		}
	}
	for len(ahead) > 0 {
		if limit == 0 {
			return events, events[len(events)-1].Offset, true
		}
		lowest := 0
		for i, p := range ahead {
			if p.offset < ahead[lowest].offset {
				lowest = i
			}
		}
		n := t.at(ahead[lowest].offset)
		if len(events) == 0 || events[len(events)-1] != n.event { // it may be in two of the topics
			events = append(events, n.event)
			limit--
		}
		if next := n.in(ahead[lowest].topic).next; next != 0 {
			ahead[lowest].offset = next
		} else {
			ahead[lowest] = ahead[len(ahead)-1]
			ahead = ahead[:len(ahead)-1]
		}
	}
	return events, t.position, true
}

// scan looks through the next maxLook entries after a cursor.
func (t *Tail) scan(cursor uint64, topics []subject.Conversation, limit int) (events []*event.Event, through uint64) {
	wanted := make(map[subject.Conversation]bool, len(topics))
	for _, topic := range topics {
		wanted[topic] = true
	}
	through = min(cursor+maxLook, t.position)
	for o := cursor + 1; o <= through; o++ {
		e := t.at(o).event
		if e == nil {
			continue
		}
		if of := e.Topics(); wanted[of[0]] || wanted[of[1]] {
			if events = append(events, e); len(events) == limit {
				return events, o
			}
		}
	}
	return events, through
}

type place struct {
	offset uint64
	topic  subject.Conversation
}

// maxWalk bounds how far Newest looks, because nothing is appended meanwhile.
const maxWalk = 20_000

// Newest returns the newest events of a topic with after < offset < before (1 or
// more), newest first, at most limit of them, leaving out those that keep refuses. The answer is
// complete down to just above reached, which is beyond after where the tail does
// not reach back that far, limit is reached, or it would take too long a walk.
func (t *Tail) Newest(
	topic subject.Conversation, after, before uint64, limit int, keep func(*event.Event) bool,
) (events []*event.Event, reached uint64) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	after = max(after, t.first-1)
	if before <= after+1 {
		return nil, min(after, before-1)
	}
	walked := 0
	for o := t.heads[topic]; o > after; walked++ {
		if walked == maxWalk {
			return events, min(o, before-1)
		}
		n := t.at(o)
		if o < before && keep(n.event) {
			if events = append(events, n.event); len(events) == limit {
				return events, o - 1
			}
		}
		o = n.in(topic).prev
	}
	return events, after
}

func inTopic(e *event.Event, topic subject.Conversation) bool {
	topics := e.Topics()
	return topics[0] == topic || topics[1] == topic
}

// follow finds the first event of a topic after a cursor, or 0: at once if the
// cursor is one of its events, else by walking back from the newest, which it
// gives up when it has looked at too many.
func (t *Tail) follow(topic subject.Conversation, cursor uint64, look *int) uint64 {
	head := t.heads[topic]
	if head <= cursor {
		return 0
	}
	if cursor >= t.first {
		if n := t.at(cursor); n.event != nil && inTopic(n.event, topic) {
			return n.in(topic).next
		}
	}
	for ; *look > 0; *look-- {
		prev := t.at(head).in(topic).prev
		if prev <= cursor || prev < t.first {
			break
		}
		head = prev
	}
	return head
}
