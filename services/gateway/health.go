package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/revocation"
)

const (
	watchInterval = time.Second
	watchSoon     = 100 * time.Millisecond // while the gateway is not ready
	watchTimeout  = 2 * time.Second
	// watchLate is after how long without a look nothing is known any more: looks are
	// bounded, so whoever looks hangs.
	watchLate = 10 * time.Second
	// revocationsLate is for how long the revocations may be away from a gateway that gets
	// traffic: those who have a session or a token are cut meanwhile, as they connect.
	revocationsLate = 10 * time.Second
)

// health is what the gateway last found out about its log.
type health struct {
	mu      sync.Mutex
	problem error          // why it is not well; nil if it is
	log     eventlog.State // as of the last answer
	looked  time.Time      // when it was last asked; zero before the first time
}

// late says since when nothing has been found out, if that is too long.
func (h *health) late() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if d := time.Since(h.looked); !h.looked.IsZero() && d > watchLate {
		return fmt.Errorf("nothing has been found out about the log for %v", d.Round(time.Second))
	}
	return nil
}

func (h *health) look() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.looked = time.Now()
}

func (h *health) note(problem error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.problem = problem
}

func (h *health) get() (log eventlog.State, problem error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log, h.problem
}

// watch asks the log where it ends, again and again, until ctx ends.
func (g *Gateway) watch(ctx context.Context) {
	log := eventlog.Open(g.nats.reads)
	for {
		g.examine(ctx, log)
		again := watchInterval
		if g.notReady() != nil {
			again = watchSoon
		}
		select {
		case <-time.After(again):
		case <-ctx.Done():
			return
		}
	}
}

// examine finds out whether all is well. While there is no feed, what is known of
// why is left alone.
func (g *Gateway) examine(ctx context.Context, log *eventlog.Log) {
	ctx, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	g.health.look()
	state, err := log.State(ctx)
	if err != nil {
		g.health.note(fmt.Errorf("the log does not answer: %w", err))
		return
	}
	g.lag.Saw(g.position(), state.Last, time.Now())
	before, problem := g.health.get()
	if gen := g.current.Load(); gen != nil {
		if problem = gen.behind(before, state); problem == nil {
			gen.clock.set(state.Now)
			problem = g.nats.down()
		}
	}
	g.health.mu.Lock()
	defer g.health.mu.Unlock()
	g.health.problem, g.health.log = problem, state
}

// behind says why the feed is not current, if it is not: it is if by now everything
// has been done with what the log held the time before.
func (gen *generation) behind(before, now eventlog.State) error {
	applied := gen.applied.Load()
	switch {
	case gen.epoch != now.Epoch:
		return fmt.Errorf("the log is another one (epoch %s, was %s)", now.Epoch, gen.epoch)
	case before.Epoch == now.Epoch && applied < before.Last:
		return fmt.Errorf("the feed is at %d, the log was at %d a while ago", applied, before.Last)
	}
	return nil
}

// down says which connection is not there although the log can be read: nothing can
// be appended, or nothing would come.
func (c *connections) down() error {
	switch {
	case !c.publish.Conn().IsConnected():
		return errors.New("no connection to append to the log by")
	case !c.feed.Conn().IsConnected():
		return errors.New("no connection to follow the log by")
	}
	return nil
}

// notReady says why the gateway should get no traffic, or nil.
func (g *Gateway) notReady() error {
	if g.draining.Load() {
		return errors.New("stopping")
	}
	_, problem := g.health.get()
	if problem == nil {
		problem = g.health.late()
	}
	if problem == nil && g.current.Load() == nil {
		problem = errors.New("not following the log yet")
	}
	if problem == nil && g.revocations != nil {
		problem = unrevoked(g.revocations.Status(), time.Now())
	}
	return problem
}

// unrevoked says since when it is not known who was revoked, if that is too long: another
// gateway may know.
func unrevoked(s revocation.Status, now time.Time) error {
	switch {
	case s.Current || !s.Since.IsZero() && now.Sub(s.Since) <= revocationsLate:
		return nil
	case s.Since.IsZero():
		return fmt.Errorf("the revocations are not known: %w", s.Why)
	}
	return fmt.Errorf("the revocations have not been followed for %v: %w", now.Sub(s.Since).Round(time.Second), s.Why)
}

func (g *Gateway) serveReady(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if err := g.notReady(); err != nil {
		http.Error(w, "not ready: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ready")
}

func serveAlive(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	fmt.Fprintln(w, "alive")
}
