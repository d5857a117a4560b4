package transport

import (
	"time"

	"github.com/zishang520/socket.io/parsers/engine/v3/packet"
	"github.com/zishang520/socket.io/v3/pkg/types"
)

// The engine sends a ping first and then sets the timer within which it expects
// the pong. A pong that comes between the two, which takes no more than a busy
// machine and a near client, stops the timer of the ping before, and the
// connection is closed for a "ping timeout" although the client has answered.
//
// So a pong is not passed on at once, but a tenth of that time later.
const pongDelayPart = 10

// pongLater passes a pong on in a while. Those that come meanwhile are the same.
func (l *Link) pongLater() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pong == nil && !l.closed {
		l.pong = time.AfterFunc(l.pongDelay, l.pongNow)
	}
}

// pongNow passes on a pong that waits, and must be called before the connection
// is handed over: the engine no longer listens to the transport it came by.
func (l *Link) pongNow() {
	l.mu.Lock()
	waits, c := l.dropPong(), l.carrier
	l.mu.Unlock()
	if waits {
		c.OnPacket(&packet.Packet{Type: packet.PONG, Data: types.NewStringBuffer(nil)})
	}
}

// dropPong tells whether a pong has waited. Under Link.mu.
func (l *Link) dropPong() (waited bool) {
	if l.pong == nil {
		return false
	}
	l.pong.Stop()
	l.pong = nil
	return true
}
