package signing

import (
	"testing"
	"time"
)

func TestWhatIsDue(t *testing.T) {
	const interval = 10 * time.Second
	for _, test := range []struct {
		name             string
		size, checkpoint uint64
		every            int
		waited           time.Duration
		want             uint64
	}{
		{"nothing at all", 0, 0, 10, time.Hour, 0},
		{"nothing new", 7, 7, 10, time.Hour, 0},
		{"the read model is made again", 7, 3, 10, time.Hour, 0},
		{"too few, too soon", 7, 16, 10, interval - 1, 0},
		{"few, but it is time", 7, 8, 10, interval, 8},
		{"enough", 7, 17, 10, 0, 17},
		{"enough, and some that can wait", 7, 39, 10, interval - 1, 37},
		{"enough, and it is time for the rest too", 7, 39, 10, interval, 39},
		{"each by itself", 7, 9, 1, 0, 9},
		{"from the beginning", 0, 1 << 40, 4000, 0, 1 << 40 / 4000 * 4000},
	} {
		if got := due(test.size, test.checkpoint, test.every, test.waited, interval); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}

func TestFailuresAreTriedAgainEverMoreSeldom(t *testing.T) {
	last := time.Duration(0)
	for failures := 1; failures < 200; failures++ {
		wait := backoff(failures)
		if wait < minBackoff || wait > maxBackoff || wait < last {
			t.Fatalf("%v after %d failures", wait, failures)
		}
		last = wait
	}
	if backoff(1) != minBackoff || last != maxBackoff {
		t.Errorf("from %v to %v", backoff(1), last)
	}
}
