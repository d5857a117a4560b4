package peers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/client"
)

// crowd is clients of one server, all in one room.
type crowd struct {
	members []*member

	received atomic.Int64  // messages, by all, since the last reset
	goal     atomic.Int64  // of received, that somebody waits for
	reached  chan struct{} // one place: the goal has just been reached
}

// member is one of them. It is called back by its connection's reader.
type member struct {
	crowd  *crowd
	number int
	conn   *client.Conn
	keys   int // that it has made

	dialed    time.Time
	connected time.Duration // how long that took

	mu       sync.Mutex
	waits    []time.Duration // of each receipt since the last reset, from its sending
	earliest time.Time       // sending of these
	enough   int             // how many receipts it is to have
	had      time.Time       // when it had them
	outbox   *outbox         // nil: it does not send
}

func newCrowd(n int) *crowd {
	c := &crowd{reached: make(chan struct{}, 1)}
	for i := range n {
		c.members = append(c.members, &member{crowd: c, number: i})
	}
	return c
}

// connect connects all, so many at once, each with an auth of its own.
func (c *crowd) connect(ctx context.Context, s *server, atOnce int, auth func(i int) any) error {
	return inParallel(len(c.members), atOnce, func(i int) error { return c.members[i].dial(ctx, s, auth(i)) })
}

// newcomers are n clients that are connected.
func newcomers(ctx context.Context, s *server, n int) (*crowd, error) {
	c := newCrowd(n)
	if err := c.connect(ctx, s, gently, func(int) any { return s.target.newcomer }); err != nil {
		c.leave()
		return nil, err
	}
	return c, nil
}

// gently is how many connect at once where that is not what is measured.
const gently = 32

// dialAtMost is how long a client waits until it is connected.
const dialAtMost = 30 * time.Second

func (m *member) dial(ctx context.Context, s *server, auth any) (err error) {
	ctx, cancel := context.WithTimeout(ctx, dialAtMost)
	defer cancel()
	m.dialed = time.Now()
	m.conn, err = client.Dial(ctx, client.Options{URL: "http://" + s.address, Auth: auth, Event: m.event})
	if err != nil {
		return fmt.Errorf("connect to %s: %w", s.target.Name, errors.Join(err, s.ended()))
	}
	m.connected = time.Since(m.dialed)
	return nil
}

// inParallel does n things, so many at once, and returns when all are done. After an error no more are begun.
func inParallel(n, atOnce int, do func(i int) error) error {
	var next atomic.Int64
	var failed atomic.Bool
	errs := make([]error, min(n, atOnce))
	var working sync.WaitGroup
	for w := range errs {
		working.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && !failed.Load(); i = int(next.Add(1)) - 1 {
				if errs[w] = do(i); errs[w] != nil {
					failed.Store(true)
				}
			}
		})
	}
	working.Wait()
	for _, err := range errs {
		if err != nil {
			return err // the others are most probably the same
		}
	}
	return nil
}

// leave closes all connections and waits until they are closed.
func (c *crowd) leave() {
	for _, m := range c.members {
		if m.conn != nil {
			m.conn.Cut()
		}
	}
	for _, m := range c.members {
		if m.conn != nil {
			<-m.conn.Done()
		}
	}
}

func (m *member) event(payload []byte) {
	sent, sender, ok := parseMessage(payload)
	if !ok {
		return
	}
	now := time.Now()
	m.mu.Lock()
	m.waits = append(m.waits, now.Sub(sent))
	if len(m.waits) == 1 || sent.Before(m.earliest) {
		m.earliest = sent
	}
	if len(m.waits) == m.enough {
		m.had = now
	}
	if m.outbox != nil && sender == m.number {
		m.outbox.returned()
	}
	m.mu.Unlock()
	if m.crowd.received.Add(1) == m.crowd.goal.Load() {
		select {
		case m.crowd.reached <- struct{}{}:
		default:
		}
	}
}

// awaitAtMost is how long it may take until all have received what was sent.
const awaitAtMost = time.Minute

// await waits until all together have received n messages since the last reset, and no more.
func (c *crowd) await(ctx context.Context, n int) error {
	deadline := time.NewTimer(awaitAtMost)
	defer deadline.Stop()
	c.goal.Store(int64(n))
	for c.received.Load() < int64(n) {
		select {
		case <-c.reached: // perhaps of an earlier goal
		case <-deadline.C:
			return fmt.Errorf("after %v, %d of %d messages were received", awaitAtMost, c.received.Load(), n)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if got := c.received.Load(); got > int64(n) {
		return fmt.Errorf("%d messages were received instead of %d", got, n)
	}
	return nil
}

// reset forgets what was received. Nothing may be under way.
func (c *crowd) reset() {
	for _, m := range c.members {
		m.mu.Lock()
		m.waits = m.waits[:0]
		m.mu.Unlock()
	}
	c.received.Store(0)
}

// waits are those of all members.
func (c *crowd) waits() (all []time.Duration) {
	for _, m := range c.members {
		m.mu.Lock()
		all = append(all, m.waits...)
		m.mu.Unlock()
	}
	return all
}
