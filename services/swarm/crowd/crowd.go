// Package crowd is many clients that behave as people's do, and some that do not: they talk, come back, read slowly,
// send again what was not acked, join and leave, and attack. It writes down what each of them did and was told
// (package history), and judges nothing of it.
//
//	Crowd ── member ─┬─ outbox   what it wants to be stored, until that is acked
//	                 └─ seat ──  one connection after another, with a cursor
//
// Each member has one goroutine that acts, and each seat one that keeps it connected; all end with Run. What a member
// keeps is bounded by its outbox, except the history, which grows with what happens: it is kept only if asked for.
package crowd

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/tidemark-chat/tidemark/services/swarm/history"
	"github.com/tidemark-chat/tidemark/services/swarm/measure"
)

// Options say what crowd is wanted.
type Options struct {
	Gateways []string // base URLs; each connection takes one of them
	Mix      Mix
	Seed     uint64  // of everything that is left to chance
	Rate     float64 // messages per second, of all members together; 0: nobody sends by itself
	Size     int     // bytes of a message's content, at least
	Rooms    int     // rooms, beside "general", that users are in and move between
	// Transports are drawn from for each connection; empty: WebSocket alone.
	Transports []Share
	// Spread is the time over which members connect for the first time.
	Spread time.Duration
	// AckTimeout is how long a member waits for an ack before it sends again.
	AckTimeout time.Duration
	Record     bool   // keep the history
	Publisher  bool   // there is one more, who says what Publish asks for
	Aside      string // base URL of the gateway where the publisher is; empty: one of Gateways
	Meter      *measure.Meter
}

// Crowd is the members of one run.
type Crowd struct {
	Options
	run     *history.Run
	began   time.Time
	frames  *frames
	members []*member

	quiet     atomic.Bool   // nobody says anything new
	highest   atomic.Uint64 // offset that anybody was acked
	door      door
	gathering atomic.Int64 // nanoseconds over which those who wait at the door come back
	people    people
	epochs    epochs
	refusals  notes
	breaches  notes // of the contract, that are in no connection's history
}

// New makes a crowd, of which nobody is connected yet.
func New(o Options) *Crowd {
	began := time.Now()
	c := &Crowd{
		Options: o, began: began, frames: newFrames(),
		run: &history.Run{ID: "swarm-" + uuid.NewString()[:13], Began: began},
	}
	c.door.open()
	seeds := rand.New(rand.NewPCG(o.Seed, 0))
	if o.Publisher {
		c.add(newPublisher(c, rand.New(rand.NewPCG(o.Seed, seeds.Uint64()))))
	}
	for _, p := range Profiles {
		for n := range o.Mix[p.Name] {
			c.add(newMember(c, p, fmt.Sprintf("%s-%d", p.Name, n+1), rand.New(rand.NewPCG(o.Seed, seeds.Uint64()))))
		}
	}
	return c
}

func (c *Crowd) add(m *member) {
	c.members = append(c.members, m)
	c.run.Actors = append(c.run.Actors, m.actor)
}

// Run lets everybody connect and act until ctx ends, and returns when all have left.
func (c *Crowd) Run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	for i, m := range c.members {
		wait := c.Spread * time.Duration(i) / time.Duration(len(c.members))
		all.Go(func() {
			if pause(ctx, wait) {
				m.live(ctx)
			}
		})
	}
}

// History is what has happened. Nothing is added to it once Run has returned.
func (c *Crowd) History() *history.Run { return c.run }

// Tabs is how many connections each member has at the end.
func (c *Crowd) Tabs() map[string]int {
	tabs := make(map[string]int, len(c.members))
	for _, m := range c.members {
		tabs[m.actor.Name] = len(m.seats)
	}
	return tabs
}

// Seats is how many connections there are to be.
func (c *Crowd) Seats() (n int) {
	for _, m := range c.members {
		n += len(m.seats)
	}
	return n
}

// Reached is the newest offset that anybody was acked.
func (c *Crowd) Reached() uint64 { return c.highest.Load() }

// Epochs are the epochs of the log that clients were told, by gateway.
func (c *Crowd) Epochs() map[string][]string { return c.epochs.all() }

// Breaches are the breaches of the contract that are in no connection's history.
func (c *Crowd) Breaches() []string { return c.breaches.all() }

// Refusals says why connections were refused, each reason once, with how often.
func (c *Crowd) Refusals() []string { return c.refusals.all() }

// since is the time on the run's clock.
func (c *Crowd) since() time.Duration { return time.Since(c.began) }

// reach takes note of an offset.
func (c *Crowd) reach(offset uint64) {
	for {
		old := c.highest.Load()
		if offset <= old || c.highest.CompareAndSwap(old, offset) {
			return
		}
	}
}

// pause waits for a time; it is false if ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
