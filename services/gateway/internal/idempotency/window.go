package idempotency

import "time"

// Window is the time for which the log recognises a repeated append.
type Window struct {
	Length time.Duration
	// Way is the longest that a message takes from here into the log. A way
	// longer than a quarter of the window is taken for that.
	Way time.Duration
	// Since is when the log began to recognise them, if it has not always.
	Since time.Time
}

// Horizon is the time before which an original may be beyond the window when
// its repetition, judged now, reaches the log.
func (w Window) Horizon(now time.Time) time.Time {
	horizon := now.Add(-w.Length + min(w.Way, w.Length/4))
	if horizon.Before(w.Since) {
		return w.Since
	}
	return horizon
}

// maxAhead is how far in the future a key's own time may lie. What lies further is
// no clock's error of seconds but a wrong clock, or no time at all.
const maxAhead = time.Minute

// vouched reports whether the time that a key itself tells shows that it was not
// used before the horizon. The time is of the client's clock:
//
//	        horizon             margin             trusted                maxAhead
//	───────────┼─────────── half the window ────┼──────────────── now ───────┼──────
//	 forgotten │            may be forgotten    │                            │ wrong
//
// A key is not used before it is made. Where the clock is behind, the key looks
// older than it is, and at worst is looked up without need. Where the clock is
// ahead by s, the key was made s before the time it tells: it must tell a time
// later than the horizon by s. So clocks may be ahead by half the window; of one
// that is further ahead, a key sent again after the window may be taken for a new
// one. It is the user's own message that is doubled then.
func (w Window) vouched(told, now time.Time) bool {
	return told.After(w.Horizon(now).Add(w.Length/2)) && !told.After(now.Add(maxAhead))
}
