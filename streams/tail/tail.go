// Package tail keeps the newest events of the log in memory, up to a budget of
// bytes, so that "what did this client miss" is answered without asking anyone.
//
//	offset      41      42      43      44      45     position = 45
//	entries   [ a ]   [ b ]   [ a ]   [ c ]   [ a ]
//	links       ╰───────────────╯╰──────────────╯      next and previous of the conversation
//	heads     a ▶ 45   b ▶ 42   c ▶ 44                 newest of each conversation
//
// Events of one conversation are linked, so that finding those after a cursor
// costs what was missed and not what is kept. One goroutine appends (the feed's);
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
	entryCost = 64
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
	event      *event.Event
	at         time.Time
	prev, next uint64 // offsets of the same conversation's neighbours; 0 for none, or below first
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
		n.prev = t.heads[e.Conversation]
		if n.prev != 0 {
			t.at(n.prev).next = offset
		}
		t.heads[e.Conversation] = offset
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
		if old.next == 0 {
			delete(t.heads, old.event.Conversation)
		} else {
			t.at(old.next).prev = 0
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

// After appends to dst the events of some conversations after a cursor, in
// ascending offset, at most limit (1 or more) of them. It returns up to which offset the
// answer is complete: the position, unless limit cut it short. ok is false if
// the tail does not reach back to the cursor; then nothing is appended.
func (t *Tail) After(
	cursor uint64, conversations []subject.Conversation, limit int, dst []*event.Event,
) (events []*event.Event, through uint64, ok bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if cursor+1 < t.first {
		return dst, 0, false
	}
	if cursor >= t.position {
		return dst, cursor, true
	}
	nexts := make([]uint64, 0, 8) // the next offset of each conversation that has one
	for _, c := range conversations {
		if o := t.follow(c, cursor); o != 0 {
			nexts = append(nexts, o)
		}
	}
	for len(nexts) > 0 {
		if limit == 0 {
			return dst, dst[len(dst)-1].Offset, true
		}
		limit--
		lowest := 0
		for i, o := range nexts {
			if o < nexts[lowest] {
				lowest = i
			}
		}
		n := t.at(nexts[lowest])
		dst = append(dst, n.event)
		if n.next != 0 {
			nexts[lowest] = n.next
		} else {
			nexts[lowest] = nexts[len(nexts)-1]
			nexts = nexts[:len(nexts)-1]
		}
	}
	return dst, t.position, true
}

// follow finds the first event of a conversation after a cursor, or 0: at once
// if the cursor is one of its events, else by walking back from the newest.
func (t *Tail) follow(c subject.Conversation, cursor uint64) uint64 {
	head := t.heads[c]
	if head <= cursor {
		return 0
	}
	if cursor >= t.first {
		if n := t.at(cursor); n.event != nil && n.event.Conversation == c {
			return n.next
		}
	}
	for {
		prev := t.at(head).prev
		if prev <= cursor || prev < t.first {
			return head
		}
		head = prev
	}
}
