package transport

import (
	"bytes"
	"io"
	"runtime/debug"

	"github.com/gorilla/websocket"
)

// read takes in messages until the connection ends, and then ends all of it.
// After a goodbye was queued it still reads, up to the peer's own, but passes
// nothing on.
func (t *webSocket) read() {
	defer t.over()
	for {
		message, binary, err := t.next()
		if err != nil {
			return
		}
		if t.ReadyState() != "open" {
			continue
		}
		if r := t.receive(message, binary); r != nil && r != tooLate {
			t.refuse(r)
		}
	}
}

// over runs when the reader ends, whatever the reason.
func (t *webSocket) over() {
	if reason := recover(); reason != nil {
		// The library recovers its listeners' panics; this is for its own.
		t.OnError("panic in a listener", panicError{reason, debug.Stack()})
	}
	t.abort()
	if timer := t.linger.Swap(nil); timer != nil {
		timer.Stop()
	}
	t.OnClose()
}

// next reads one message; of one that is too large, the first MaxFrame+1 bytes.
func (t *webSocket) next() (message []byte, binary bool, err error) {
	messageType, r, err := t.conn.NextReader()
	if err != nil {
		return nil, false, err
	}
	read := bytes.NewBuffer(getBuffer())
	_, err = read.ReadFrom(io.LimitReader(r, int64(t.link.limits.MaxFrame)+1))
	message = bytes.Clone(read.Bytes())
	putBuffer(read.Bytes())
	return message, messageType == websocket.BinaryMessage, err
}

// receive passes one message on to the engine, or says why not. It waits while
// too many of the connection's events are unfinished.
func (t *webSocket) receive(message []byte, binary bool) *refusal {
	if len(message) > t.link.limits.MaxFrame {
		return refusedSize
	}
	if binary {
		if !t.link.limits.AnyMessage || t.stage != stageOpen {
			return refusedBinary
		}
		t.OnPacket(binaryPacket(message))
		return nil
	}
	kind := classify(message, t.link.limits.AnyMessage)
	next, ok := t.stage.next(kind)
	if !ok {
		return refusedPacket
	}
	if kind == kindClose {
		t.abort()
		return nil
	}
	if kind == kindUpgrade {
		return t.upgrade(next, message)
	}
	t.stage = next
	return t.link.deliver(t, kind, message, nil)
}

// upgrade lets the engine switch to this transport, which hands it the link.
func (t *webSocket) upgrade(next stage, message []byte) *refusal {
	t.link.pongNow()
	t.OnPacket(textPacket(message))
	if !t.link.carriedBy(t) {
		return refusedUpgrade
	}
	t.stage = next
	return nil
}

// refuse closes the connection because of what the peer sent.
func (t *webSocket) refuse(r *refusal) {
	t.code.Store(int32(r.code))
	t.OnError(r.reason, nil)
	t.Close() // if nobody listened
}
