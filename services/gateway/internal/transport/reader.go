package transport

import (
	"bytes"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/gorilla/websocket"
)

// begin takes in the first messages, and then has a goroutine take in the rest.
// It is called when the engine is listening: by the handshake, on its goroutine.
// The first one, a CONNECT, and those of an upgrade need more stack than all that
// come to a connection that is only listening, and the handshake has it already.
func (t *webSocket) begin() {
	for t.receiveNext() {
		if t.stage == stageOpen {
			go t.read()
			return
		}
	}
}

// read takes in messages until the connection ends.
func (t *webSocket) read() {
	for t.receiveNext() {
	}
}

// receiveNext takes in a message. It is false if the connection has ended, and
// then ends all of it. After a goodbye was queued it still reads, up to the peer's
// own, but passes nothing on.
func (t *webSocket) receiveNext() (more bool) {
	defer func() {
		if !more {
			t.over(recover())
		}
	}()
	message, binary, err := t.message()
	if err != nil {
		return false
	}
	if t.ReadyState() != "open" {
		return true
	}
	if r := t.receive(message, binary); r != nil && r != tooLate {
		t.refuse(r)
	}
	return true
}

// over is the end of reading, whatever the reason.
func (t *webSocket) over(panicked any) {
	if panicked != nil {
		// The library recovers its listeners' panics; this is for its own.
		t.panics.log(panicked, debug.Stack())
		t.OnError("panic in a listener", fmt.Errorf("panic: %v", panicked))
	}
	t.abort()
	if timer := t.linger.Swap(nil); timer != nil {
		timer.Stop()
	}
	t.OnClose()
}

// message reads one message; of one that is too large, the first MaxFrame+1 bytes.
func (t *webSocket) message() (message []byte, binary bool, err error) {
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
