package idempotency

import "time"

// Window is the time for which the log recognises a repeated append.
type Window struct {
	Length time.Duration
	// Way is the longest that a message takes from here into the log. A way
	// longer than a quarter of the window is taken for that.
	Way time.Duration
}

// Horizon is the time before which an original may be beyond the window when
// its repetition, judged now, reaches the log.
func (w Window) Horizon(now time.Time) time.Time {
	return now.Add(-w.Length + min(w.Way, w.Length/4))
}
