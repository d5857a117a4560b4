package transport

import (
	"sync"
	"time"

	"github.com/zishang520/socket.io/parsers/engine/v3/packet"
	"github.com/zishang520/socket.io/servers/engine/v3"
)

// Link is one connection's outgoing side, and the count of what came in. It
// belongs to the connection: it is made with the first transport, survives the
// upgrade, and is empty once the engine has closed the connection.
//
// Its methods may be called from any goroutine and never block.
type Link struct {
	// What each delivery touches stands together: with thousands of connections the memory it is in is what a
	// delivery costs.
	mu        sync.Mutex
	carrier   carrier
	out       []byte // whole frames the carrier has not taken yet; nil if there are none
	taken     int    // bytes taken by the carrier and not written yet
	finishing bool   // the last frame is queued: nothing more is taken
	closed    bool
	refused   bool // a Send came back short: onDrain is owed
	draining  bool // a goroutine calls onDrain, as often as it is owed
	held      bool // CONNECT's answer waits now, and all behind it
	holdsBack bool // CONNECT's answer waits for the library's registration, see Attach
	connect   bool // a CONNECT was let in and is not answered yet
	onDrain   func()

	timed  int       // bytes to be written until the event that is timed has been; 0: none is
	stored time.Time // when that event was

	pong      *time.Timer // a pong that is passed on when it fires; see pongLater
	pongDelay time.Duration

	limits  Limits
	links   *registry
	sid     string // guarded by links
	inbound budget
}

func newLink(limits Limits, links *registry) *Link {
	return &Link{
		limits: limits,
		links:  links,
		inbound: budget{
			maxEvents: limits.InboundEvents,
			maxBytes:  limits.InboundBytes,
		},
	}
}

// carrier is the transport that writes a link's buffer.
type carrier interface {
	// wake says that there may be something to take. Under Link.mu; does not block.
	wake()
	// abort cuts the connection without a word. Not under Link.mu; does not block.
	abort()
	// OnPacket hands a packet to the engine. Not under Link.mu.
	OnPacket(*packet.Packet)
}

// LinkOf returns the link of a connection, always the same one. It is nil for a
// connection that this package's transports do not carry.
func LinkOf(conn engine.Socket) *Link {
	if t, ok := conn.Transport().(interface{ connectionLink() *Link }); ok {
		return t.connectionLink()
	}
	return nil
}

// Send queues frames in order while they fit into the send budget, and returns
// how many it took; of the rest nothing is queued. A frame larger than the whole
// budget is taken when nothing else is queued.
//
// After it took fewer than given, the function given to [Link.OnDrain] is called
// once, when less than half the budget is queued. A closed connection takes
// everything and drops it, so that nobody waits for it; see [Link.Closed].
func (l *Link) Send(frames ...Frame) (sent int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.finishing {
		return len(frames)
	}
	for _, f := range frames {
		if queued := l.queued(); queued > 0 && queued+len(f.wire) > l.limits.SendBudget {
			l.refused = true
			break
		}
		l.append(f.wire)
		sent++
	}
	l.wake()
	return sent
}

// Push queues a frame that cannot be refused. Over the send limit, which is above
// the budget, the connection is closed.
func (l *Link) Push(f Frame) { l.pushFrame(f.wire) }

// Time has the Observer told when all that is queued now has been written, with the
// time at which the newest event of it was stored. Of one connection one event is
// timed at a time; others are not.
func (l *Link) Time(stored time.Time) {
	l.mu.Lock()
	over := !l.closed && !l.finishing && l.timed == 0 && l.queued() == 0 // it was written meanwhile
	if !over && l.timed == 0 {
		l.timed, l.stored = l.queued(), stored
	}
	l.mu.Unlock()
	if over {
		l.limits.Observer.Written(stored)
	}
}

// OnDrain sets the function that Send's refusal promises to call. It runs on a
// goroutine of its own, so that whoever has just written for this connection goes on
// to write for others; for one connection, never on two at a time. It may call Send,
// and should not take long.
func (l *Link) OnDrain(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.onDrain = f
}

// Buffered is how many bytes are queued and not written to the network yet.
func (l *Link) Buffered() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.queued()
}

// Closed tells whether the connection is over, or about to be.
func (l *Link) Closed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed || l.finishing
}

// Begin is called once for each incoming event when its handler is reached, in
// the order of arrival, and returns the function to call when the event is
// completely done with: for a message, when the log has answered. That function
// may be called anywhere, in any order; calls after the first do nothing.
// What was let in and is not done yet is what holds the reader back.
func (l *Link) Begin() (done func()) { return l.inbound.begin() }

// Unfinished is how many events were let in and are not done yet.
func (l *Link) Unfinished() int { return l.inbound.unfinished() }

// Close cuts the transport at once, without a Socket.IO disconnect: official
// clients see "transport close" and reconnect by themselves. What is queued is
// lost. The library's handlers of the disconnect run later, on another goroutine.
func (l *Link) Close() { l.shut().abort() }

// configure sets what is known only when the engine announces the connection.
func (l *Link) configure(holdsBack bool, pongDelay time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.holdsBack = holdsBack && !l.limits.AnyMessage
	l.pongDelay = pongDelay
}

// shut ends taking in and sending. What an orderly goodbye has queued stays for
// its carrier.
func (l *Link) shut() carrier {
	l.links.remove(l)
	l.inbound.close()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.dropPong()
	if !l.finishing {
		putBuffer(l.out)
		l.out = nil
	}
	return l.carrier
}

// push queues what the library writes. It has no way to refuse, so over the
// send limit the connection is closed.
func (l *Link) push(packets []*packet.Packet) {
	l.mu.Lock()
	if l.closed || l.finishing {
		l.mu.Unlock()
		return
	}
	for _, p := range packets {
		l.pushPacket(p)
	}
	over := l.queued() > l.limits.SendLimit
	l.wake()
	l.mu.Unlock()
	if over {
		l.Close()
	}
}

// pushFrame queues a frame of our own, like push.
func (l *Link) pushFrame(frame []byte) {
	l.mu.Lock()
	if !l.closed && !l.finishing {
		l.append(frame)
		l.wake()
	}
	over := l.queued() > l.limits.SendLimit
	l.mu.Unlock()
	if over {
		l.Close()
	}
}

func (l *Link) pushPacket(p *packet.Packet) {
	if l.out == nil {
		l.out = getBuffer()
	}
	var data []byte
	l.out, data = appendPacket(l.out, p)
	switch {
	case isAnswer(p, data, socketConnect):
		l.held = l.holdsBack
		l.connect = l.held
	case isAnswer(p, data, socketConnectError):
		l.connect = false
	}
}

// admitConnect says whether a CONNECT may pass: not while one is unanswered. The
// library would make a second socket of it, and of each one after it.
func (l *Link) admitConnect() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.connect {
		return false
	}
	l.connect = true
	return true
}

// connected lets CONNECT's answer go: the library is ready for events now.
func (l *Link) connected() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.connect, l.held = false, false
	l.wake()
}

// carry hands the connection over from polling to a WebSocket, with everything
// that polling has not sent yet.
func (l *Link) carry(t *webSocket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.carrier.(*polling); !ok || l.closed || l.finishing {
		return // t finds itself not carrying, and ends
	}
	l.carrier = t
	l.wake()
}

func (l *Link) carriedBy(c carrier) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.carrier == c
}

// finish queues a last frame; the carrier closes the connection after it. It is
// false if there is no open connection that c carries.
func (l *Link) finish(c carrier, goodbye []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.finishing || l.carrier != c {
		return false
	}
	l.append(goodbye)
	l.finishing, l.held = true, false
	l.wake()
	return true
}

// take gives the carrier the oldest whole frames of up to about limit bytes (at
// least one), and nil if there is nothing for it. Under Link.mu.
func (l *Link) take(c carrier, limit int) []byte {
	if !l.ready(c) {
		return nil
	}
	batch := l.out
	l.out = nil
	if n := leading(batch, limit); n < len(batch) {
		l.out = append(getBuffer(), batch[n:]...)
		batch = batch[:n]
	}
	l.taken += len(batch)
	return batch
}

// ready tells whether there is something for the carrier. Under Link.mu.
func (l *Link) ready(c carrier) bool { return l.carrier == c && !l.held && len(l.out) > 0 }

// wrote says that n of the bytes taken have left. Not under Link.mu.
func (l *Link) wrote(n int) {
	l.mu.Lock()
	l.taken -= n
	if l.drained() && !l.draining {
		l.draining = true
		go l.drain()
	}
	over := l.timed > 0 && l.timed <= n
	l.timed = max(0, l.timed-n)
	stored := l.stored
	l.mu.Unlock()
	if over {
		l.limits.Observer.Written(stored)
	}
}

// drained tells whether onDrain is to be called now. Under Link.mu.
func (l *Link) drained() bool {
	return l.refused && l.onDrain != nil && !l.closed && l.queued() < l.limits.SendBudget/2
}

// drain calls onDrain until it is not owed any more.
func (l *Link) drain() {
	for tell := l.owed(); tell != nil; tell = l.owed() {
		tell()
	}
}

// owed returns onDrain if it is to be called now; otherwise draining is over.
func (l *Link) owed() func() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.drained() {
		l.draining = false
		return nil
	}
	l.refused = false
	return l.onDrain
}

func (l *Link) queued() int { return len(l.out) + l.taken }

func (l *Link) append(frame []byte) {
	if l.out == nil {
		l.out = getBuffer()
	}
	l.out = append(l.out, frame...)
}

func (l *Link) wake() {
	if !l.held && len(l.out) > 0 {
		l.carrier.wake()
	}
}

// leading is the length of as many whole frames at the start of b as fit into
// limit, at least one.
func leading(b []byte, limit int) int {
	if len(b) <= limit {
		return len(b)
	}
	_, _, rest := splitFrame(b)
	for len(rest) > 0 {
		_, _, next := splitFrame(rest)
		if len(b)-len(next) > limit {
			break
		}
		rest = next
	}
	return len(b) - len(rest)
}
