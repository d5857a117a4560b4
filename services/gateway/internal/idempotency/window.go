package idempotency

import "time"

// maxMargin bounds the time between looking a key up and storing its event.
const maxMargin = 10 * time.Second

// Window is the time for which the log recognises a repeated append.
type Window time.Duration

// Horizon is the time before which an original may be beyond the window by the
// time its repetition is stored: the window, less a margin for the way there.
func (w Window) Horizon(now time.Time) time.Time {
	margin := min(time.Duration(w)/4, maxMargin)
	return now.Add(-time.Duration(w) + margin)
}
