package entry_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/tidemark-chat/tidemark/services/swarm/entry"
)

// place is a gateway that says its name and what it was told.
type place struct {
	*httptest.Server
	away atomic.Bool
}

func newPlace(t *testing.T, name string) *place {
	p := new(place)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/readyz" && p.away.Load():
			w.WriteHeader(http.StatusServiceUnavailable)
		case websocket.IsWebSocketUpgrade(r):
			conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
			if err != nil {
				return
			}
			defer conn.Close()
			_, text, _ := conn.ReadMessage()
			_ = conn.WriteMessage(websocket.TextMessage, append([]byte(name+" "), text...))
		default:
			_, _ = io.WriteString(w, name+" "+r.Host+" "+r.Header.Get("X-Forwarded-For"))
		}
	}))
	t.Cleanup(p.Close)
	return p
}

// front starts an entry and returns its address.
func front(t *testing.T, places ...*place) (address string) {
	t.Helper()
	var urls []string
	for _, p := range places {
		urls = append(urls, p.URL)
	}
	e, err := entry.New(urls, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() { over <- e.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-over; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// get asks for a path and returns the answer's words.
func get(t *testing.T, c *http.Client, url string) []string {
	t.Helper()
	response, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		return []string{response.Status}
	}
	return strings.Split(string(text), " ")
}

func browser(t *testing.T) *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); <-time.After(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

func TestAClientStaysWithItsGatewayUntilThatIsNotReady(t *testing.T) {
	a, b := newPlace(t, "a"), newPlace(t, "b")
	address := front(t, a, b)
	c := browser(t)
	url := "http://" + address + "/socket.io/"
	first := get(t, c, url)
	if len(first) != 3 || first[1] != address || first[2] != "127.0.0.1" {
		t.Fatalf("passed on as %q", first)
	}
	home := map[string]*place{"a": a, "b": b}[first[0]]
	for range 10 {
		if again := get(t, c, url); again[0] != first[0] {
			t.Fatalf("at %s after %s", again[0], first[0])
		}
	}
	home.away.Store(true)
	eventually(t, "another one takes who comes anew", func() bool { return get(t, c, url)[0] != first[0] })
	home.away.Store(false)
	for range 10 {
		if now := get(t, c, url); now[0] == first[0] {
			t.Fatal("back at the first one, though the other one has it")
		}
	}
}

func TestASessionGoesWhereItIs(t *testing.T) {
	a, b := newPlace(t, "a"), newPlace(t, "b")
	address := front(t, a, b)
	c := browser(t)
	url := "http://" + address + "/socket.io/"
	first := get(t, c, url)[0]
	map[string]*place{"a": a, "b": b}[first].away.Store(true)
	eventually(t, "it is known that one is away", func() bool { return get(t, http.DefaultClient, url)[0] != first })
	if at := get(t, c, url+"?sid=x")[0]; at != first {
		t.Errorf("a session of %s was looked for at %s", first, at)
	}
}

func TestAWebSocketIsPassedOn(t *testing.T) {
	conn, _, err := websocket.DefaultDialer.Dial("ws://"+front(t, newPlace(t, "a"))+"/socket.io/", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.WriteMessage(websocket.TextMessage, []byte("hi")); err != nil {
		t.Fatal(err)
	}
	if _, text, err := conn.ReadMessage(); err != nil || string(text) != "a hi" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestWhatIsForOperatorsIsNotPassedOnAndAGatewayThatIsGoneIsABadGateway(t *testing.T) {
	a := newPlace(t, "a")
	address := front(t, a)
	for _, path := range []string{"/metrics", "/log", "/log/feed", "/debug/pprof/"} {
		if got := get(t, http.DefaultClient, "http://"+address+path)[0]; got != "404 Not Found" {
			t.Errorf("%s: %s", path, got)
		}
	}
	a.Close()
	if got := get(t, http.DefaultClient, "http://"+address+"/")[0]; got != "502 Bad Gateway" {
		t.Errorf("got %s", got)
	}
}
