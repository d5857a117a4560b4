package peers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gorilla/websocket"
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
		seen, err := v.see()
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

// visitor is a client that stays for one message. It is not one of client's, because it has to know the private id that
// connectionStateRecovery gives it.
type visitor struct {
	conn *websocket.Conn // nil: it is not there
	pid  string
}

func (v *visitor) come(ctx context.Context, s *server) (err error) {
	ctx, cancel := context.WithTimeout(ctx, dialAtMost)
	defer cancel()
	v.conn, _, err = websocket.DefaultDialer.DialContext(ctx, "ws://"+s.address+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		return errors.Join(err, s.ended())
	}
	auth, err := json.Marshal(s.target.newcomer)
	if err != nil {
		return err
	}
	if err := v.conn.WriteMessage(websocket.TextMessage, append([]byte("40"), auth...)); err != nil {
		return err
	}
	answer, err := v.next("40")
	if err != nil {
		return err
	}
	var ids struct{ PID string }
	if err := json.Unmarshal(answer, &ids); err != nil {
		return fmt.Errorf("%s answered CONNECT by %q: %w", s.target.Name, answer, err)
	}
	v.pid = ids.PID
	return nil
}

// see waits for the first message.
func (v *visitor) see() (seen, error) {
	for {
		event, err := v.next("42")
		if err != nil {
			return seen{}, err
		}
		if _, _, is := parseMessage(event); is {
			return seen{v.pid, event}, nil
		}
	}
}

// next is what follows the type of the next packet of that type.
func (v *visitor) next(kind string) ([]byte, error) {
	for {
		if err := v.conn.SetReadDeadline(time.Now().Add(dialAtMost)); err != nil {
			return nil, err
		}
		_, packet, err := v.conn.ReadMessage()
		if err != nil {
			return nil, err
		}
		if rest, is := bytes.CutPrefix(packet, []byte(kind)); is {
			return rest, nil
		}
	}
}

func (v *visitor) cut() {
	if v.conn != nil {
		_ = v.conn.NetConn().Close()
	}
}
