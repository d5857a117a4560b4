// Package link is a TCP connection's way between two processes, on which things can go wrong: a proxy that passes on
// what it is sent, and delays, slows, swallows or cuts it when told to.
//
//	caller ──▶ listener ──▶ wire (toxics of toxiproxy, both directions) ──▶ target
//
// What a real network does holds here too: bytes that arrive are the bytes that were sent, in order, up to some point at
// which the connection ends. Nothing is ever left out of the middle of a connection that lives on.
//
// The delays and limits themselves are toxiproxy's. Its Proxy is not used, for three things that matter here: it cannot
// change the toxics of any connection while a single reader stands still (a stopped process, a client that does not
// read), it drops bytes of a connection that lives on when such a reader does not take them within 5 s of a change, and
// it leaves two goroutines behind for each connection whose reader goes away with bytes on their way. Here each
// connection has toxics of its own, and is reset where they cannot be changed in time.
package link

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

const (
	// dialTimeout bounds the way to the target: a process that stands still takes connections, so that only one with a
	// full backlog is that slow.
	dialTimeout = 3 * time.Second
	// patience is how long a connection may take to change its toxics before it is reset. It has to stay below the 5 s
	// after which toxiproxy drops bytes.
	patience = time.Second
)

// Link is one way from callers to a target. Its methods may be called from any goroutine; changes are made one after the
// other.
type Link struct {
	name   string
	listen string // host:port, the same for as long as the link exists
	target string

	change sync.Mutex // held while a fault begins or ends

	mu       sync.Mutex // guards what follows
	listener net.Listener
	closed   bool
	fault    *toxic // on wires that are made now
	wires    map[*wire]struct{}

	accepting, running sync.WaitGroup
	dialing            context.Context // ends with the link
	stopDialing        context.CancelFunc
}

// New makes a link that listens at once. Connections to it go on to target.
func New(name, listen, target string) (*Link, error) {
	l := &Link{name: name, listen: listen, target: target, wires: make(map[*wire]struct{})}
	l.dialing, l.stopDialing = context.WithCancel(context.Background())
	if err := l.open(); err != nil {
		return nil, err
	}
	return l, nil
}

// Name is what the link is called: "gateway-1-nats".
func (l *Link) Name() string { return l.name }

// Address is where callers connect.
func (l *Link) Address() string { return l.listen }

// Cut resets all connections and refuses new ones until Heal.
func (l *Link) Cut() {
	l.change.Lock()
	defer l.change.Unlock()
	l.shut()
	l.reset()
}

// Delay holds up what goes either way for latency, give or take jitter, until Heal. Bytes stay in order.
func (l *Link) Delay(latency, jitter time.Duration) error {
	return l.infect(toxic{Type: "latency", Attributes: map[string]int64{"latency": latency.Milliseconds(), "jitter": jitter.Milliseconds()}}, bothWays)
}

// Slow lets pass so many kilobytes a second each way on each connection, until Heal.
func (l *Link) Slow(kilobytes int64) error {
	return l.infect(toxic{Type: "bandwidth", Attributes: map[string]int64{"rate": kilobytes}}, bothWays)
}

// DropAnswers swallows what the target answers, until Heal, which resets the connections: what the callers send arrives,
// and they do not hear of it.
func (l *Link) DropAnswers() error {
	return l.infect(toxic{Type: "timeout", Attributes: map[string]int64{"timeout": 0}}, answers)
}

// Heal ends whatever fault the link has. A connection from which bytes are missing is reset.
func (l *Link) Heal() error {
	l.change.Lock()
	defer l.change.Unlock()
	l.mu.Lock()
	fault := l.fault
	l.fault = nil
	wires := l.live()
	l.mu.Unlock()
	switch {
	case fault == nil:
	case fault.swallows():
		l.reset()
	default:
		each(wires, (*wire).cure)
	}
	return l.open()
}

// Connections is how many connections there are.
func (l *Link) Connections() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.wires)
}

// Close resets all connections and returns when nothing of the link is left.
func (l *Link) Close() {
	l.change.Lock()
	defer l.change.Unlock()
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.stopDialing()
	l.shut()
	l.reset()
	l.running.Wait()
}

// infect gives all connections, those that are and those that come, a toxic, in place of the one that they have.
func (l *Link) infect(t toxic, ways []string) error {
	l.change.Lock()
	defer l.change.Unlock()
	t.ways = ways
	l.mu.Lock()
	before := l.fault
	l.fault = &t
	wires := l.live()
	l.mu.Unlock()
	if before != nil {
		each(wires, (*wire).cure)
	}
	problems := make(chan error, len(wires))
	each(wires, func(w *wire) { problems <- w.infect(t) })
	close(problems)
	for err := range problems {
		if err != nil {
			return fmt.Errorf("link %s: %w", l.name, err)
		}
	}
	return nil
}

// open listens, if the link does not.
func (l *Link) open() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.listener != nil || l.closed {
		return nil
	}
	listener, err := net.Listen("tcp", l.listen)
	if err != nil {
		return fmt.Errorf("link %s: %w", l.name, err)
	}
	l.listener, l.listen = listener, listener.Addr().String()
	l.accepting.Go(func() { l.accept(listener) })
	return nil
}

// shut stops listening: who connects is refused.
func (l *Link) shut() {
	l.mu.Lock()
	if l.listener != nil {
		_ = l.listener.Close()
		l.listener = nil
	}
	l.mu.Unlock()
	l.accepting.Wait()
}

func (l *Link) accept(listener net.Listener) {
	for {
		caller, err := listener.Accept()
		if err != nil {
			return // closed
		}
		w := &wire{link: l, caller: caller.(*net.TCPConn)}
		l.mu.Lock()
		l.wires[w] = struct{}{}
		l.mu.Unlock()
		l.running.Go(func() { w.run(l.dialing) })
	}
}

// reset ends all connections as a machine does that has lost power and comes back: at once, with whatever was on its way.
func (l *Link) reset() {
	l.mu.Lock()
	wires := l.live()
	l.mu.Unlock()
	each(wires, (*wire).reset)
}

// live lists the connections. The caller holds mu.
func (l *Link) live() []*wire {
	wires := make([]*wire, 0, len(l.wires))
	for w := range l.wires {
		wires = append(wires, w)
	}
	return wires
}

// each does something to all wires at the same time and returns when it is done.
func each(wires []*wire, do func(*wire)) {
	var all sync.WaitGroup
	for _, w := range wires {
		all.Go(func() { do(w) })
	}
	all.Wait()
}
