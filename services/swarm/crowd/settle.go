package crowd

import (
	"context"
	"fmt"
	"time"
)

// settlePoll is how often Settle looks.
const settlePoll = 20 * time.Millisecond

// Settle lets nobody say anything new, and waits until everything that was said is acked and everybody has been sent all
// up to the newest of it, or until ctx ends: then it says who is behind, and why. Until then it tells waiting the same.
func (c *Crowd) Settle(ctx context.Context, waiting func(behind []string)) (behind []string) {
	c.quiet.Store(true)
	for {
		behind = c.behind()
		if len(behind) > 0 {
			waiting(behind)
		}
		if len(behind) == 0 || !pause(ctx, settlePoll) {
			return behind
		}
	}
}

// behind says who is not where everybody is to get.
func (c *Crowd) behind() (who []string) {
	for _, m := range c.members {
		m.actor.Mu.Lock()
		if n := len(m.outbox); n > 0 {
			p := m.outbox[0]
			who = append(who, fmt.Sprintf("%s waits for the acks of %d messages; the first, %.60q with the key %q to %s, was sent %d times",
				m.actor.Name, n, p.send.Content, p.send.Key, p.send.Conversation, len(p.send.Tries)))
		}
		for i, s := range m.seats {
			switch {
			case s.conn == nil:
				who = append(who, fmt.Sprintf("%s is not connected (tab %d)", m.actor.Name, i+1))
			case s.moving:
				who = append(who, fmt.Sprintf("%s waits for the answer to a join or leave (tab %d)", m.actor.Name, i+1))
			case !s.line.caughtUp:
				who = append(who, fmt.Sprintf("%s is still catching up (tab %d)", m.actor.Name, i+1))
			case s.cursor == nil || *s.cursor < c.highest.Load():
				who = append(who, fmt.Sprintf("%s is at %d of %d (tab %d)", m.actor.Name, value(s.cursor), c.highest.Load(), i+1))
			}
		}
		m.actor.Mu.Unlock()
	}
	return who
}

func value(cursor *uint64) uint64 {
	if cursor == nil {
		return 0
	}
	return *cursor
}

// Ready waits until everybody has connected and caught up once, at the beginning or since Scatter, or until ctx ends; then
// it says who has not.
func (c *Crowd) Ready(ctx context.Context) (missing []string) {
	for {
		if missing = c.absent(); len(missing) == 0 || !pause(ctx, settlePoll) {
			return missing
		}
	}
}

func (c *Crowd) absent() (who []string) {
	for _, m := range c.members {
		m.actor.Mu.Lock()
		for i, s := range m.seats {
			if !s.arrived {
				who = append(who, fmt.Sprintf("%s (tab %d)", m.actor.Name, i+1))
			}
		}
		m.actor.Mu.Unlock()
	}
	return who
}
