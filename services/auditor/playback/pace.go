package playback

import (
	"context"
	"math"
	"time"
)

// pace says when events are due that are to come as they happened, only faster or slower. It is pure.
type pace struct {
	speed  float64       // how many times as fast; 0: everything is due at once
	maxGap time.Duration // no wait is longer; 0: no bound
	begun  bool
	due    time.Time // when the last event was
	at     time.Time // and the latest time that an event had
}

// next is when an event is due that happened at a time. The first is due now. Whoever is late does not become later: the
// times follow from each other and not from when they are kept.
func (p *pace) next(at, now time.Time) time.Time {
	if !p.begun || p.speed == 0 {
		p.begun, p.due, p.at = true, now, at
		return now
	}
	p.due = p.due.Add(p.wait(max(at.Sub(p.at), 0)))
	if at.After(p.at) { // after a change of the log's clock, times may descend
		p.at = at
	}
	return p.due
}

// wait is how long a silence lasts at this speed.
func (p *pace) wait(silence time.Duration) time.Duration {
	wait := time.Duration(math.MaxInt64)
	if slow := float64(silence) / p.speed; slow < math.MaxInt64 {
		wait = time.Duration(slow)
	}
	if p.maxGap > 0 {
		wait = min(wait, p.maxGap)
	}
	return wait
}

// sleep returns when a time has come, or ctx's error when that ends before.
func sleep(ctx context.Context, until time.Time) error {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
