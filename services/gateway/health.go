package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
)

const (
	watchInterval = time.Second
	watchSoon     = 100 * time.Millisecond // while the gateway is not ready
	watchTimeout  = 2 * time.Second
)

// health is what the gateway last found out about its log.
type health struct {
	mu      sync.Mutex
	problem error          // why it is not well; nil if it is
	log     eventlog.State // as of the last answer
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

// examine finds the feed current if it has delivered by now what the log held
// the time before. While there is no feed, what is known of why is left alone.
func (g *Gateway) examine(ctx context.Context, log *eventlog.Log) {
	ctx, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	state, err := log.State(ctx)
	if err != nil {
		g.health.note(fmt.Errorf("the log does not answer: %w", err))
		return
	}
	g.lag.Saw(g.position(), state.Last, time.Now())
	gen := g.current.Load()
	before, problem := g.health.get()
	switch {
	case gen == nil:
	case gen.epoch != state.Epoch:
		problem = fmt.Errorf("the log is another one (epoch %s, was %s)", state.Epoch, gen.epoch)
	case before.Epoch == state.Epoch && gen.tail.Position() < before.Last:
		problem = fmt.Errorf("the feed is at %d, the log was at %d a while ago", gen.tail.Position(), before.Last)
	default:
		gen.clock.set(state.Now)
		problem = nil
	}
	g.health.mu.Lock()
	defer g.health.mu.Unlock()
	g.health.problem, g.health.log = problem, state
}

// notReady says why the gateway should get no traffic, or nil.
func (g *Gateway) notReady() error {
	if g.draining.Load() {
		return errors.New("stopping")
	}
	_, problem := g.health.get()
	if problem == nil && g.current.Load() == nil {
		problem = errors.New("not following the log yet")
	}
	return problem
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
