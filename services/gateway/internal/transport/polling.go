package transport

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zishang520/socket.io/parsers/engine/v3/packet"
	"github.com/zishang520/socket.io/servers/engine/v3/transports"
	"github.com/zishang520/socket.io/v3/pkg/types"
)

// polling is the long-polling transport: a GET waits until the link holds
// something and takes it away, a POST brings packets. It has no goroutine; all
// its work is done on those of the requests.
//
// It is not the library's polling transport, because that one keeps a buffer of
// its own, in which packets are lost when an upgrade comes between two steps of
// sending, and answers with what it then has no request for.
type polling struct {
	transports.Transport
	link    *Link
	first   *types.HttpContext // the handshake's request, until start answers it
	started atomic.Bool
	posting atomic.Bool

	// Guarded by link.mu.
	poll    chan struct{} // wakes the waiting poll; nil when none waits
	noop    bool          // the poll is to be answered even with nothing to say
	ended   byte          // what polls are answered with from now on; 0: still open
	goodbye func()        // to be called when the link has sent its last packet
}

func newPolling(ctx *types.HttpContext, link *Link) *polling {
	t := &polling{Transport: transports.MakeTransport(), link: link}
	t.Prototype(t)
	t.Construct(ctx)
	t.SetWritable(true) // and it stays so: the link takes whatever comes, up to its limit
	link.carrier = t
	return t
}

func (t *polling) connectionLink() *Link { return t.link }
func (t *polling) Name() string          { return transports.POLLING }

// start answers the handshake, on the goroutine of its request.
func (t *polling) start() {
	t.started.Store(true)
	if t.first != nil {
		t.serve(t.first)
		t.first = nil
	}
}

// OnRequest handles a request of this session. The engine calls it for the
// handshake's request, too, before anybody listens: that one waits for start.
func (t *polling) OnRequest(ctx *types.HttpContext) {
	switch {
	case !t.started.Load():
		t.first = ctx
	case ctx.Method() == http.MethodGet:
		t.serve(ctx)
	case ctx.Method() == http.MethodPost:
		t.accept(ctx)
	default:
		t.respond(ctx, http.StatusMethodNotAllowed, nil)
	}
}

// Send queues what the library writes. A noop only sends the waiting poll home,
// so that its client can upgrade.
func (t *polling) Send(packets []*packet.Packet) {
	if len(packets) == 1 && packets[0].Type == packet.NOOP {
		t.sendHome()
	} else {
		t.link.push(packets)
	}
	t.Emit("drain") // the engine counts them
}

func (t *polling) sendHome() {
	t.link.mu.Lock()
	defer t.link.mu.Unlock()
	if t.poll != nil {
		t.noop = true
		t.wake()
	}
}

// wake has the waiting poll look again. Under link.mu.
func (t *polling) wake() {
	if t.poll != nil {
		select {
		case t.poll <- struct{}{}:
		default: // it has not looked since it was last woken
		}
	}
}

// end settles what polls are answered with from now on.
func (t *polling) end(answer byte) {
	t.link.mu.Lock()
	defer t.link.mu.Unlock()
	if t.ended == 0 {
		t.ended = answer
	}
	t.wake()
}

// DoClose closes at once if the engine has already let go of the transport, or
// wants to be rid of it. Otherwise, done being what it does then, all that is
// queued and a close packet are sent first, which takes the client a poll or more.
func (t *polling) DoClose(done types.Callable) {
	switch {
	case done == nil && t.Discarded():
		t.end(engineNoop) // a WebSocket carries on
	case done == nil || t.Discarded() || !t.closeWhenSent(done):
		t.end(engineClose)
	default:
		return
	}
	if done != nil {
		done()
	}
	t.OnClose()
}

// closeWhenSent is false if the link is closed already.
func (t *polling) closeWhenSent(done func()) bool {
	goodbye := sync.OnceFunc(func() {
		t.end(engineClose)
		done()
		t.OnClose()
	})
	timer := time.AfterFunc(t.link.limits.StallTimeout, goodbye)
	t.link.mu.Lock()
	t.goodbye = func() {
		timer.Stop()
		goodbye()
	}
	t.link.mu.Unlock()
	return t.link.finish(t, closePacket) || !timer.Stop()
}

var closePacket = append(appendHeader(nil, opText, 1), engineClose)

// OnClose ends the transport; a poll that waits is sent home.
func (t *polling) OnClose() {
	t.end(engineNoop)
	t.Transport.OnClose()
}

// abort sends the waiting poll home with a close packet. The engine hears of it
// on another goroutine, as its listeners may do anything.
func (t *polling) abort() {
	t.end(engineClose)
	go t.OnClose()
}
