package client

import (
	"errors"
	"time"
)

// stop begins the end, for the first cause that there is. An orderly one goes on with the goodbye that an official client
// sends in this case; the reader ends when the server has heard it, or when it takes too long. After any other end the
// link is cut.
func (c *Conn) stop(cause error, orderly bool) {
	var farewell *time.Timer
	if orderly {
		farewell = time.AfterFunc(farewellTimeout, func() { c.current().cut() })
	}
	switch first := c.end(cause, farewell); {
	case !orderly:
		c.current().cut()
	case first:
		c.goodbye(cause)
	default:
		farewell.Stop()
	}
}

// end notes why the connection ends, and says whether that is the first cause; then the timer is its own from now on.
func (c *Conn) end(cause error, farewell *time.Timer) (first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause != nil {
		return false
	}
	c.cause, c.farewell = cause, farewell
	close(c.ending)
	return true
}

// goodbye may be called by a reader, and by whoever called Close; a write that is under way delays it, until the timer
// cuts that.
func (c *Conn) goodbye(cause error) {
	c.writes.Lock()
	defer c.writes.Unlock()
	l := c.current()
	if errors.Is(cause, ErrClosed) {
		if err := l.send([]byte("41"), false); err != nil {
			l.cut()
			return
		}
	}
	l.goodbye()
}
