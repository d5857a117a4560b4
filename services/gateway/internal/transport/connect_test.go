package transport_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/zishang520/socket.io/servers/socket/v3"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
)

// The library's own transport reads before anybody listens, and answers CONNECT
// before it knows the socket: of 2,000 such clients some get no answer.
func TestAFastClientGetsItsAnswerAndMaySendAtOnce(t *testing.T) {
	s := newServer(t, transport.Limits{})
	s.onSocket(func(sock *socket.Socket) {
		_ = sock.On("hi", func(args ...any) { args[len(args)-1].(socket.Ack)([]any{"ho"}, nil) })
	})
	inParallel(t, 2000, 64, func(int) error {
		c, err := dialWebSocket(s.addr, "")
		if err != nil {
			return err
		}
		defer c.Close()
		return errors.Join(c.send("40"), expectAll(c, `0{"`, `40{"sid"`), c.send(`421["hi"]`), expectAll(c, `431["ho"]`))
	})
}

func TestAFastPollingClientGetsItsAnswerAndMaySendAtOnce(t *testing.T) {
	s := newServer(t, transport.Limits{})
	s.onSocket(func(sock *socket.Socket) {
		_ = sock.On("hi", func(args ...any) { args[len(args)-1].(socket.Ack)([]any{"ho"}, nil) })
	})
	inParallel(t, 500, 32, func(int) error {
		c, err := connectPolling(s.addr)
		if err != nil {
			return err
		}
		defer c.close()
		if err := c.post(`421["hi"]`); err != nil {
			return err
		}
		if packets, err := c.poll(); err != nil || packets[0] != `431["ho"]` {
			return errors.Join(err, errors.New("got "+packets[0]))
		}
		return c.post("1")
	})
}

func expectAll(c *wsClient, prefixes ...string) error {
	for _, p := range prefixes {
		if _, err := c.expect(p); err != nil {
			return err
		}
	}
	return nil
}

// inParallel runs f n times, some at the same time, and fails on the first error.
func inParallel(t testing.TB, n, at int, f func(i int) error) {
	t.Helper()
	var wg sync.WaitGroup
	next := make(chan int)
	failed := make(chan error, n)
	for range at {
		wg.Go(func() {
			for i := range next {
				if err := f(i); err != nil {
					failed <- err
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	if len(failed) > 0 {
		t.Fatalf("%d of %d failed, one with: %v", len(failed), n, <-failed)
	}
}
