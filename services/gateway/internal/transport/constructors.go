package transport

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/zishang520/socket.io/servers/engine/v3"
	"github.com/zishang520/socket.io/servers/engine/v3/transports"
	"github.com/zishang520/socket.io/servers/socket/v3"
	"github.com/zishang520/socket.io/v3/pkg/types"
)

// Constructors gives the polling and the WebSocket transport for the
// SetTransports of one server's options. That server must be given to [Attach].
// What is logged is panics.
func Constructors(limits Limits, log *slog.Logger) *types.Set[engine.TransportCtor] {
	shared := &constructor{limits.withDefaults(), newRegistry(), newWriters(), &panics{logger: log}}
	return types.NewSet[engine.TransportCtor](pollingConstructor{shared}, webSocketConstructor{shared})
}

// Attach starts the transports of the server's connections, and gives the handler
// that serves them. It is called once, before the server serves.
//
// The transports deliver nothing before this: only when the engine has announced
// a connection is everybody listening who wants to hear its first packet. Nor
// does a client get the answer to its CONNECT to "/" before the library has
// registered the socket, since an event sent at once would be an error to it.
func Attach(io *socket.Server) (http.Handler, error) {
	handler := attachEngine(io.ServeHandler(nil), io.Engine(), true)
	return handler, io.On("connect", func(args ...any) {
		if s, ok := first[*socket.Socket](args); ok {
			if link := LinkOf(s.Conn()); link != nil {
				link.connected()
			}
			if s.Conn().ReadyState() == "closed" {
				// And before the library knew this socket, so it would keep it for ever.
				s.Disconnect(false)
			}
		}
	})
}

// AttachEngine is [Attach] for an Engine.IO server without Socket.IO on it, as
// the Engine.IO conformance suite wants it.
func AttachEngine(e engine.Server) http.Handler { return attachEngine(e, e, false) }

func attachEngine(own http.Handler, e engine.BaseServer, holdsBack bool) http.Handler {
	_ = e.On("connection", func(args ...any) {
		conn, ok := first[engine.Socket](args)
		if !ok {
			return
		}
		if link := LinkOf(conn); link != nil {
			link.configure(holdsBack, e.Opts().PingTimeout()/pongDelayPart)
			adopt(conn, link)
		}
	})
	return newHandshakes(e, own)
}

// adopt ties a link to its connection, on the goroutine of the handshake's request,
// which begins to read a WebSocket after it.
func adopt(conn engine.Socket, link *Link) {
	link.links.add(conn.Id(), link)
	end := takeEnd(conn.Request())
	_ = conn.Once("close", func(...any) {
		link.shut()
		end()
	})
	_ = conn.Once("upgrade", func(args ...any) {
		if t, ok := first[*webSocket](args); ok {
			link.carry(t)
		}
	})
	if conn.ReadyState() == "closed" {
		link.shut()
		end()
	}
	switch t := conn.Transport().(type) {
	case *polling:
		forget(conn.Request())
		t.start()
	case *webSocket:
		t.RemoveAllListeners("headers") // of an answer that has been given
	}
}

func first[T any](args []any) (v T, ok bool) {
	if len(args) > 0 {
		v, ok = args[0].(T)
	}
	return v, ok
}

type constructor struct {
	limits  Limits
	links   *registry
	writers *writers
	panics  *panics
}

type pollingConstructor struct{ *constructor }

func (pollingConstructor) Name() string          { return transports.POLLING }
func (pollingConstructor) HandlesUpgrades() bool { return false }
func (pollingConstructor) UpgradesTo() []string  { return []string{transports.WEBSOCKET} }

func (c pollingConstructor) New(ctx *types.HttpContext) transports.Transport {
	return newPolling(ctx, newLink(c.limits, c.links))
}

type webSocketConstructor struct{ *constructor }

func (webSocketConstructor) Name() string          { return transports.WEBSOCKET }
func (webSocketConstructor) HandlesUpgrades() bool { return true }
func (webSocketConstructor) UpgradesTo() []string  { return nil }

// New is called for a new connection, and for one that probes whether it can
// upgrade: that one names its session.
//
// Whoever opened the WebSocket begins to read it, as [handshakes] does. One that
// came another way is read as soon as its request has been served: the engine is
// listening then, and nobody else would read it, or notice that its peer is gone.
func (c webSocketConstructor) New(ctx *types.HttpContext) transports.Transport {
	link, stage := c.linkOf(ctx)
	t := newWebSocket(ctx, link, c.writers, c.panics, stage)
	if visitOf(ctx) == nil {
		context.AfterFunc(ctx.Request().Context(), t.read)
	}
	return t
}

func (c webSocketConstructor) linkOf(ctx *types.HttpContext) (*Link, stage) {
	sid := ctx.Query().Peek("sid")
	if sid == "" {
		return newLink(c.limits, c.links), stageOpen
	}
	link, ok := c.links.find(sid)
	if !ok { // closed since the engine looked: the upgrade will fail
		link = newLink(c.limits, c.links)
	}
	return link, stageProbe
}
