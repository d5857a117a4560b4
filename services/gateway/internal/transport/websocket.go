package transport

import (
	"encoding/binary"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
	"github.com/zishang520/socket.io/parsers/engine/v3/packet"
	"github.com/zishang520/socket.io/servers/engine/v3/transports"
	"github.com/zishang520/socket.io/v3/pkg/types"
)

// webSocket is the WebSocket transport. One goroutine reads. The server's writers
// write, and a second goroutine of its own while the peer is slow to take it.
//
// A WebSocket that is to take over a polling connection first answers a probe.
// Until it carries the link, only the reader writes to it; from then on, only a
// writer does.
type webSocket struct {
	transports.Transport
	link  *Link
	conn  *websocket.Conn // for reading only: it writes nothing but a protocol error's goodbye
	wire  net.Conn        // for writing
	raw   syscall.RawConn // the wire's; nil if it has none
	stage stage           // the reader's

	panics  *panics
	writers *writers
	next    *webSocket // to write after this one; guarded by writers.mu
	written time.Time  // when it last had its turn; guarded by writers.mu
	writing bool       // it is queued, or written; guarded by link.mu

	code   atomic.Int32 // the close code of the goodbye
	linger atomic.Pointer[time.Timer]
}

func newWebSocket(ctx *types.HttpContext, link *Link, writers *writers, panics *panics, stage stage) *webSocket {
	t := &webSocket{
		Transport: transports.MakeTransport(),
		link:      link,
		conn:      ctx.Websocket.Conn,
		wire:      ctx.Websocket.NetConn(),
		stage:     stage,
		panics:    panics,
		writers:   writers,
	}
	if c, ok := t.wire.(syscall.Conn); ok {
		t.raw, _ = c.SyscallConn() // an error is one of the connection's
	}
	t.code.Store(websocket.CloseNormalClosure)
	t.Prototype(t)
	t.Construct(ctx)
	t.SetWritable(true) // and it stays so: the link takes whatever comes, up to its limit
	t.conn.SetReadLimit(0)
	t.conn.SetPingHandler(t.onPing)
	t.conn.SetCloseHandler(func(int, string) error { return nil })
	if stage == stageOpen {
		link.carrier = t
	}
	if v := visitOf(ctx); v != nil {
		v.webSocket = t
	}
	return t
}

func (t *webSocket) connectionLink() *Link { return t.link }
func (t *webSocket) Name() string          { return transports.WEBSOCKET }
func (t *webSocket) HandlesUpgrades() bool { return true }

// Send queues what the library writes. On any goroutine, one at a time.
func (t *webSocket) Send(packets []*packet.Packet) {
	if !t.answersProbe(packets) {
		t.link.push(packets)
	}
	t.Emit("drain") // the engine counts them
}

// answersProbe writes the answer to a probe, on the reader's goroutine.
func (t *webSocket) answersProbe(packets []*packet.Packet) bool {
	if len(packets) != 1 || packets[0].Type != packet.PONG {
		return false
	}
	frame, _ := appendPacket(nil, packets[0])
	t.writeNow(frame)
	return true
}

// DoClose says goodbye: what is queued, a close frame, and then the peer's own
// close frame end the connection, for as long as the linger time allows.
func (t *webSocket) DoClose(done types.Callable) {
	if t.link.finish(t, closeFrame(int(t.code.Load()))) {
		t.linger.Store(time.AfterFunc(t.link.limits.linger(), t.abort))
	} else {
		t.abort()
	}
	if done != nil {
		done()
	}
}

// abort ends the reader and the writer; the reader tells the engine.
func (t *webSocket) abort() { _ = t.wire.Close() }

// onPing answers a ping frame. On the reader's goroutine.
func (t *webSocket) onPing(data string) error {
	pong := append(appendHeader(nil, opPong, len(data)), data...)
	if t.stage != stageOpen {
		t.writeNow(pong)
		return nil
	}
	t.link.pushFrame(pong)
	return nil
}

func closeFrame(code int) []byte {
	return binary.BigEndian.AppendUint16(appendHeader(nil, opClose, 2), uint16(code))
}
