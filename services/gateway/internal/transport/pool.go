package transport

import "sync"

// buffers lends byte slices to connections that have something queued or are
// reading; an idle connection has none. It holds *[bufferSize]byte, which takes no
// memory of its own to keep, and *[]byte of those that had to grow.
var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

const (
	bufferSize = 4 << 10
	// bufferKeep is the largest buffer that goes back to the pool: one slow peer
	// must not leave its megabyte there.
	bufferKeep = 64 << 10
)

func getBuffer() []byte {
	switch b := buffers.Get().(type) {
	case *[]byte:
		return (*b)[:0]
	default:
		return b.(*[bufferSize]byte)[:0]
	}
}

func putBuffer(b []byte) {
	switch {
	case cap(b) == bufferSize:
		buffers.Put((*[bufferSize]byte)(b[:bufferSize]))
	case cap(b) > bufferSize && cap(b) <= bufferKeep:
		large := b // which is on the heap; b is not
		buffers.Put(&large)
	}
}
