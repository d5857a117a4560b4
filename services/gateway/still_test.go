package gateway_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

// stall is a way to the log on which a gateway's feed hears nothing while it is on:
// the connection stays, and everything else goes on.
type stall struct {
	mu sync.Mutex // held while it is on
}

func (s *stall) carry(client, server net.Conn) {
	go func() {
		defer client.Close()
		b := make([]byte, 64<<10)
		for {
			n, err := server.Read(b)
			if err != nil {
				return
			}
			s.mu.Lock()
			_, err = client.Write(b[:n])
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	_, _ = io.Copy(server, client)
	server.Close()
}

// only carries the connection of a name by one function, and the rest by io.Copy.
func only(name string, carry func(client, server net.Conn)) func(client, server net.Conn) {
	return func(client, server net.Conn) {
		first := make([]byte, 64<<10)
		n, err := server.Read(first)
		if err == nil {
			_, err = client.Write(first[:n])
		}
		if err == nil {
			n, err = client.Read(first)
		}
		if err == nil {
			_, err = server.Write(first[:n])
		}
		if err == nil && bytes.Contains(first[:n], []byte(name)) {
			carry(client, server)
			return
		}
		go func() { _, _ = io.Copy(client, server); client.Close() }()
		_, _ = io.Copy(server, client)
		server.Close()
	}
}

func TestAFeedThatStandsStillTurnsReadinessFalseThoughTheProcessLives(t *testing.T) {
	t.Parallel()
	s := logtest.Start(t)
	js := s.Provision(logtest.Config())
	var feed stall
	url := wayTo(t, s.URL(), only("gateway feed", feed.carry))
	g := gatewaytest.Start(t, gatewaytest.Config(url))
	viewer := gatewaytest.Connect(t, g.Address, nil)
	feed.mu.Lock()
	for i := range 3 {
		logtest.Publish(t, js, logtest.Message(t, "general", string(rune('a'+i))))
	}
	gatewaytest.WaitReady(t, g.Address, false)
	if _, body := gatewaytest.Get(g.Address, "/readyz"); !strings.Contains(body, "the feed is at") {
		t.Errorf("/readyz says %q", body)
	}
	if status, _ := gatewaytest.Get(g.Address, "/healthz"); status != 200 {
		t.Errorf("/healthz says %d", status)
	}
	feed.mu.Unlock()
	gatewaytest.WaitReady(t, g.Address, true)
	for i := range 3 {
		expectMessage(t, viewer, string(rune('a'+i)), uint64(i+1))
	}
}

func TestAConnectionThatIsCutTurnsReadinessFalseThoughTheLogIsQuiet(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"gateway feed", "gateway publish"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := logtest.Start(t)
			var mu sync.Mutex
			shut := false
			var open []net.Conn
			url := wayTo(t, s.URL(), only(name, func(client, server net.Conn) {
				mu.Lock()
				if shut {
					client.Close()
				}
				open = append(open, client)
				mu.Unlock()
				(&stall{}).carry(client, server)
			}))
			g := gatewaytest.Start(t, gatewaytest.Config(url))
			mu.Lock()
			shut = true
			for _, c := range open {
				c.Close()
			}
			mu.Unlock()
			gatewaytest.WaitReady(t, g.Address, false)
			if _, body := gatewaytest.Get(g.Address, "/readyz"); !strings.Contains(body, "no connection to") {
				t.Errorf("/readyz says %q", body)
			}
			mu.Lock()
			shut = false
			mu.Unlock()
			gatewaytest.WaitReady(t, g.Address, true)
		})
	}
}
