package transport

import (
	"runtime"
	"sync"
	"syscall"
)

// writers write for one server's WebSockets, without ever waiting for a peer: no
// more goroutines than there are processors, and none while nothing is queued.
//
// One message to a thousand clients thus costs a thousand writes, but not a
// thousand goroutines. What is queued for a connection before its turn comes
// leaves in one write with the rest.
type writers struct {
	most int // goroutines

	mu          sync.Mutex // taken after a link's
	first, last *webSocket // wait for their turn; each only once, as its writing is set
	waiting     int
	running     int
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
	if w.last == nil {
		w.first = t
	} else {
		w.last.next = t
	}
	w.last = t
	w.waiting++
	start := w.running < w.most && w.waiting > w.running*busy
	if start {
		w.running++
	}
	w.mu.Unlock()
	if start {
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
	for ; n < len(batch) && w.first != nil; n++ {
		t := w.first
		batch[n], w.first, t.next = t, t.next, nil
	}
	if w.first == nil {
		w.last = nil
	}
	w.waiting -= n
	if n == 0 {
		w.running--
	}
	return n
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
