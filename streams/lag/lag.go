// Package lag says for how long who follows the log has been behind it.
//
// The log's end is looked at now and then. The lag is the time since the last
// look at which everything that the log then held has been reached by now:
//
//	looks      10:00:00 ▶ 40     10:00:01 ▶ 70     10:00:02 ▶ 95
//	position 73 at 10:00:02      lag 1 s: all of 70 is there, and not all of 95
//
// So it does not depend on any event's own time: one event after a night of
// silence makes no lag of a night.
package lag

import (
	"sync"
	"time"
)

// Lag is the lag of one follower of one log. The zero Lag is one that has seen
// nothing yet, and is behind by nothing. Safe for concurrent use.
type Lag struct {
	mu     sync.Mutex
	head   look      // the newest
	target look      // the one whose reaching will shorten the lag
	since  time.Time // the look that was reached last, or the first one
}

// look is where the log ended at a time.
type look struct {
	offset uint64
	at     time.Time
}

// Saw notes where the log ended at a time, and where the follower was.
func (l *Lag) Saw(position, head uint64, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.since.IsZero() {
		l.since, l.target = at, look{head, at}
	}
	l.head = look{head, at}
	l.reach(position)
}

// Behind is the lag of a follower at a position.
func (l *Lag) Behind(position uint64, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reach(position)
	if position >= l.head.offset {
		return 0
	}
	return max(0, now.Sub(l.since))
}

// reach takes the next target when one is reached. Under mu. Of the looks between
// target and head none is remembered, so a lag is too long by one look at most
// while it shrinks, and never too short.
func (l *Lag) reach(position uint64) {
	if position >= l.head.offset {
		l.since, l.target = l.head.at, l.head
		return
	}
	if position >= l.target.offset {
		l.since, l.target = l.target.at, l.head
	}
}
