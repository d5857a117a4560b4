package door

import (
	"net"
	"net/netip"
)

const (
	// socketsEach is how many sockets one Engine.IO connection may bring along: browsers open up to six to one site for a
	// page's files, and keep them for a while; polling takes two.
	socketsEach = 8
	// spareSockets are for who asks for health, for metrics and for pages.
	spareSockets = 64
)

// Listener takes in so many sockets as the limits of connections call for, whether anything is sent over them or not, and
// closes those beyond at once. Sockets of a proxy are not counted by address.
type Listener struct {
	*net.TCPListener
	proxies Proxies
	counter *Counter
	refused func(Reason)
}

// Listen listens on host:port. limits are those of connections. refused is told of each socket that was not taken in.
func Listen(address string, limits Limits, proxies Proxies, refused func(Reason)) (*Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	return &Listener{l.(*net.TCPListener), proxies, NewCounter(sockets(limits)), refused}, nil
}

// SetLimits is for limits of connections that have changed.
func (l *Listener) SetLimits(limits Limits) { l.counter.SetLimits(sockets(limits)) }

func sockets(limits Limits) Limits {
	for _, n := range []*int{&limits.Total, &limits.PerAddress} {
		if *n > 0 {
			*n = *n*socketsEach + spareSockets
		}
	}
	return limits
}

// Accept implements [net.Listener].
func (l *Listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.AcceptTCP()
		if err != nil {
			return nil, err
		}
		address := Peer(conn.RemoteAddr().String())
		if l.proxies.Trust(address) {
			address = netip.Addr{}
		}
		place, reason := l.counter.Enter(address)
		if place != nil {
			return &counted{conn, place}, nil
		}
		_ = conn.Close()
		l.refused(reason)
	}
}

// counted leaves its place when it is closed. It has all that a TCP connection has: the transport writes to its
// descriptor.
type counted struct {
	*net.TCPConn
	place *Place
}

func (c *counted) Close() error {
	c.place.Leave()
	return c.TCPConn.Close()
}
