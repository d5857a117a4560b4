package transport

import "sync"

// buffers lends byte slices to connections that have something queued or are
// reading; an idle connection has none.
var buffers = sync.Pool{New: func() any { return new(make([]byte, 0, bufferSize)) }}

const (
	bufferSize = 4 << 10
	// bufferKeep is the largest buffer that goes back to the pool: one slow peer
	// must not leave its megabyte there.
	bufferKeep = 64 << 10
)

func getBuffer() []byte { return (*buffers.Get().(*[]byte))[:0] }

func putBuffer(b []byte) {
	if cap(b) > 0 && cap(b) <= bufferKeep {
		buffers.Put(&b)
	}
}
