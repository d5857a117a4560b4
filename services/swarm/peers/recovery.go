package peers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/client"
)

// recovery lets clients come back at once who have been there, have had the room's latest message, and have then missed
// some.
func (p Plan) recovery(ctx context.Context, s *server) (Values, error) {
	writer, err := newcomers(ctx, s, 1)
	if err != nil {
		return nil, err
	}
	defer writer.leave()
	if err := writer.write(ctx, p.History); err != nil {
		return nil, err
	}
	auths, err := p.stay(ctx, s, writer)
	if err != nil {
		return nil, err
	}
	away := time.Now()
	if err := writer.write(ctx, p.Missed); err != nil {
		return nil, err
	}
	if err := s.quiet(ctx); err != nil {
		return nil, err
	}
	return p.comeBack(ctx, s, auths, away)
}

// write writes so many messages and waits until they have come back.
func (c *crowd) write(ctx context.Context, n int) error {
	c.reset()
	const window = 8
	sent, _, err := c.sendAll(ctx, 1, window, true, time.Now().Add(awaitAtMost), n)
	if err == nil && sent < n {
		err = fmt.Errorf("only %d of %d messages could be sent in %v", sent, n, awaitAtMost)
	}
	if err != nil {
		return err
	}
	return c.await(ctx, n*len(c.members))
}

// stay lets all be there for one message, and gives what each has to say when it comes back.
func (p Plan) stay(ctx context.Context, s *server, writer *crowd) (auths []any, err error) {
	visitors := make([]visitor, p.Returning)
	defer func() {
		for _, v := range visitors {
			v.cut()
		}
	}()
	err = inParallel(len(visitors), gently, func(i int) error { return visitors[i].come(ctx, s) })
	if err != nil {
		return nil, err
	}
	if err := writer.write(ctx, 1); err != nil {
		return nil, err
	}
	for _, v := range visitors {
		seen, err := v.see(ctx)
		if err != nil {
			return nil, err
		}
		auth, err := s.target.returning(seen)
		if err != nil {
			return nil, err
		}
		auths = append(auths, auth)
		v.cut()
	}
	return auths, s.quiet(ctx) // all have been noticed to be gone
}

// comeBack measures the time until each has what it has missed.
func (p Plan) comeBack(ctx context.Context, s *server, auths []any, away time.Time) (Values, error) {
	c := newCrowd(len(auths))
	for _, m := range c.members {
		m.enough = p.Missed
	}
	defer c.leave()
	began := time.Now()
	_, used, err := s.measure(func() error {
		if err := c.connect(ctx, s, len(auths), func(i int) any { return auths[i] }); err != nil {
			return err
		}
		return c.await(ctx, len(auths)*p.Missed)
	})
	if err != nil {
		return nil, err
	}
	var waits []time.Duration
	var last time.Time
	for _, m := range c.members {
		if len(m.waits) != p.Missed || m.earliest.Before(away) {
			return nil, fmt.Errorf("client %d was sent %d messages, not the %d that it has missed", m.number, len(m.waits), p.Missed)
		}
		waits = append(waits, m.had.Sub(m.dialed))
		if m.had.After(last) {
			last = m.had
		}
	}
	v := Values{RecoveryAll: milliseconds(last.Sub(began)), RecoveryCPU: used.cpu()}
	if redis, is := used[redisServer]; is {
		v[RecoveryCPU.ofRedis()] = redis.cpu
	}
	v.waits(waits, map[Metric]float64{RecoveryP50: 0.50, RecoveryP99: 0.99})
	return v, nil
}

// visitor is a client that stays for one message.
type visitor struct {
	conn  *client.Conn // nil: it is not there
	first chan []byte  // the first message, once it has come
}

func (v *visitor) come(ctx context.Context, s *server) (err error) {
	ctx, cancel := context.WithTimeout(ctx, dialAtMost)
	defer cancel()
	v.first = make(chan []byte, 1)
	v.conn, err = client.Dial(ctx, client.Options{URL: "http://" + s.address, Auth: s.target.newcomer, Event: func(event []byte) {
		if _, _, is := parseMessage(event); is {
			select {
			case v.first <- bytes.Clone(event):
			default:
			}
		}
	}})
	if err != nil {
		return errors.Join(err, s.ended())
	}
	return nil
}

// see waits for the first message.
func (v *visitor) see(ctx context.Context) (seen, error) {
	ctx, cancel := context.WithTimeout(ctx, dialAtMost)
	defer cancel()
	select {
	case event := <-v.first:
		return seen{v.conn.PID(), event}, nil
	case <-v.conn.Done():
		return seen{}, v.conn.Err()
	case <-ctx.Done():
		return seen{}, fmt.Errorf("no message came: %w", ctx.Err())
	}
}

func (v *visitor) cut() {
	if v.conn != nil {
		v.conn.Cut()
		<-v.conn.Done()
	}
}
