package transport

import "time"

// pace says how long connections rest between two writes, by how many writes there
// have been lately. The zero value is that of a server that has not written yet.
type pace struct {
	began     time.Time // of the current window
	now, last int       // writes in this window and in the one before
}

const (
	window = 10 * time.Millisecond
	// restPerWrite is for each write of a window. With n connections that are all
	// written to without a pause, it lets each of them rest for about
	// sqrt(n * window * restPerWrite): 11 ms for 200, 25 ms for 1,000.
	restPerWrite = 60 * time.Microsecond
	mostRest     = 25 * time.Millisecond
	leastRest    = time.Millisecond // less is not worth a timer
)

// wrote takes note of writes.
func (p *pace) wrote(now time.Time, n int) {
	p.turn(now)
	p.now += n
}

// rest is how long a connection rests after it was written to.
func (p *pace) rest(now time.Time) time.Duration {
	p.turn(now)
	return min(mostRest, time.Duration(max(p.now, p.last))*restPerWrite)
}

// turn begins a new window when it is time.
func (p *pace) turn(now time.Time) {
	switch since := now.Sub(p.began); {
	case since < window:
		return
	case since < 2*window:
		p.last = p.now
	default:
		p.last = 0 // nothing in the window before
	}
	p.began, p.now = now, 0
}
