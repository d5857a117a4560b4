package transport_test

import (
	"errors"
	"os"
	"runtime"
	"testing"

	"go.uber.org/goleak"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
)

func TestMain(m *testing.M) {
	if addr := os.Getenv(fanoutEnv); addr != "" {
		runPeers(addr)
		return
	}
	goleak.VerifyTestMain(m)
}

// closing are the ways in which a connection ends.
var closing = map[string]func(s *server) error{
	"websocket/peer closes": func(s *server) error {
		c, err := connectWebSocket(s.addr)
		if err != nil {
			return err
		}
		_, _ = c.Write(frame(final|opClose, "\x03\xe8"))
		return c.Close()
	},
	"websocket/connection reset": func(s *server) error {
		c, err := connectWebSocket(s.addr)
		if err == nil {
			c.reset()
		}
		return err
	},
	"websocket/reset in the handshake": func(s *server) error {
		c, err := dialWebSocket(s.addr, "")
		if err == nil {
			_ = c.send("40")
			c.reset()
		}
		return err
	},
	"websocket/we close": func(s *server) error {
		c, err := connectWebSocket(s.addr)
		if err != nil {
			return err
		}
		defer c.Close()
		s.link(c.id).Close()
		return c.untilClosed()
	},
	"websocket/refused": func(s *server) error {
		c, err := connectWebSocket(s.addr)
		if err != nil {
			return err
		}
		defer c.Close()
		return errors.Join(c.send("450-[]"), c.untilClosed())
	},
	"polling/peer closes": func(s *server) error {
		c, err := connectPolling(s.addr)
		if err != nil {
			return err
		}
		defer c.close()
		return c.post("1")
	},
	"polling/we close": func(s *server) error {
		c, err := connectPolling(s.addr)
		if err != nil {
			return err
		}
		defer c.close()
		s.link(c.id).Close()
		return c.untilClosed()
	},
	"polling/upgraded, peer closes": func(s *server) error {
		c, err := connectPolling(s.addr)
		if err != nil {
			return err
		}
		defer c.close()
		ws, err := dialWebSocket(s.addr, c.sid)
		if err != nil {
			return err
		}
		return errors.Join(ws.send("2probe"), expectAll(ws, "3probe"), ws.send("5"), ws.Close())
	},
}

// After more than a thousand connections, ended in every way, goroutines and heap
// are what they were before.
func TestAConnectionLeavesNothingBehind(t *testing.T) {
	for name, connect := range closing {
		t.Run(name, func(t *testing.T) { churn(t, connect) })
	}
}

func churn(t *testing.T, connect func(*server) error) {
	const rounds, perRound = 3, 300
	s := newServer(t, transport.Limits{})
	round := func(n int) (goroutines int, heap uint64) {
		inParallel(t, n, 32, func(int) error { return connect(s) })
		eventually(t, "all connections are over", func() bool { return s.connections() == 0 })
		eventually(t, "no socket is left", func() bool { return s.io.Sockets().Sockets().Len() == 0 })
		return settled(t)
	}
	_, _ = round(perRound) // warm up
	goroutines, heap := round(perRound)
	for range rounds {
		g, h := round(perRound)
		t.Logf("goroutines %d -> %d, heap %d -> %d KiB", goroutines, g, heap>>10, h>>10)
		if g > goroutines+goroutines/10+2 {
			t.Errorf("%d goroutines, %d before", g, goroutines)
		}
		if h > heap+heap/10+64<<10 {
			t.Errorf("heap %d bytes, %d before", h, heap)
		}
	}
}

// settled waits until the number of goroutines stays the same over collections.
func settled(t *testing.T) (goroutines int, heap uint64) {
	same := 0
	eventually(t, "goroutines settle", func() bool {
		runtime.GC()
		if n := runtime.NumGoroutine(); n == goroutines {
			same++
		} else {
			goroutines, same = n, 0
		}
		return same == 5
	})
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return goroutines, m.HeapAlloc
}
