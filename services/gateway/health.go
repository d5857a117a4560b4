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
	watchTimeout  = 2 * time.Second
)

// health is what the gateway last found out about its log.
type health struct {
	mu      sync.Mutex
	problem error  // why it is not well; nil if it is
	head    uint64 // the log's newest offset, when last asked
}

func (h *health) note(problem error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.problem = problem
}

func (h *health) get() (head uint64, problem error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.head, h.problem
}

// watch asks the log where it ends, again and again, until ctx ends. The feed
// is current if it has delivered by now what the log held the time before.
func (g *Gateway) watch(ctx context.Context) {
	log := eventlog.Open(g.nats.reads)
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for {
		head, problem := g.examine(ctx, log)
		g.health.mu.Lock()
		g.health.problem = problem
		g.health.head = max(g.health.head, head)
		g.health.mu.Unlock()
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func (g *Gateway) examine(ctx context.Context, log *eventlog.Log) (head uint64, problem error) {
	ctx, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	state, err := log.State(ctx)
	if err != nil {
		return 0, fmt.Errorf("the log does not answer: %w", err)
	}
	gen := g.current.Load()
	before, _ := g.health.get()
	switch {
	case gen == nil:
		return state.Last, errors.New("not following the log yet")
	case gen.epoch == state.Epoch && gen.tail.Position() < before:
		return state.Last, fmt.Errorf("the feed is at %d, the log was at %d a while ago", gen.tail.Position(), before)
	}
	return state.Last, nil
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
