package transport

import (
	"context"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"
	"github.com/zishang520/socket.io/servers/engine/v3"
	"github.com/zishang520/socket.io/servers/engine/v3/transports"
	"github.com/zishang520/socket.io/v3/pkg/types"
)

// readBuffer is what a WebSocket keeps for reading. Several small messages come
// with one read; a large one is read past it.
const readBuffer = 512

// handshakes serves an Engine.IO server's requests. It opens WebSockets itself,
// by the steps of the library's own handler, and has that do everything else,
// refusals too.
//
// For the library keeps the request that began a connection as long as that lives,
// and with it net/http's buffers and gorilla's: 15 KiB of an idle connection. What
// it is given here lets go of all that, see [visit].
type handshakes struct {
	server   engine.BaseServer
	next     http.Handler // the library's own
	upgrader websocket.Upgrader
}

func newHandshakes(server engine.BaseServer, next http.Handler) *handshakes {
	h := &handshakes{server: server, next: next}
	h.upgrader = websocket.Upgrader{
		ReadBufferSize:  readBuffer,
		WriteBufferPool: &sync.Pool{}, // nothing is written through it
		Error:           func(w http.ResponseWriter, r *http.Request, _ int, _ error) { next.ServeHTTP(w, r) },
	}
	if cors := server.Opts().Cors(); cors != nil && cors.Origin != nil {
		h.upgrader.CheckOrigin = func(r *http.Request) bool {
			origin := r.Header.Get("Origin")
			return origin == "" || cors.IsOriginAllowed(origin, cors.Origin)
		}
	}
	return h
}

func (h *handshakes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query, upgrade := r.URL.Query(), websocket.IsWebSocketUpgrade(r)
	switch {
	case upgrade && query.Get("transport") == transports.WEBSOCKET && query.Get("EIO") == "4":
		h.webSocket(w, r)
	case !upgrade && r.Method == http.MethodGet && !query.Has("sid"):
		v := newVisit(w, r, r.Context())
		defer v.end()
		h.next.ServeHTTP(v, v.request)
	default:
		h.next.ServeHTTP(w, r)
	}
}

// webSocket opens a WebSocket and takes in its first messages.
func (h *handshakes) webSocket(w http.ResponseWriter, r *http.Request) {
	served, cancel := context.WithCancel(context.Background()) // the library watches it until it ends
	defer cancel()
	v := newVisit(w, r, served)
	defer v.end()
	ctx := types.NewHttpContext(v, v.request)
	if !h.welcome(ctx) {
		h.next.ServeHTTP(w, r)
		return
	}
	conn, err := h.upgrader.Upgrade(w, r, ctx.ResponseHeaders().All())
	if err != nil {
		return // and answered, if that was possible
	}
	ctx.Websocket = &types.WebSocketConn{EventEmitter: types.NewEventEmitter(), Conn: conn}
	if !h.open(ctx) {
		_ = conn.Close()
	}
	ctx.Websocket = nil
	cancel()
	v.end()
	if v.webSocket != nil {
		v.webSocket.begin()
	}
}

// welcome asks the library whether it would take a WebSocket.
func (h *handshakes) welcome(ctx *types.HttpContext) (ok bool) {
	h.server.ApplyMiddlewares(ctx, func(err error) { // which do not wait
		if err == nil {
			refused, _ := h.server.Verify(ctx, true)
			ok = refused == nil
		}
	})
	return ok
}

// open gives a WebSocket to the engine: as a new connection, or to one that may go
// on with it.
func (h *handshakes) open(ctx *types.HttpContext) bool {
	sid := ctx.Query().Peek("sid")
	if sid == "" {
		refused, _ := h.server.Handshake(transports.WEBSOCKET, ctx)
		return refused == nil
	}
	conn, ok := h.server.Clients().Load(sid)
	if !ok || conn.Upgrading() || conn.Upgraded() {
		return false
	}
	t, err := h.server.CreateTransport(transports.WEBSOCKET, ctx)
	if err != nil {
		return false
	}
	conn.MaybeUpgrade(t)
	return true
}
