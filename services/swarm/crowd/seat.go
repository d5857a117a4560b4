package crowd

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/client"
	"github.com/tidemark-chat/tidemark/services/swarm/history"
)

// seat is one tab of a member: one connection after another, that together miss nothing. What changes is guarded by the
// member's actor.Mu.
type seat struct {
	m *member

	conn    *client.Conn // nil while there is none
	line    *line        // of conn
	cursor  *uint64      // offset; nil before the first
	epoch   string
	rooms   []string
	moving  bool // a join or leave waits for its answer
	arrived bool // it has caught up, since it came first or since all were scattered
}

// left is why a connection ended that was open until the run did.
const left = "the run has ended"

// line is one connection as it is written down.
type line struct {
	record   *history.Connection
	number   int  // among the actor's
	heard    int  // events
	waiting  int  // messages without an answer
	replayed bool // a message has come, or the event that announces many
	caughtUp bool // recovery has come
	dialled  time.Time
}

// live keeps it connected until ctx ends.
func (s *seat) live(ctx context.Context) {
	backoff := time.Duration(0)
	for s.enter(ctx) && pause(ctx, backoff) {
		if s.connection(ctx) {
			backoff = s.moment(100 * time.Millisecond)
		} else {
			backoff = min(maxBackoff, 2*backoff+s.moment(100*time.Millisecond))
		}
	}
}

// enter waits at the door, and then for as long as those who come back are to take; it is false if ctx ended first.
func (s *seat) enter(ctx context.Context) bool {
	if s.m.publishes {
		return ctx.Err() == nil
	}
	waited, ok := s.m.c.door.pass(ctx)
	if spread := time.Duration(s.m.c.gathering.Load()); ok && waited && spread > 0 {
		return pause(ctx, s.moment(spread))
	}
	return ok
}

// moment is a time up to a longest one.
func (s *seat) moment(longest time.Duration) time.Duration {
	s.m.actor.Mu.Lock()
	defer s.m.actor.Mu.Unlock()
	return time.Duration(s.m.rng.Int64N(int64(longest)))
}

// connection is one connection, from dial to end. It is false if there was none.
func (s *seat) connection(ctx context.Context) bool {
	c, l := s.m.c, &line{}
	options, deserved := s.prepare(l)
	options.Event = func(payload []byte) { s.hear(l, payload) }
	dialling, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	l.dialled = time.Now()
	conn, err := client.Dial(dialling, options)
	switch refused := (*client.Refused)(nil); {
	case errors.As(err, &refused) && deserved:
		return false
	case err != nil && ctx.Err() == nil:
		c.Meter.Refused.Add(1)
		c.refusals.add(reason(err))
		if refused != nil { // official clients do not come back after that
			c.breaches.add(fmt.Sprintf("a %s was refused with %q, and had done nothing to deserve it", s.m.p.Name, refused.Message))
		}
		return false
	case err != nil:
		return false
	}
	c.Meter.Connect(time.Since(l.dialled))
	c.Meter.Connects.Add(1)
	c.Meter.Connected.Add(1)
	s.begin(l, conn, deserved)
	why, wanted := s.stay(ctx, conn)
	s.blame(l, conn.Err())
	c.Meter.Connected.Add(-1)
	if !wanted {
		c.Meter.Cuts.Add(1)
	}
	s.end(l, why)
	return true
}

// blame writes down an end that the contract does not allow.
func (s *seat) blame(l *line, err error) {
	violation := (*client.Violation)(nil)
	if s.m.p.hostile || !errors.As(err, &violation) && !errors.Is(err, client.ErrDisconnected) {
		return
	}
	s.m.actor.Mu.Lock()
	defer s.m.actor.Mu.Unlock()
	s.note(l, history.Entry{Kind: history.Malformed, Text: "the server ended the connection in a way that the contract does not allow: " + err.Error()})
}

// reason is why a dial failed, without what differs from one to the next.
func reason(err error) string {
	if refused := (*client.Refused)(nil); errors.As(err, &refused) {
		return "connect_error: " + refused.Message
	}
	text := addresses.ReplaceAllString(err.Error(), "…")
	return text[:min(len(text), 200)]
}

// addresses are those of TCP, with a port that is another each time.
var addresses = regexp.MustCompile(`[0-9a-f.:\[\]]+:[0-9]+(->[0-9a-f.:\[\]]+:[0-9]+)?`)

// prepare says how to connect. deserved: with something that must be refused.
func (s *seat) prepare(l *line) (o client.Options, deserved bool) {
	m := s.m
	m.actor.Mu.Lock()
	defer m.actor.Mu.Unlock()
	o.URL = m.c.Gateways[m.rng.IntN(len(m.c.Gateways))]
	if m.publishes && m.c.Aside != "" {
		o.URL = m.c.Aside
	}
	o.Transport = m.transport()
	l.record = &history.Connection{Gateway: o.URL, Transport: string(o.Transport), Rooms: slices.Clone(s.rooms), Epoch: s.epoch}
	auth := map[string]any{}
	switch {
	case m.p.anew:
		l.record.Epoch = ""
	case s.cursor != nil:
		from := *s.cursor
		l.record.From = &from
		auth["serverOffset"] = from
	case !m.p.user || m.rng.IntN(2) == 0:
		l.record.Latest = true
		auth["serverOffset"] = "latest"
	}
	if l.record.Epoch != "" {
		auth["epoch"] = s.epoch
	}
	if len(s.rooms) > 0 {
		auth["rooms"] = l.record.Rooms
	}
	switch {
	case m.session != "":
		auth["sessionID"] = m.session
	case m.p.user:
		auth["username"] = m.actor.Username
	}
	if m.p.hostile && m.session != "" && m.rng.IntN(4) == 0 {
		deserved = true
		name, value := badAuth(m.rng)
		auth[name] = value
	}
	o.Auth = auth
	return o, deserved
}

// transport draws one. Under Mu.
func (m *member) transport() client.Transport {
	sum := 0
	for _, share := range m.c.Transports {
		sum += share.Weight
	}
	if sum == 0 {
		return client.WebSocket
	}
	n := m.rng.IntN(sum)
	for _, share := range m.c.Transports {
		if n -= share.Weight; n < 0 {
			return share.Transport
		}
	}
	return client.WebSocket
}

// begin takes a connection into use.
func (s *seat) begin(l *line, conn *client.Conn, deserved bool) {
	m := s.m
	m.actor.Mu.Lock()
	l.record.SocketID, l.record.Opened = conn.SocketID(), m.c.since()
	l.number = len(m.actor.Connections)
	if m.c.Record {
		m.actor.Connections = append(m.actor.Connections, l.record)
	}
	if deserved {
		s.note(l, history.Entry{Kind: history.Malformed, Text: "a connection that had to be refused was not"})
	}
	s.conn, s.line, s.moving = conn, l, false
	m.actor.Mu.Unlock()
	m.again()
}

// end takes it out of use.
func (s *seat) end(l *line, why string) {
	s.m.actor.Mu.Lock()
	defer s.m.actor.Mu.Unlock()
	l.record.Why = why
	s.m.c.Meter.Unanswered.Add(int64(l.waiting))
	if why != left {
		l.record.Closed = s.m.c.since()
	}
	s.conn, s.line = nil, nil
}

// note writes something down. Under Mu.
func (s *seat) note(l *line, e history.Entry) {
	if s.m.c.Record {
		e.At = s.m.c.since()
		l.record.Entries = append(l.record.Entries, e)
	}
}

// stay waits for the end of a connection, and brings it about where the profile says so. wanted: by this side.
func (s *seat) stay(ctx context.Context, conn *client.Conn) (why string, wanted bool) {
	c := s.m.c
	shutting := c.door.shutting()
	if s.m.publishes {
		shutting = nil
	}
	life, rest := s.timer(s.m.p.stays), s.timer(s.m.p.rests)
	defer life.Stop()
	defer rest.Stop()
	for {
		select {
		case <-conn.Done():
			return fmt.Sprint(conn.Err()), false
		case <-ctx.Done():
			conn.Close()
			<-conn.Done()
			return left, true
		case <-shutting:
			conn.Cut()
			<-conn.Done()
			return "cut by the client, as all were", true
		case <-life.C:
			if c.quiet.Load() {
				continue // it stays for the end
			}
			if s.moment(2) == 0 {
				conn.Cut()
			} else {
				conn.Close()
			}
			<-conn.Done()
			return "cut by the client", true
		case <-rest.C:
			s.rest(ctx, conn)
			rest.Reset(s.random(s.m.p.rests))
		}
	}
}

// timer fires after a time around a mean; never if that is 0.
func (s *seat) timer(mean time.Duration) *time.Timer { return time.NewTimer(s.random(mean)) }

func (s *seat) random(mean time.Duration) time.Duration {
	if mean == 0 {
		return math.MaxInt64
	}
	return mean/10 + s.moment(2*mean)
}

// rest stops reading for a while.
func (s *seat) rest(ctx context.Context, conn *client.Conn) {
	if s.m.c.quiet.Load() {
		return
	}
	s.mark(history.PausedHere)
	conn.Pause()
	pause(ctx, s.moment(s.m.p.rests))
	s.mark(history.ResumedHere)
	conn.Resume()
}

func (s *seat) mark(kind history.Kind) {
	s.m.actor.Mu.Lock()
	defer s.m.actor.Mu.Unlock()
	s.note(s.line, history.Entry{Kind: kind})
}
