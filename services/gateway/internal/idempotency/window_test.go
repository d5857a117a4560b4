package idempotency

import (
	"testing"
	"time"
)

func TestHorizonLeavesRoomForTheWayThere(t *testing.T) {
	now := time.Now()
	for _, c := range []struct{ length, way, want time.Duration }{
		{2 * time.Hour, 12 * time.Second, 2*time.Hour - 12*time.Second},
		{4 * time.Second, 12 * time.Second, 3 * time.Second},
	} {
		if got := now.Sub(Window{Length: c.length, Way: c.way}.Horizon(now)); got != c.want {
			t.Errorf("window %v, way %v: horizon %v ago, want %v", c.length, c.way, got, c.want)
		}
	}
}

func TestALogThatWasPutBackVouchesForNothingBefore(t *testing.T) {
	now := time.Now()
	w := Window{Length: 2 * time.Hour, Way: 12 * time.Second, Since: now.Add(-time.Minute)}
	if got := w.Horizon(now); !got.Equal(w.Since) {
		t.Errorf("the horizon is %v, the log was put back at %v", got, w.Since)
	}
	if w.vouched(now, now) {
		t.Error("a key of this moment is trusted, though a clock may be ahead and its original before the log was put back")
	}
	if later := now.Add(3 * time.Hour); !w.vouched(later, later) || w.Horizon(later).Before(w.Since) {
		t.Error("it does not vouch for what came long after")
	}
}

var window = Window{Length: 2 * time.Hour, Way: 12 * time.Second}

func TestAKeysOwnTimeVouchesForIt(t *testing.T) {
	now := time.Now()
	margin := time.Hour - 12*time.Second
	for age, want := range map[time.Duration]bool{
		0: true, time.Second: true, 30 * time.Minute: true, margin - time.Millisecond: true,
		margin: false, time.Hour: false, 2 * time.Hour: false, 24 * time.Hour: false,
		-time.Second: true, -time.Minute: true, -time.Minute - time.Millisecond: false, -time.Hour: false, -3 * time.Hour: false,
	} {
		if got := window.vouched(now.Add(-age), now); got != want {
			t.Errorf("a key of %v ago: %v, want %v", age, got, want)
		}
	}
	for _, length := range []time.Duration{time.Second, 4 * time.Second, 100 * 24 * time.Hour} {
		if w := (Window{Length: length, Way: window.Way}); !w.vouched(now, now) {
			t.Errorf("window %v: a key of this moment is not trusted", length)
		}
	}
}

// Whatever a client's clock, within half the window ahead, and whenever a key is
// first used and sent again: it is not taken for new once the log may have
// forgotten it.
func TestWrongClocksDoNoHarm(t *testing.T) {
	const step = 5 * time.Minute
	made := time.Now()
	for ahead := -5 * time.Hour; ahead <= window.Length/2; ahead += step {
		told := made.Add(ahead)
		for used := made; used.Before(made.Add(6 * time.Hour)); used = used.Add(step) {
			for again := used; again.Before(used.Add(6 * time.Hour)); again = again.Add(step) {
				if window.vouched(told, again) && used.Before(window.Horizon(again)) {
					t.Fatalf("clock ahead by %v, used after %v, again %v later: taken for new",
						ahead, used.Sub(made), again.Sub(used))
				}
			}
		}
	}
}

func TestFreshKeysOfTolerableClocksNeedNoLookup(t *testing.T) {
	now := time.Now()
	for _, ahead := range []time.Duration{-50 * time.Minute, -time.Minute, 0, time.Minute} {
		if !window.vouched(now.Add(ahead), now) {
			t.Errorf("clock ahead by %v: a fresh key is looked up", ahead)
		}
	}
}
