package crowd

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// Scatter cuts everybody's connection, the publisher's aside, and lets nobody come back before Gather. It waits until
// all are gone, or until ctx ends.
func (c *Crowd) Scatter(ctx context.Context) {
	c.door.close()
	for c.anyone() && pause(ctx, settlePoll) {
	}
	for _, m := range c.members {
		m.actor.Mu.Lock()
		for _, s := range m.seats {
			s.arrived = m.publishes
		}
		m.actor.Mu.Unlock()
	}
}

// anyone reports whether somebody beside the publisher is connected.
func (c *Crowd) anyone() bool {
	for _, m := range c.members {
		m.actor.Mu.Lock()
		connected := false
		for _, s := range m.seats {
			connected = connected || s.conn != nil
		}
		m.actor.Mu.Unlock()
		if connected && !m.publishes {
			return true
		}
	}
	return false
}

// Gather lets them come back, each after a time of its own that is at most so long.
func (c *Crowd) Gather(over time.Duration) {
	c.gathering.Store(int64(over))
	c.door.open()
}

// Publish has the publisher say so many messages in room general, and waits until all are acked. The crowd needs a
// Publisher.
func (c *Crowd) Publish(ctx context.Context, count int) error {
	m := c.members[0]
	if !m.publishes {
		return fmt.Errorf("this crowd has no publisher")
	}
	for said := 0; ; {
		m.again()
		for said < count && m.seats[0].speak() {
			said++
		}
		m.actor.Mu.Lock()
		waiting := len(m.outbox)
		m.actor.Mu.Unlock()
		if said == count && waiting == 0 {
			return nil
		}
		if !pause(ctx, time.Millisecond) {
			return fmt.Errorf("published %d of %d messages, %d of them not acked: %w", said, count, waiting, ctx.Err())
		}
	}
}

// newPublisher is a guest who only says what Publish asks for.
func newPublisher(c *Crowd, rng *rand.Rand) *member {
	m := newMember(c, Profiles[0], "publisher", rng)
	m.publishes = true
	return m
}
