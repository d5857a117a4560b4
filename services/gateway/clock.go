package gateway

import (
	"sync/atomic"
	"time"
)

// clock tells the log's time, by which the age of keys is judged: the log's own
// window runs by it. It is read now and then and goes on by this process's
// monotonic clock in between, so that it does not matter when this machine's own
// time of day is wrong, or set anew.
type clock struct{ last atomic.Pointer[reading] }

// reading is one time as the log had it, and as this process had it then.
type reading struct{ log, here time.Time }

func (c *clock) set(log time.Time) { c.last.Store(&reading{log: log, here: time.Now()}) }

// now is only called after set.
func (c *clock) now() time.Time {
	r := c.last.Load()
	return r.log.Add(time.Since(r.here))
}
