package gatewaytest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/gateway"
)

// Timeout is how long a test waits for what must come.
const Timeout = 40 * time.Second

// Config is a configuration for a test's gateway on a free port.
func Config(natsURL string) config.Config {
	cfg := config.Default()
	cfg.NATS.URL = config.URL(natsURL)
	cfg.Gateway.Listen = "127.0.0.1:0"
	cfg.Gateway.RateLimit = 0
	return cfg
}

// Gateway is a running gateway of a test.
type Gateway struct {
	Address string
	stop    func() error
}

// Start runs a gateway until the test ends, and waits until it is ready.
func Start(t testing.TB, cfg config.Config) *Gateway {
	t.Helper()
	g, err := gateway.New(cfg, slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelError})))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	running := &Gateway{Address: g.Address()}
	stopped := false
	running.stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-ended
	}
	t.Cleanup(func() {
		if err := running.stop(); err != nil {
			t.Errorf("the gateway ended with: %v", err)
		}
	})
	WaitReady(t, running.Address, true)
	return running
}

// Stop stops the gateway in an orderly way and waits for it.
func (g *Gateway) Stop() error { return g.stop() }

// WaitReady waits until a gateway's /readyz says yes, or no.
func WaitReady(t testing.TB, address string, ready bool) {
	t.Helper()
	deadline := time.Now().Add(Timeout)
	for {
		status, body := Get(address, "/readyz")
		if (status == http.StatusOK) == ready {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("/readyz still says %d %s", status, body)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// Get reads a page of a gateway; status 0 is no answer.
func Get(address, path string) (status int, body string) {
	response, err := http.Get("http://" + address + path)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(b)
}

// Connect dials and closes the connection with the test.
func Connect(t testing.TB, address string, auth any) *Client {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Timeout)
	defer cancel()
	c, err := Dial(ctx, address, auth)
	if err != nil {
		t.Fatal(fmt.Errorf("connect with %v: %w", auth, err))
	}
	t.Cleanup(c.Close)
	return c
}

// testWriter logs errors of the service to the test.
type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", p)
	return len(p), nil
}
