package gateway

import (
	"sync/atomic"
	"time"
)

// clock tells the log's time, by which the age of keys is judged: the log's own
// window runs by it, and the gateway's clock may be wrong.
type clock struct{ ahead atomic.Int64 } // of the gateway's clock, in nanoseconds

func (c *clock) set(now time.Time) { c.ahead.Store(int64(time.Until(now))) }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }
