package transport_test

import (
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/zishang520/socket.io/servers/socket/v3"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
)

// patience is how long a test waits for what must happen.
const patience = 40 * time.Second

// server is the real Socket.IO library with this package's transports, on a
// port of its own.
type server struct {
	t    testing.TB
	io   *socket.Server
	addr string
	http *http.Server
}

func options(limits transport.Limits) *socket.ServerOptions {
	o := socket.DefaultServerOptions()
	o.SetTransports(transport.Constructors(limits, slog.Default()))
	o.SetConnectTimeout(5 * time.Second)
	o.SetServeClient(false)
	return o
}

func newServer(t testing.TB, limits transport.Limits) *server {
	t.Helper()
	return serve(t, options(limits))
}

func serve(t testing.TB, o *socket.ServerOptions) *server {
	t.Helper()
	return serveThrough(t, o, func(h http.Handler) http.Handler { return h })
}

// serveThrough puts something in front of the handler.
func serveThrough(t testing.TB, o *socket.ServerOptions, front func(http.Handler) http.Handler) *server {
	t.Helper()
	s := &server{t: t, io: socket.NewServer(nil, o)}
	handler, err := transport.Attach(s.io)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = listener.Addr().String()
	s.http = &http.Server{Handler: front(handler)}
	go func() { _ = s.http.Serve(listener) }()
	t.Cleanup(func() {
		s.io.Close(nil)
		_ = s.http.Close()
	})
	return s
}

// onSocket runs f for every socket that connects.
func (s *server) onSocket(f func(*socket.Socket)) {
	_ = s.io.On("connection", func(args ...any) { f(args[0].(*socket.Socket)) })
}

// link is the one of the connection with the given Socket.IO socket.
func (s *server) link(id string) *transport.Link {
	s.t.Helper()
	sock, ok := s.io.Sockets().Sockets().Load(socket.SocketId(id))
	if !ok {
		s.t.Fatalf("no socket %q", id)
	}
	return transport.LinkOf(sock.Conn())
}

func (s *server) connections() int { return int(s.io.Engine().ClientsCount()) }

// eventually waits until ok holds.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// receive takes a value from a channel, or fails.
func receive[T any](t testing.TB, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("not within %v: %s", patience, what)
		panic("unreachable")
	}
}
