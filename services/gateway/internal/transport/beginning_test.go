package transport_test

import (
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
)

// counting counts the requests that may begin a connection until their end, and those whose end was told twice.
type counting struct{ open, began, twice atomic.Int64 }

func (c *counting) front(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("sid") == "" {
			c.open.Add(1)
			c.began.Add(1)
			var ended atomic.Bool
			r = r.WithContext(transport.WithEnd(r.Context(), func() {
				if ended.Swap(true) {
					c.twice.Add(1)
				}
				c.open.Add(-1)
			}))
		}
		h.ServeHTTP(w, r)
	})
}

func TestTheEndOfEachConnectionIsToldOnce(t *testing.T) {
	const rounds = 50
	for name, connect := range closing {
		t.Run(name, func(t *testing.T) {
			var c counting
			s := serveThrough(t, options(transport.Limits{}), c.front)
			inParallel(t, rounds, 8, func(int) error { return connect(s) })
			eventually(t, "all connections are over", func() bool { return s.connections() == 0 && c.open.Load() == 0 })
			if c.began.Load() < rounds || c.twice.Load() != 0 {
				t.Errorf("%d began, %d ended twice", c.began.Load(), c.twice.Load())
			}
		})
	}
}

func TestAnEndIsNotToldWhileTheConnectionLives(t *testing.T) {
	var c counting
	s := serveThrough(t, options(transport.Limits{}), c.front)
	ws, poll := mustConnect(t, s.addr), mustPoll(t, s.addr)
	upgraded := mustPoll(t, s.addr)
	over, err := dialWebSocket(s.addr, upgraded.sid)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(over.send("2probe"), expectAll(over, "3probe"), over.send("5"), over.alive()); err != nil {
		t.Fatal(err)
	}
	if n := c.open.Load(); n != 3 {
		t.Errorf("3 are connected, %d are counted", n)
	}
	_ = ws.Close()
	_ = poll.post("1")
	_ = over.Close()
	eventually(t, "all are over", func() bool { return c.open.Load() == 0 })
}

func TestWhatBeginsNoConnectionEndsWithItsRequest(t *testing.T) {
	var c counting
	s := serveThrough(t, options(transport.Limits{}), c.front)
	for _, request := range []string{
		"GET /socket.io/?EIO=3&transport=polling", "GET /socket.io/?EIO=4&transport=pigeon", "GET /socket.io/?EIO=4&transport=websocket",
		"POST /socket.io/?EIO=4&transport=polling", "OPTIONS /socket.io/?EIO=4&transport=polling", "GET /socket.io/?EIO=4&EIO=3&transport=polling",
	} {
		conn, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write([]byte(request + " HTTP/1.1\r\nHost: a\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 { // WebSockets that are none
		for _, query := range []string{"EIO=3&transport=websocket", "EIO=4&transport=polling", "EIO=4&transport=websocket"} {
			conn, err := net.Dial("tcp", s.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := conn.Write([]byte("GET /socket.io/?" + query + " HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 1\r\n\r\n")); err != nil {
				t.Fatal(err)
			}
		}
	}
	eventually(t, "all have been served", func() bool { return c.began.Load() == 15 && c.open.Load() == 0 })
}
