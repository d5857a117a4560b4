// Command echo is the server that the official protocol suites of Engine.IO and
// Socket.IO test (the folder test-suite of their protocol repositories), on our
// transports. They expect it at http://localhost:3000, and Socket.IO's needs the
// package ws in version 8.15 or later, for earlier ones drop the second of two
// frames that arrive at once.
//
//	go run ./internal/transport/echo
package main

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/zishang520/socket.io/servers/engine/v3"
	"github.com/zishang520/socket.io/servers/engine/v3/config"
	"github.com/zishang520/socket.io/servers/socket/v3"
	"github.com/zishang520/socket.io/v3/pkg/types"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
)

// What the suites expect of the server.
const (
	address      = "localhost:3000"
	pingInterval = 300 * time.Millisecond
	pingTimeout  = 200 * time.Millisecond
	maxPayload   = 1_000_000
)

func main() {
	http.Handle("/engine.io/", engineEcho())
	socketIO, err := socketEcho()
	if err == nil {
		http.Handle("/socket.io/", socketIO)
		err = http.ListenAndServe(address, nil)
	}
	fmt.Fprintln(os.Stderr, "echo:", err)
	os.Exit(1)
}

func transports() *types.Set[engine.TransportCtor] {
	return transport.Constructors(transport.Limits{MaxFrame: maxPayload, SendBudget: 4 * maxPayload, AnyMessage: true}, slog.Default())
}

func engineEcho() http.Handler {
	options := config.DefaultServerOptions()
	options.SetPingInterval(pingInterval)
	options.SetPingTimeout(pingTimeout)
	options.SetMaxHttpBufferSize(maxPayload)
	options.SetTransports(transports())
	server := engine.NewServer(options)
	handler := transport.AttachEngine(server)
	_ = server.On("connection", func(args ...any) {
		conn := args[0].(engine.Socket)
		_ = conn.On("data", func(data ...any) { conn.Send(data[0].(io.Reader), nil, nil) })
	})
	return handler
}

func socketEcho() (http.Handler, error) {
	options := socket.DefaultServerOptions()
	options.SetPingInterval(pingInterval)
	options.SetPingTimeout(pingTimeout)
	options.SetMaxHttpBufferSize(maxPayload)
	options.SetConnectTimeout(time.Second)
	options.SetServeClient(false)
	options.SetTransports(transports())
	server := socket.NewServer(nil, options)
	handler, err := transport.Attach(server)
	if err != nil {
		return nil, err
	}
	if err := server.On("connection", greet); err != nil {
		return nil, err
	}
	return handler, server.Of("/custom", nil).On("connection", greet)
}

func greet(args ...any) {
	s := args[0].(*socket.Socket)
	auth := s.Handshake().Auth
	if auth == nil {
		auth = map[string]any{}
	}
	_ = s.Emit("auth", auth)
	_ = s.On("message", func(args ...any) { _ = s.Emit("message-back", args...) })
	_ = s.On("message-with-ack", func(args ...any) {
		args[len(args)-1].(socket.Ack)(args[:len(args)-1], nil)
	})
}
