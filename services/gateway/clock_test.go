package gateway

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestTheClockIsTheLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := time.Now().Add(-26 * time.Hour).Round(0) // without a monotonic part, as it comes from the log
		var c clock
		c.set(log)
		time.Sleep(time.Minute)
		if got := c.now(); !got.Equal(log.Add(time.Minute)) {
			t.Errorf("a minute later it is %v, was %v", got, log)
		}
		c.set(log)
		if got := c.now(); !got.Equal(log) {
			t.Errorf("set anew it is %v, want %v", got, log)
		}
	})
}

// A time of day that is set anew shows as two readings whose wall clocks differ by
// more than their monotonic clocks.
func TestTheClockHeedsNoTimeOfDay(t *testing.T) {
	log := time.Now().Add(5 * time.Hour).Round(0)
	var c clock
	c.set(log)
	r := c.last.Load()
	if r.here.String() == r.here.Round(0).String() {
		t.Errorf("%v has no monotonic part", r.here)
	}
}
