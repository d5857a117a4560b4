package gateway

import (
	"context"
	"sync"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/history"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
)

// horizon knows how far the feed has come, and how far the log is.
type horizon struct {
	log interface {
		State(context.Context) (eventlog.State, error)
	}

	mu      sync.Mutex
	reached uint64
	waiting map[chan struct{}]uint64 // for the feed to reach an offset
	asked   *head                    // the last question that was asked
	next    *head                    // the one to be asked next; nil if nobody waits for it
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

// head asks the log where it ends: one question at a time. Who comes first asks
// it, for all who come until then.
func (h *horizon) head(ctx context.Context) (uint64, error) {
	h.mu.Lock()
	question, first, before := h.next, h.next == nil, h.asked
	if first {
		question = &head{done: make(chan struct{})}
		h.next = question
	}
	h.mu.Unlock()
	if first {
		if before != nil {
			<-before.done // within history.Timeout
		}
		h.ask(question)
	}
	select {
	case <-question.done:
		return question.offset, question.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func (h *horizon) ask(question *head) {
	h.mu.Lock()
	h.asked, h.next = question, nil
	h.mu.Unlock()
	// Not its first asker's context: others wait for the answer too.
	ctx, cancel := context.WithTimeout(context.Background(), history.Timeout)
	defer cancel()
	state, err := h.log.State(ctx)
	question.offset, question.err = state.Last, err
	close(question.done)
}
