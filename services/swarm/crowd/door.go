package crowd

import (
	"context"
	"sync"
)

// door holds back who wants to connect while it is shut.
type door struct {
	mu   sync.Mutex
	shut chan struct{} // closed when it opens; nil while it is open
	slam chan struct{} // closed when it shuts
}

func (d *door) open() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut != nil {
		close(d.shut)
		d.shut = nil
	}
	if d.slam == nil {
		d.slam = make(chan struct{})
	}
}

func (d *door) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut == nil {
		d.shut = make(chan struct{})
		close(d.slam)
		d.slam = nil
	}
}

// shutting is closed when the door shuts, or has been shut.
func (d *door) shutting() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.slam == nil {
		return closed
	}
	return d.slam
}

var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// pass waits until the door is open, if it is not; ok is false if ctx ended first.
func (d *door) pass(ctx context.Context) (waited, ok bool) {
	d.mu.Lock()
	shut := d.shut
	d.mu.Unlock()
	if shut == nil {
		return false, ctx.Err() == nil
	}
	select {
	case <-shut:
		return true, true
	case <-ctx.Done():
		return true, false
	}
}
