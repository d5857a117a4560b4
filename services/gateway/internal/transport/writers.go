package transport

import (
	"runtime"
	"sync"
	"syscall"
	"time"
)

// writers write for one server's WebSockets what these take at once, and wait for
// none: no more goroutines than there are processors, and none while nothing is
// queued. A connection that must be waited for gets a goroutine of its own for as
// long as something is queued for it. That is one whose peer is slow, or for which
// very much is queued, and every one where a write cannot be kept from waiting:
// with TLS, and on Windows.
//
// One message to a thousand clients thus costs a thousand writes, but not a
// thousand goroutines. What is queued for a connection before its turn comes
// leaves in one write with the rest, and a write costs about the same for one
// frame and for fifty: so a connection that was written to just now waits, the
// longer the more there is to write for all, at most for mostRest. With little to
// do nobody waits, and neither does the first message after a moment of silence.
type writers struct {
	most int // goroutines

	mu      sync.Mutex // taken after a link's
	ready   queue      // wait for their turn; each only once, as its writing is set
	resting queue      // have been written to just now
	running int
	pace    pace
	release *time.Timer // moves those who rest; nil while it is not set
}

func newWriters() *writers { return &writers{most: runtime.GOMAXPROCS(0)} }

const (
	// turns is how many connections a goroutine takes at a time.
	turns = 16
	// busy is how many connections may wait for each goroutine before there is
	// another one.
	busy = 2 * turns
)

// push queues a connection that has something to write.
func (w *writers) push(t *webSocket) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	rest := w.pace.rest(now) - now.Sub(t.written)
	if rest < leastRest {
		w.ready.push(t)
		w.start()
		return
	}
	w.resting.push(t)
	if w.release == nil {
		w.release = time.AfterFunc(rest, w.rested)
	}
}

// rested lets all who rest have their turn: the first has waited as long as it
// should, the others less.
func (w *writers) rested() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.release = nil
	w.ready.pushAll(&w.resting)
	w.start()
}

// start makes sure that there are goroutines enough. Under mu.
func (w *writers) start() {
	for w.running < w.most && w.ready.length > w.running*busy {
		w.running++
		go w.run()
	}
}

func (w *writers) run() {
	var a attempt
	a.try = a.once
	var batch [turns]*webSocket
	for n := w.pop(&batch); n > 0; n = w.pop(&batch) {
		for i, t := range batch[:n] {
			batch[i] = nil
			if t.writeReady(&a) {
				w.push(t)
			}
		}
	}
}

// pop takes those who wait longest. With nobody there the goroutine is over.
func (w *writers) pop(batch *[turns]*webSocket) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	for ; n < len(batch) && w.ready.length > 0; n++ {
		batch[n] = w.ready.pop()
		batch[n].written = now
	}
	w.pace.wrote(now, n)
	if n == 0 {
		w.running--
	}
	return n
}

// queue is connections in a row. A connection is in one queue at most.
type queue struct {
	first, last *webSocket
	length      int
}

func (q *queue) push(t *webSocket) {
	if q.last == nil {
		q.first = t
	} else {
		q.last.next = t
	}
	q.last = t
	q.length++
}

// pop takes the first of a queue that is not empty.
func (q *queue) pop() *webSocket {
	t := q.first
	q.first, t.next = t.next, nil
	if q.first == nil {
		q.last = nil
	}
	q.length--
	return t
}

// pushAll moves all of another queue behind these.
func (q *queue) pushAll(other *queue) {
	if other.first == nil {
		return
	}
	if q.last == nil {
		q.first = other.first
	} else {
		q.last.next = other.first
	}
	q.last = other.last
	q.length += other.length
	*other = queue{}
}

// attempt is a write that does not wait.
type attempt struct {
	b   []byte
	n   int
	try func(fd uintptr) (done bool) // once, made once
}

// write returns how much was written: of a connection that cannot tell, nothing.
// What is wrong with one shows when it is waited for.
func (a *attempt) write(raw syscall.RawConn, b []byte) int {
	if raw == nil {
		return 0
	}
	a.b, a.n = b, 0
	err := raw.Write(a.try)
	a.b = nil
	if err != nil {
		return 0
	}
	return a.n
}

func (a *attempt) once(fd uintptr) (done bool) {
	a.n = max(0, writeSome(fd, a.b))
	return true
}
