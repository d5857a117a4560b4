package transport

import "sync"

// budget counts the events of one connection that were taken in and are not
// finished yet, and makes its reader wait while there are too many.
//
// An event passes through three calls: acquire on the reader, begin when its
// handler is reached (in order), and the function that begin returned when
// everything about it is done (in any order).
type budget struct {
	maxEvents, maxBytes int

	mu       sync.Mutex
	events   int
	bytes    int
	sizes    []int         // of events not begun, oldest first; at most maxEvents
	released chan struct{} // closed at the next release; nil while nobody waits
	closed   bool
}

// acquire waits until an event of this size may be taken in. It gives up, with
// false, when the budget or cancel is closed.
func (b *budget) acquire(size int, cancel <-chan struct{}) bool {
	for {
		released, ok := b.tryAcquire(size)
		if released == nil {
			return ok
		}
		select {
		case <-released:
		case <-cancel:
			return false
		}
	}
}

// tryAcquire returns a channel to wait for if there is no room now.
func (b *budget) tryAcquire(size int) (wait <-chan struct{}, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, false
	}
	if b.events > 0 && (b.events >= b.maxEvents || b.bytes+size > b.maxBytes) {
		if b.released == nil {
			b.released = make(chan struct{})
		}
		return b.released, false
	}
	b.events++
	b.bytes += size
	b.sizes = append(b.sizes, size)
	return nil, true
}

// begin returns what finishes the oldest event not begun yet. Only the first
// call of it counts.
func (b *budget) begin() (done func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.sizes) == 0 {
		return func() {}
	}
	size := b.sizes[0]
	if b.sizes = b.sizes[1:]; len(b.sizes) == 0 {
		b.sizes = nil
	}
	var once sync.Once
	return func() { once.Do(func() { b.release(size) }) }
}

func (b *budget) release(size int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events--
	b.bytes -= size
	b.wake()
}

// unfinished is how many events were taken in and are not finished.
func (b *budget) unfinished() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.events
}

// close ends all waiting and all counting.
func (b *budget) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.sizes = nil
	b.wake()
}

func (b *budget) wake() {
	if b.released != nil {
		close(b.released)
		b.released = nil
	}
}
