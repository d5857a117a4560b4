package gateway

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
)

// slowLog takes a second to say where it ends.
type slowLog struct{ asked, last atomic.Uint64 }

func (l *slowLog) State(context.Context) (eventlog.State, error) {
	l.asked.Add(1)
	last := l.last.Load()
	time.Sleep(time.Second) // of the test's own clock
	return eventlog.State{Last: last}, nil
}

// TestWhoAsksIsUpToDateWithWhatWasAckedBefore lets 1,000 come in 4 s while the log
// grows and the feed follows a little later: each waits for what the log held when
// he came, and few questions are asked.
func TestWhoAsksIsUpToDateWithWhatWasAckedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &slowLog{}
		gen := &generation{horizon: &horizon{log: log, waiting: make(map[chan struct{}]uint64)}}
		var reached atomic.Uint64
		var all sync.WaitGroup
		for offset := range uint64(1000) {
			log.last.Store(offset)
			all.Go(func() {
				gen.upToDate(t.Context())
				if got := reached.Load(); got < offset {
					t.Errorf("%d was acked, and the feed had reached %d", offset, got)
				}
			})
			time.AfterFunc(500*time.Millisecond, func() {
				reached.Store(offset)
				gen.horizon.reach(offset)
			})
			time.Sleep(4 * time.Millisecond)
		}
		all.Wait()
		if n := log.asked.Load(); n > 7 {
			t.Errorf("the log was asked %d times", n)
		}
		if len(gen.horizon.waiting) > 0 {
			t.Errorf("%d still wait", len(gen.horizon.waiting))
		}
	})
}

// TestWithoutAnAnswerWhatThereIsMustDo bounds the wait.
func TestWithoutAnAnswerWhatThereIsMustDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &slowLog{}
		log.last.Store(9)
		gen := &generation{horizon: &horizon{log: log, waiting: make(map[chan struct{}]uint64)}}
		began := time.Now()
		gen.upToDate(t.Context()) // the feed never comes
		if took := time.Since(began); took != 2*time.Second || len(gen.horizon.waiting) != 0 {
			t.Errorf("took %v, %d wait", took, len(gen.horizon.waiting))
		}
	})
}
