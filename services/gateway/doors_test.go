package gateway_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

const (
	pollingPath   = "/socket.io/?EIO=4&transport=polling"
	webSocketPath = "/socket.io/?EIO=4&transport=websocket"
)

// handshake begins a polling connection, which lives until its ping goes unanswered, and returns what came.
func handshake(t *testing.T, address string, header http.Header) (status int, retryAfter, sid string) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, "http://"+address+pollingPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		request.Header = header
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(body), `"sid":"`)
	sid, _, _ = strings.Cut(rest, `"`)
	return response.StatusCode, response.Header.Get("Retry-After"), sid
}

// open opens a WebSocket of Engine.IO, without a CONNECT.
func open(address string, header http.Header) (*websocket.Conn, error) {
	return openAt("ws://"+address+webSocketPath, header)
}

func openAt(url string, header http.Header) (*websocket.Conn, error) {
	conn, response, err := websocket.DefaultDialer.Dial(url, header)
	if err != nil && response != nil {
		return nil, fmt.Errorf("%d, again in %q: %w", response.StatusCode, response.Header.Get("Retry-After"), err)
	}
	return conn, err
}

func from(client string) http.Header { return http.Header{"X-Forwarded-For": {client}} }

func TestAFullGatewayAsksToComeAgain(t *testing.T) {
	t.Parallel()
	cfg := gatewaytest.Config(logtest.Start(t).URL())
	cfg.Gateway.MaxConnections = 3
	g := gatewaytest.Start(t, cfg)
	first := gatewaytest.Connect(t, g.Address, nil)
	gatewaytest.Connect(t, g.Address, nil)
	if status, _, _ := handshake(t, g.Address, nil); status != http.StatusOK {
		t.Errorf("the third gets %d", status)
	}
	if status, again, _ := handshake(t, g.Address, nil); status != http.StatusServiceUnavailable || again == "" {
		t.Errorf("the fourth gets %d, again in %q", status, again)
	}
	if _, err := open(g.Address, nil); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("a WebSocket gets %v", err)
	}
	if status, body := gatewaytest.Get(g.Address, "/metrics"); status != 200 || !strings.Contains(body, `tidemark_gateway_connections_refused_total{reason="full"} 2`) {
		t.Errorf("two are not counted as refused (%d)", status)
	}
	first.Close()
	eventually(t, "the place of one that has left is free", func() bool {
		conn, err := open(g.Address, nil)
		return err == nil && conn != nil
	})
}

func TestAnAddressHasItsShareOfConnections(t *testing.T) {
	t.Parallel()
	cfg := gatewaytest.Config(logtest.Start(t).URL())
	cfg.Gateway.AddressLimit = 2
	cfg.Gateway.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	g := gatewaytest.Start(t, cfg)
	for _, c := range []struct {
		client string
		status int
	}{
		{"192.0.2.1", 200}, {"192.0.2.1", 200}, {"192.0.2.1", 429}, {"192.0.2.7, 192.0.2.1", 429}, {"192.0.2.1, 192.0.2.2", 200},
		{"2001:db8:1:2::1", 200}, {"2001:db8:1:2::2", 200}, {"2001:db8:1:2::3", 429}, {"2001:db8:1:3::3", 200}, {"::ffff:192.0.2.1", 429},
	} {
		status, again, _ := handshake(t, g.Address, from(c.client))
		if status != c.status || (again != "") != (c.status != 200) {
			t.Errorf("%s: %d, again in %q, want %d", c.client, status, again, c.status)
		}
	}
	if _, err := open(g.Address, from("192.0.2.1")); err == nil || !strings.Contains(err.Error(), "429") {
		t.Errorf("a WebSocket gets %v", err)
	}
}

// TestPlacesAreGivenBackHoweverAConnectionEnds has hundreds of connections fail and end in every way, and looks whether
// exactly as many may come afterwards as before.
func TestPlacesAreGivenBackHoweverAConnectionEnds(t *testing.T) {
	t.Parallel()
	const limit, rounds = 20, 20
	cfg := gatewaytest.Config(logtest.Start(t).URL())
	cfg.Gateway.MaxConnections, cfg.Gateway.AddressLimit = limit, limit
	cfg.Gateway.PingInterval, cfg.Gateway.PingTimeout = 200*time.Millisecond, 200*time.Millisecond
	g := gatewaytest.Start(t, cfg)
	for range rounds {
		churn(t, g.Address)
	}
	eventually(t, "their places are free", func() bool {
		var all []*websocket.Conn
		for range limit {
			conn, err := open(g.Address, nil)
			if err != nil {
				break
			}
			all = append(all, conn)
		}
		_, err := open(g.Address, nil)
		for _, conn := range all {
			_ = conn.Close()
		}
		return len(all) == limit && err != nil
	})
}

// churn has one connection of each kind begin and end; some are refused, where the limit is reached.
func churn(t *testing.T, address string) {
	t.Helper()
	for _, path := range []string{"/socket.io/?EIO=3&transport=polling", "/socket.io/?EIO=4&transport=pigeon", webSocketPath} {
		gatewaytest.Get(address, path) // no connection
	}
	handshake(t, address, nil) // ends by its ping
	if status, _, sid := handshake(t, address, nil); status == 200 {
		postTo(address, sid, "1") // says goodbye
	}
	if status, _, sid := handshake(t, address, nil); status == 200 {
		postTo(address, sid, "450-[]") // hostile
	}
	if status, _, sid := handshake(t, address, nil); status == 200 {
		if conn, err := openAt("ws://"+address+webSocketPath+"&sid="+sid, nil); err == nil {
			_ = conn.WriteMessage(websocket.TextMessage, []byte("2probe"))
			_, _, _ = conn.ReadMessage()
			_ = conn.WriteMessage(websocket.TextMessage, []byte("5")) // upgraded
			_ = conn.WriteMessage(websocket.TextMessage, []byte("40"))
			_ = conn.Close()
		}
	}
	for _, say := range []string{"", "40", "450-[]", `40{"token":7}`} {
		if conn, err := open(address, nil); err == nil {
			if say != "" {
				_ = conn.WriteMessage(websocket.TextMessage, []byte(say))
			}
			reset(conn.NetConn())
		}
	}
	if conn, err := net.Dial("tcp", address); err == nil { // leaves during the handshake
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", pollingPath)
		reset(conn)
	}
}

// reset ends a TCP connection without a word.
func reset(conn net.Conn) {
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

func postTo(address, sid, payload string) {
	response, err := http.Post("http://"+address+pollingPath+"&sid="+sid, "text/plain", strings.NewReader(payload))
	if err == nil {
		_ = response.Body.Close()
	}
}

func TestAUserHasHisShareOfConnections(t *testing.T) {
	t.Parallel()
	_, _, at := together(t, 1, func(c *config.Config) { c.Gateway.UserLimit = 2 })
	alice := gatewaytest.Join(t, at[0], auth{"username": "alice"})
	second := gatewaytest.Join(t, at[0], auth{"sessionID": alice.SessionID})
	again := func() error {
		c, err := gatewaytest.Dial(testContext(t), at[0], auth{"sessionID": alice.SessionID})
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.Next(testContext(t), "session")
		return err
	}
	for range 3 {
		if err := again(); err == nil || errors.As(err, new(*gatewaytest.ErrRefused)) || strings.Contains(err.Error(), "Socket.IO disconnect") {
			t.Fatalf("the third gets %v, which is not a cut transport", err)
		}
	}
	bob := gatewaytest.Join(t, at[0], auth{"username": "bob"})
	for _, p := range []*gatewaytest.Peer{alice, second, bob} {
		if ack := privately(t, p, bob.UserID, "x"); !ack.OK {
			t.Errorf("one that is in: %+v", ack)
		}
	}
	second.Close()
	eventually(t, "the place of one that has left is free", func() bool { return again() == nil })
}

// TestSocketsOverWhichNothingIsSentAreBounded opens so many that the next one is closed at once.
func TestSocketsOverWhichNothingIsSentAreBounded(t *testing.T) {
	t.Parallel()
	cfg := gatewaytest.Config(logtest.Start(t).URL())
	cfg.Gateway.AddressLimit = 1
	g := gatewaytest.Start(t, cfg)
	http.DefaultClient.CloseIdleConnections()
	closed := func(conn net.Conn) bool {
		_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		_, err := conn.Read(make([]byte, 1))
		return !isTimeout(err)
	}
	for n := 1; ; n++ {
		conn, err := net.Dial("tcp", g.Address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if n > 60 && closed(conn) {
			break
		}
		if n > 100 {
			t.Fatal("a hundred sockets of one address are open")
		}
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// TestWhoSendsNoRequestIsCut leaves the head of a request, and a TLS handshake, unfinished.
func TestWhoSendsNoRequestIsCut(t *testing.T) {
	t.Parallel()
	g := gatewaytest.Start(t, gatewaytest.Config(logtest.Start(t).URL()))
	secure, _ := startSecure(t, newKeyPair(t, t.TempDir(), 1), nil)
	for _, c := range []struct{ address, say string }{
		{g.Address, ""}, {g.Address, "GET / HTTP/1.1\r\nHost: a\r\n"}, {secure.Address(), ""}, {secure.Address(), "\x16\x03\x01\x02\x00\x01"},
	} {
		t.Run(fmt.Sprintf("%q", c.say), func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", c.address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, c.say); err != nil {
				t.Fatal(err)
			}
			_ = conn.SetReadDeadline(time.Now().Add(gatewaytest.Timeout))
			if _, err := io.Copy(io.Discard, conn); isTimeout(err) {
				t.Error("the connection is still open")
			}
		})
	}
}

func TestOperatorsHaveADoorOfTheirOwn(t *testing.T) {
	t.Parallel()
	cfg := gatewaytest.Config(logtest.Start(t).URL())
	cfg.Gateway.Operations = "127.0.0.1:0"
	g, running := startSecure(t, nil, func(c *config.Config) { c.Gateway, c.NATS = cfg.Gateway, cfg.NATS })
	for _, p := range []struct {
		path             string
		clients, operate int
	}{
		{"/healthz", 200, 200}, {"/readyz", 200, 200}, {"/metrics", 404, 200}, {"/debug/pprof/", 404, 200}, {"/debug/pprof/heap", 404, 200},
		{"/debug/pprof/cmdline", 404, 200}, {"/", 200, 404}, {pollingPath, 200, 404},
	} {
		clients, _ := gatewaytest.Get(g.Address(), p.path)
		operate, _ := gatewaytest.Get(g.OperationsAddress(), p.path)
		if clients != p.clients || operate != p.operate {
			t.Errorf("%s: %d for clients, %d for operators", p.path, clients, operate)
		}
	}
	if err := running(); err != nil {
		t.Error(err)
	}
	if status, _ := gatewaytest.Get(g.OperationsAddress(), "/healthz"); status != 0 {
		t.Errorf("after its end it says %d", status)
	}
}

func TestProfilesAreNeverServedToClients(t *testing.T) {
	t.Parallel()
	g := gatewaytest.Start(t, gatewaytest.Config(logtest.Start(t).URL()))
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline"} {
		if status, body := gatewaytest.Get(g.Address, path); status != http.StatusNotFound || bytes.Contains([]byte(body), []byte("goroutine")) {
			t.Errorf("%s: %d", path, status)
		}
	}
}

// TestAPageOfAnotherOriginCannotConnect though the browser would let it: by either
// transport, with or without a token.
func TestAPageOfAnotherOriginCannotConnect(t *testing.T) {
	t.Parallel()
	_, _, at := together(t, 1, bySecret(t))
	for origin, want := range map[string]bool{"http://" + at[0]: true, "": true, "http://evil.example": false, "null": false, "http://" + at[0] + ".evil.example": false} {
		for transport, good := range map[string]int{"polling": http.StatusOK, "websocket": http.StatusSwitchingProtocols} {
			response := handshakeOf(t, at[0], transport, origin)
			if let := response.StatusCode == good; let != want || response.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s of %q: %d, %v", transport, origin, response.StatusCode, response.Header)
			}
		}
	}
}
