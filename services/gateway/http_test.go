package gateway_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/gateway"
	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

func TestPages(t *testing.T) {
	g := gatewaytest.Start(t, gatewaytest.Config(logtest.Start(t).URL()))
	for _, p := range []struct {
		path   string
		status int
		body   string
	}{
		{"/healthz", 200, "alive"},
		{"/readyz", 200, "ready"},
		{"/metrics", 200, "go_goroutines"},
		{"/metrics", 200, "tidemark_gateway_ready 1"},
		{"/nothing-here", 404, ""},
		{"/../../etc/passwd", 404, ""},
		{"/socket.io/?EIO=3&transport=polling", 400, `"code":5`},
		{"/socket.io/?transport=polling", 400, `"code":5`},
		{"/socket.io/?EIO=4&transport=carrier-pigeon", 400, `"code":0`},
		{"/socket.io/?EIO=4&transport=polling&sid=unknown", 400, `"code":1`},
		{"/socket.io/?EIO=4&transport=polling", 200, `"sid"`},
	} {
		if status, body := gatewaytest.Get(g.Address, p.path); status != p.status || !strings.Contains(body, p.body) {
			t.Errorf("%s: %d %.100q, want %d with %q", p.path, status, body, p.status, p.body)
		}
	}
	r, err := http.Post("http://"+g.Address+"/", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	if r.Body.Close(); r.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST / says %d", r.StatusCode)
	}
}

// handshakeOf is the answer to a handshake as a page of an origin begins it; "" is no page.
func handshakeOf(t *testing.T, address, transport, origin string) *http.Response {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, "http://"+address+"/socket.io/?EIO=4&transport="+transport, nil)
	if err != nil {
		t.Fatal(err)
	}
	if origin != "" {
		request.Header.Set("Origin", origin)
	}
	if transport == "websocket" {
		for k, v := range map[string]string{
			"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
		} {
			request.Header.Set(k, v)
		}
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response
}

func TestOtherOriginsNeedToBeNamed(t *testing.T) {
	const page = "http://localhost:8080"
	url := logtest.Start(t).URL()
	for _, c := range []struct {
		origins []string
		want    string
	}{{nil, ""}, {[]string{page}, page}, {[]string{"http://other"}, ""}, {[]string{"*"}, "*"}} {
		cfg := gatewaytest.Config(url)
		cfg.Gateway.CORSOrigins = c.origins
		g := gatewaytest.Start(t, cfg)
		for _, transport := range []string{"polling", "websocket"} {
			response := handshakeOf(t, g.Address, transport, page)
			if transport == "websocket" {
				if let := response.StatusCode == http.StatusSwitchingProtocols; let != (c.want != "") {
					t.Errorf("origins %v: a WebSocket of %s gets %d", c.origins, page, response.StatusCode)
				}
			} else if got := response.Header.Get("Access-Control-Allow-Origin"); got != c.want {
				t.Errorf("origins %v: allowed %q, want %q", c.origins, got, c.want)
			}
		}
		if err := g.Stop(); err != nil {
			t.Error(err)
		}
	}
}

func TestGuestsCanBeSwitchedOff(t *testing.T) {
	cfg := gatewaytest.Config(logtest.Start(t).URL())
	cfg.Gateway.AllowGuests = false
	g := gatewaytest.Start(t, cfg)
	if _, err := gatewaytest.Dial(testContext(t), g.Address, nil); err == nil || !strings.Contains(err.Error(), "guests are not allowed") {
		t.Errorf("got %v", err)
	}
}

func TestABusyAddressAndAMissingLogAreErrorsAtTheStart(t *testing.T) {
	g := gatewaytest.Start(t, gatewaytest.Config(logtest.Start(t).URL()))
	cfg := gatewaytest.Config("nats://127.0.0.1:1")
	cfg.Gateway.Listen = g.Address
	if _, err := gateway.New(cfg, nil); err == nil || !strings.Contains(err.Error(), "gateway.listen") {
		t.Errorf("a busy address: %v", err)
	}
	if _, err := gateway.New(config.Default(), nil); err == nil || !strings.Contains(err.Error(), "nats.url") {
		t.Errorf("no log: %v", err)
	}
}

func TestAnOrderlyStopUnderTrafficTellsNobodyToStayAway(t *testing.T) {
	g := gatewaytest.Start(t, gatewaytest.Config(logtest.Start(t).URL()))
	c := gatewaytest.Connect(t, g.Address, nil)
	for range 50 {
		if _, err := c.Start("chat message", "x"); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Stop(); err != nil {
		t.Fatal(err)
	}
	<-c.Done()
	if strings.Contains(c.Gone().Error(), "Socket.IO disconnect") {
		t.Errorf("ended with %v", c.Gone())
	}
}

// TestARequestThatNeverEndsDoesNotHoldUpTheStop leaves bodies unsent.
func TestARequestThatNeverEndsDoesNotHoldUpTheStop(t *testing.T) {
	cfg := gatewaytest.Config(logtest.Start(t).URL())
	cfg.Gateway.StallTimeout = time.Second
	g := gatewaytest.Start(t, cfg)
	for _, path := range []string{"/", "/socket.io/?EIO=4&transport=polling&sid=unknown"} {
		conn, err := net.Dial("tcp", g.Address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n", path)
		if path != "/" { // its deadline is the stall timeout
			if _, err := io.ReadAll(conn); err != nil {
				t.Error(err)
			}
		}
	}
	began := time.Now()
	if err := g.Stop(); err != nil || time.Since(began) > 5*time.Second {
		t.Errorf("stopped after %v, %v", time.Since(began), err)
	}
}
