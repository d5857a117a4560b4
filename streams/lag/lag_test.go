package lag_test

import (
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/streams/lag"
)

var start = time.Date(2030, 1, 1, 10, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }

func TestWhoHasEverythingIsNotBehind(t *testing.T) {
	var l lag.Lag
	if got := l.Behind(0, at(0)); got != 0 {
		t.Errorf("before the first look: %v", got)
	}
	for s := range 3600 {
		l.Saw(10, 10, at(s))
	}
	if got := l.Behind(10, at(3600)); got != 0 {
		t.Errorf("an hour of silence is a lag of %v", got)
	}
	l.Saw(10, 11, at(3600))
	if got := l.Behind(10, at(3601)); got != 2*time.Second {
		t.Errorf("the first event after it is behind by %v", got)
	}
	if got := l.Behind(11, at(3602)); got != 0 {
		t.Errorf("and once it is there by %v", got)
	}
}

func TestALagIsTheTimeSinceAllThatWasThereHasBeenReached(t *testing.T) {
	var l lag.Lag
	position := uint64(0)
	for s := range 10 { // 100 a second are appended, 50 followed
		l.Saw(position, uint64(100*s), at(s))
		position = uint64(50 * s)
	}
	// At the ninth second it stands at 450, which the log held at 4.5.
	if got := l.Behind(position, at(9)); got < 4500*time.Millisecond || got > 9*time.Second {
		t.Errorf("behind by %v", got)
	}
	before := l.Behind(position, at(9))
	if got := l.Behind(position, at(19)); got != before+10*time.Second {
		t.Errorf("who stands still is behind by %v after 10 s, was by %v", got, before)
	}
}

func TestOneWhoFollowsALittleBehindIsBehindByALittle(t *testing.T) {
	var l lag.Lag
	for s := range 100 { // busy without a pause, and followed half a second late
		l.Saw(uint64(max(0, 100*s-50)), uint64(100*s), at(s))
	}
	if got := l.Behind(9850, at(99)); got > 2*time.Second {
		t.Errorf("behind by %v", got)
	}
}
