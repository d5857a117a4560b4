package transport_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
	"weak"

	"github.com/zishang520/socket.io/servers/socket/v3"
	"github.com/zishang520/socket.io/v3/pkg/types"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
)

// answer is a ResponseWriter whose end a test can see.
type answer struct{ http.ResponseWriter }

func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(a.ResponseWriter).Hijack()
}

// first is what came with the first request to a server.
type first struct {
	request weak.Pointer[http.Request]
	answer  weak.Pointer[answer]
}

// remember tells of the first request that is served.
func remember(came chan<- first) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			a := &answer{w}
			select {
			case came <- first{weak.Make(r), weak.Make(a)}:
			default:
			}
			h.ServeHTTP(a, r)
		})
	}
}

// The library keeps the request it was given as long as the connection lives, and
// with it the buffers of net/http.
func TestAnOpenConnectionKeepsNothingOfItsRequest(t *testing.T) {
	for name, connect := range map[string]func(s *server) (id string){
		"websocket": func(s *server) string { return mustConnect(t, s.addr).id },
		"polling":   func(s *server) string { return mustPoll(t, s.addr).id },
		"upgraded": func(s *server) string {
			c := mustPoll(t, s.addr)
			mustUpgrade(t, s.addr, c)
			return c.id
		},
	} {
		t.Run(name, func(t *testing.T) {
			came := make(chan first, 1)
			s := serveThrough(t, options(transport.Limits{}), remember(came))
			id := connect(s)
			f := receive(t, "the request", came)
			eventually(t, "the request and its answer are given back", func() bool {
				runtime.GC()
				return f.request.Value() == nil && f.answer.Value() == nil
			})
			if s.link(id).Closed() {
				t.Error("the connection has been closed")
			}
		})
	}
}

// What is refused is refused as by the library.
func TestRefusedHandshakesAreAnsweredByTheLibrary(t *testing.T) {
	o := func() *socket.ServerOptions {
		o := options(transport.Limits{})
		o.SetCors(&types.Cors{Origin: []string{"http://friend.example"}})
		return o
	}
	ours := serve(t, o())
	var library http.Handler
	s := serveThrough(t, o(), func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { library.ServeHTTP(w, r) })
	})
	library = s.io.ServeHandler(nil)
	const upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
	for name, request := range map[string]string{
		"unknown session":     "GET /socket.io/?EIO=4&transport=websocket&sid=AAAAAAAAAAAAAAAAAAAAAAAA HTTP/1.1\r\n" + upgrade + key,
		"malformed session":   "GET /socket.io/?EIO=4&transport=websocket&sid=%20 HTTP/1.1\r\n" + upgrade + key,
		"unknown transport":   "GET /socket.io/?EIO=4&transport=pigeon HTTP/1.1\r\n" + upgrade + key,
		"not a WebSocket":     "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n" + upgrade + key,
		"no upgrade":          "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n",
		"no key":              "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nSec-WebSocket-Version: 13\r\n" + upgrade,
		"another version":     "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 7\r\n" + upgrade,
		"from a foreign page": "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nOrigin: http://foe.example\r\n" + upgrade + key,
	} {
		t.Run(name, func(t *testing.T) {
			got, want := exchange(t, ours.addr, request), exchange(t, s.addr, request)
			if got != want {
				t.Errorf("answered %q, the library %q", got, want)
			}
		})
	}
	friend := "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nOrigin: http://friend.example\r\n" + upgrade + key
	if got := exchange(t, ours.addr, friend); !strings.HasPrefix(got, "101 ") {
		t.Errorf("a page that is allowed: %q", got)
	}
}

// Of a parameter that is named twice the library takes another than net/url, and
// served what we had not looked at: a WebSocket that nobody read.
func TestAParameterNamedTwiceIsRefused(t *testing.T) {
	s := newServer(t, transport.Limits{})
	for _, query := range []string{
		"EIO=4&transport=polling&transport=websocket",
		"EIO=4&transport=websocket&transport=polling",
		"EIO=4&transport=websocket&transport=websocket",
		"EIO=3&EIO=4&transport=websocket",
		"EIO=4&transport=websocket&sid=&sid=AAAAAAAAAAAAAAAAAAAAAAAA",
	} {
		for how, headers := range map[string]string{
			"request": "",
			"upgrade": "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n",
		} {
			got := exchange(t, s.addr, "GET /socket.io/?"+query+" HTTP/1.1\r\n"+headers)
			if want := `400 Bad Request {"code":3,"message":"Bad request"}`; got != want {
				t.Errorf("%s with %s: %q, want %q", how, query, got, want)
			}
		}
	}
	if n := s.connections(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

// Whatever way the library opens a WebSocket with our transport, it is read.
func TestAWebSocketOpenedByTheLibraryIsReadAllTheSame(t *testing.T) {
	var library http.Handler
	s := serveThrough(t, options(transport.Limits{}), func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { library.ServeHTTP(w, r) })
	})
	library = s.io.ServeHandler(nil)
	connected := mustConnect(t, s.addr)
	polling := mustPoll(t, s.addr)
	upgraded := mustUpgrade(t, s.addr, polling)
	for name, c := range map[string]*wsClient{"connected": connected, "upgraded": upgraded} {
		if err := c.alive(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_ = c.Close()
	}
	eventually(t, "it is seen that the peers are gone", func() bool { return s.connections() == 0 })
}

// exchange sends a request whose Host and end are left out, and returns the
// answer's status and body, of which a WebSocket has none.
func exchange(t *testing.T, addr, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := fmt.Fprintf(conn, "%sHost: %s\r\n\r\n", request, addr); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	var body []byte
	if response.StatusCode != http.StatusSwitchingProtocols {
		if body, err = io.ReadAll(response.Body); err != nil {
			t.Fatal(err)
		}
	}
	return response.Status + " " + string(body)
}
