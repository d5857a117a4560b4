package transport

import (
	"errors"
	"math"
	"net"
	"os"
	"time"
)

// wake starts the writer unless one runs. Under link.mu.
func (t *webSocket) wake() {
	if !t.writing {
		t.writing = true
		go t.write()
	}
}

// write writes what the link holds until nothing is left.
func (t *webSocket) write() {
	for {
		batch, last := t.batch()
		if batch == nil {
			if last {
				t.closeWrite()
			}
			return
		}
		err := writeChunks(t.wire, batch, t.link.limits.StallTimeout, t.link.wrote)
		putBuffer(batch)
		if err != nil {
			t.link.shut() // a reader that waits for the budget must see it, too
			t.abort()
			return
		}
	}
}

// batch takes all there is; with nothing there, the writer is over, for good
// after the goodbye.
func (t *webSocket) batch() (batch []byte, last bool) {
	t.link.mu.Lock()
	defer t.link.mu.Unlock()
	batch = t.link.take(t, math.MaxInt)
	if batch == nil {
		t.writing = false
	}
	return batch, t.link.finishing
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
	if writeChunks(t.wire, frame, t.link.limits.StallTimeout, func(int) {}) != nil {
		t.abort()
	}
}

// writeChunks writes b, telling wrote about each part. It gives up when nothing
// at all could be written for the stall time.
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
	return nil
}
