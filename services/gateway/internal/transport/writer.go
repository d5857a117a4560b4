package transport

import (
	"errors"
	"math"
	"net"
	"os"
	"time"
)

// wake has the queued frames written unless that is under way. Under link.mu.
func (t *webSocket) wake() {
	if !t.writing {
		t.writing = true
		t.writers.push(t)
	}
}

// writeReady writes a batch if the connection takes it at once. It is false if
// that is all for now: one that takes less gets a goroutine that waits for it, and
// so does one to which very much is to be written.
func (t *webSocket) writeReady(a *attempt) (more bool) {
	batch := t.batch()
	if batch == nil {
		return false
	}
	n := 0
	if len(batch) <= attemptMost {
		n = a.write(t.raw, batch)
	}
	if n > 0 {
		t.link.wrote(n)
	}
	if n < len(batch) {
		go t.write(batch, n)
		return false
	}
	putBuffer(batch)
	return t.more()
}

// write writes the rest of a batch, and then what else the link holds until
// nothing is left.
func (t *webSocket) write(batch []byte, from int) {
	for ; batch != nil; batch, from = t.batch(), 0 {
		err := writeChunks(t.wire, batch[from:], t.link.limits.StallTimeout, t.link.wrote)
		putBuffer(batch)
		if err != nil {
			t.link.failed(err)
			t.link.shut() // a reader that waits for the budget must see it, too
			t.abort()
			return
		}
	}
}

// batch takes all there is; with nothing there, writing is over, for good after
// the goodbye.
func (t *webSocket) batch() []byte {
	t.link.mu.Lock()
	batch := t.link.take(t, math.MaxInt)
	if batch == nil {
		t.writing = false
	}
	last := batch == nil && t.link.finishing
	t.link.mu.Unlock()
	if last {
		t.closeWrite()
	}
	return batch
}

// more tells whether there is another batch; if not, writing is over as in batch.
func (t *webSocket) more() bool {
	t.link.mu.Lock()
	more := t.link.ready(t)
	if !more {
		t.writing = false
	}
	last := !more && t.link.finishing
	t.link.mu.Unlock()
	if last {
		t.closeWrite()
	}
	return more
}

// closeWrite tells the peer that nothing follows. What it still sends is read,
// because closing now could make TCP discard what it has not read yet.
func (t *webSocket) closeWrite() {
	if c, ok := t.wire.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
}

// writeNow writes a frame on the reader's goroutine, while there is no writer.
func (t *webSocket) writeNow(frame []byte) {
	if err := writeChunks(t.wire, frame, t.link.limits.StallTimeout, func(int) {}); err != nil {
		t.link.failed(err)
		t.abort()
	}
}

// failed is told why a write failed.
func (l *Link) failed(err error) {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		l.limits.Observer.Stalled()
	}
}

// writeChunks writes b, telling wrote about each part. It gives up when nothing
// at all could be written for the stall time. No deadline is left: an attempt,
// which may be the next to write, sets none.
func writeChunks(w net.Conn, b []byte, stall time.Duration, wrote func(int)) error {
	for len(b) > 0 {
		if err := w.SetWriteDeadline(time.Now().Add(stall)); err != nil {
			return err
		}
		n, err := w.Write(b[:min(len(b), writeChunk)])
		b = b[n:]
		wrote(n)
		if err != nil && !(n > 0 && errors.Is(err, os.ErrDeadlineExceeded)) {
			return err
		}
	}
	return w.SetWriteDeadline(time.Time{})
}
