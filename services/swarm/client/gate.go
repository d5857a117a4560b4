package client

import "sync/atomic"

// gate holds a reader up while it is closed.
type gate struct{ closed atomic.Pointer[chan struct{}] } // nil while it is open

func (g *gate) close() {
	held := make(chan struct{})
	g.closed.CompareAndSwap(nil, &held)
}

func (g *gate) open() {
	if held := g.closed.Swap(nil); held != nil {
		close(*held)
	}
}

// pass waits until the gate is open, or until over is closed, and says whether it had to wait.
func (g *gate) pass(over <-chan struct{}) (waited bool) {
	for held := g.closed.Load(); held != nil; held = g.closed.Load() {
		waited = true
		select {
		case <-*held:
		case <-over:
			return true
		}
	}
	return waited
}
