package client

import (
	"errors"
	"strconv"
	"sync"
	"time"
)

// Conn is a connection. Its methods may be called from any goroutine, those that send and Close and Cut also from within
// a callback.
type Conn struct {
	event   func(payload []byte)
	connect []byte // the CONNECT packet

	writes sync.Mutex // one packet after another; before mu
	acks   pending
	gate   gate

	// The reader's.
	id, pid  string
	patience time.Duration // without a ping
	deadline time.Time     // of the next ping; zero before the handshake
	awaited  int           // what is to happen until it is ready

	ready  chan struct{} // closed when Dial may return
	ending chan struct{} // closed when no more callback is to begin
	done   chan struct{} // closed when the reader has ended

	mu       sync.Mutex
	link     link // changes once, in an upgrade
	cause    error
	farewell *time.Timer // cuts an orderly end short; nil: there is none
}

// link is what the packets of a connection travel over.
type link interface {
	// read hands over what comes, with Conn.receive, until the link is over, and says why it is. It runs on the reader.
	read(c *Conn) error
	// opened takes the handshake, on the reader.
	opened(c *Conn, h handshake) error
	// send sends a packet, or takes it to be sent. Calls come one at a time.
	send(packet []byte, binary bool) error
	// goodbye closes in order, after what was sent. It comes at most once, after all sends; read ends some time after it.
	goodbye()
	// cut ends all at once. It may come at any time, and more than once.
	cut()
	// release gives back what it has, when read has ended.
	release()
}

func newConn(o Options) (*Conn, error) {
	c := &Conn{event: o.Event, connect: []byte("40"), awaited: 1,
		ready: make(chan struct{}), ending: make(chan struct{}), done: make(chan struct{})}
	if o.Transport == Upgrade {
		c.awaited = 2
	}
	if o.Auth != nil {
		auth, err := encode(o.Auth)
		if err != nil {
			return nil, err
		}
		c.connect = append(c.connect, auth...)
	}
	return c, nil
}

// run is the reader goroutine.
func (c *Conn) run(l link) {
	defer close(c.done)
	c.end(l.read(c), nil)
	c.acks.end()
	c.current().release()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.farewell != nil {
		c.farewell.Stop()
	}
}

// SocketID is the Socket.IO id that the server gave the connection.
func (c *Conn) SocketID() string { return c.id }

// PID is the private id that a server with connectionStateRecovery gave it, by which a client is known when it comes back.
func (c *Conn) PID() string { return c.pid }

// Emit sends an event, a JSON array, and wants no ack. Over polling it only takes the event: if it cannot be sent, the
// connection ends.
func (c *Conn) Emit(payload []byte) error { return c.message(payload, nil) }

// Ask is Emit with an ack: answer is called once with its JSON array, valid during the call only, or never, if the
// connection ends first.
func (c *Conn) Ask(payload []byte, answer func(args []byte)) error {
	id, ok := c.acks.add(answer)
	if !ok {
		return c.why()
	}
	err := c.message(payload, strconv.AppendInt(nil, int64(id), 10))
	if err != nil {
		c.acks.take(id)
	}
	return err
}

var errPayload = errors.New("an event is a JSON array")

var packets = sync.Pool{New: func() any { return new([]byte) }}

func (c *Conn) message(payload, id []byte) error {
	if len(payload) < 2 || payload[0] != '[' {
		return errPayload
	}
	p := packets.Get().(*[]byte)
	defer recycle(p)
	*p = append(append(append((*p)[:0], "42"...), id...), payload...)
	return c.send(*p, false)
}

// maxKept is how large a buffer may be that is kept for what comes next.
const maxKept = 64 << 10

func recycle(p *[]byte) {
	if cap(*p) <= maxKept {
		packets.Put(p)
	}
}

// Write sends one Engine.IO packet as it is, whatever it is.
func (c *Conn) Write(packet []byte) error { return c.send(packet, false) }

// WriteBinary sends a binary frame; over polling its base64 form.
func (c *Conn) WriteBinary(data []byte) error { return c.send(data, true) }

func (c *Conn) send(packet []byte, binary bool) error {
	c.writes.Lock()
	defer c.writes.Unlock()
	if c.over() {
		return c.why()
	}
	err := c.current().send(packet, binary)
	if err != nil && !errors.Is(err, ErrBacklog) {
		c.stop(lost(err), false)
		return c.why()
	}
	return err
}

// Pause stops reading, after at most one more frame, so that what is sent piles up in front of the client. Pings are not
// answered meanwhile, and the time does not count for Err.
func (c *Conn) Pause() { c.gate.close() }

// Resume ends a Pause.
func (c *Conn) Resume() { c.gate.open() }

// Close disconnects as an official client does, with a Socket.IO disconnect and then Engine.IO's close, and does not wait
// for the end, which comes within seconds. No callback begins any more.
func (c *Conn) Close() { c.stop(ErrClosed, true) }

// Cut ends the connection without a goodbye, over TCP with a reset. No callback begins any more.
func (c *Conn) Cut() { c.stop(ErrClosed, false) }

// Done is closed when the connection has ended; no callback runs any more.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err is why the connection has ended, or nil while it has not.
func (c *Conn) Err() error {
	select {
	case <-c.done:
		return c.why()
	default:
		return nil
	}
}

func (c *Conn) why() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

func (c *Conn) over() bool {
	select {
	case <-c.ending:
		return true
	default:
		return false
	}
}

func (c *Conn) current() link {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.link
}
