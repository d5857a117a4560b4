package gateway

import (
	"context"
	"sync"
)

// readers bounds what is read for clients at the same time.
type readers struct {
	slots chan struct{}

	mu     sync.Mutex
	closed bool
	all    sync.WaitGroup
}

func newReaders(n int) *readers { return &readers{slots: make(chan struct{}, n)} }

// run does some work on a goroutine of its own, after what it has to await, when
// there is a slot for it; or otherwise, if that is in vain or ctx ends before. A
// connection's inbound budget bounds how many of its own wait.
func (r *readers) run(ctx context.Context, await func() bool, work, otherwise func()) {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		otherwise()
		return
	}
	r.all.Add(1)
	r.mu.Unlock()
	go func() {
		defer r.all.Done()
		if await != nil && !await() {
			otherwise()
			return
		}
		select {
		case r.slots <- struct{}{}:
			defer func() { <-r.slots }()
			work()
		case <-ctx.Done():
			otherwise()
		}
	}()
}

// close takes no more work and waits for what there is.
func (r *readers) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.all.Wait()
}
