package gateway

import (
	"context"
	"sync"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/history"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
)

// horizon knows how far the feed has come, and how far the log is.
type horizon struct {
	log *eventlog.Log

	mu      sync.Mutex
	reached uint64
	waiting map[chan struct{}]uint64 // for the feed to reach an offset
	next    *head                    // the question to be asked next; nil if nobody waits for it
	asking  bool
}

// head is one question to the log, of all who came before it was asked.
type head struct {
	done   chan struct{}
	offset uint64
	err    error
}

func newHorizon(log *eventlog.Log) *horizon {
	return &horizon{log: log, waiting: make(map[chan struct{}]uint64)}
}

// reach is told each offset that the feed has delivered.
func (h *horizon) reach(offset uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reached = offset
	for w, until := range h.waiting {
		if until <= offset {
			close(w)
			delete(h.waiting, w)
		}
	}
}

// upToDate waits until the feed has delivered what the log held when it was
// called: a feed may be a little behind what another gateway has acked. Where that
// cannot be found out, or not in time, what there is must do.
func (gen *generation) upToDate(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, history.Timeout)
	defer cancel()
	h := gen.horizon
	if end, err := h.head(ctx); err == nil {
		h.wait(ctx, end)
	}
}

func (h *horizon) wait(ctx context.Context, offset uint64) {
	h.mu.Lock()
	if h.reached >= offset {
		h.mu.Unlock()
		return
	}
	reached := make(chan struct{})
	h.waiting[reached] = offset
	h.mu.Unlock()
	select {
	case <-reached:
	case <-ctx.Done():
		h.mu.Lock()
		delete(h.waiting, reached)
		h.mu.Unlock()
	}
}

// head asks the log where it ends: one question at a time, for all who wait.
func (h *horizon) head(ctx context.Context) (uint64, error) {
	h.mu.Lock()
	if h.next == nil {
		h.next = &head{done: make(chan struct{})}
	}
	mine := h.next
	if !h.asking {
		h.asking = true
		go h.ask()
	}
	h.mu.Unlock()
	select {
	case <-mine.done:
		return mine.offset, mine.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// ask asks until nobody waits any more, which bounds its goroutine's life.
func (h *horizon) ask() {
	for {
		h.mu.Lock()
		question := h.next
		h.next = nil
		h.asking = question != nil
		h.mu.Unlock()
		if question == nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), history.Timeout)
		state, err := h.log.State(ctx)
		cancel()
		question.offset, question.err = state.Last, err
		close(question.done)
	}
}
