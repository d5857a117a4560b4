package transport

import (
	"context"
	"io"
	"net/http"
	"net/url"
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
// refusals too, but for one: see ambiguous.
//
// For the library keeps the request that began a connection as long as that lives,
// and with it net/http's buffers and gorilla's: 15 KiB of an idle connection. Of
// what it is given here nothing hangs on, see [visit] and [blank].
type handshakes struct {
	server   engine.BaseServer
	next     http.Handler // the library's own
	upgrader websocket.Upgrader
	blanks   sync.Pool // of *types.HttpContext, see blank
}

func newHandshakes(server engine.BaseServer, next http.Handler) *handshakes {
	h := &handshakes{server: server, next: next, blanks: sync.Pool{New: func() any { return blank() }}}
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
	began := beginningOf(r.Context())
	defer func() { began.take()() }() // unless a connection has
	query, upgrade := r.URL.Query(), websocket.IsWebSocketUpgrade(r)
	sid := query.Get("sid")
	switch {
	case ambiguous(query):
		refuseQuery(w)
	case upgrade && query.Get("transport") == transports.WEBSOCKET && (sid != "" || query.Get("EIO") == "4"):
		if t := h.webSocket(w, r, sid); t != nil {
			t.begin()
		}
	case !upgrade && r.Method == http.MethodGet && sid == "":
		v := newVisit(w, r, r.Context())
		defer v.end()
		h.next.ServeHTTP(v, v.request)
	default:
		h.next.ServeHTTP(w, r)
	}
}

// ambiguous tells whether a query names one of the library's parameters twice. Of
// those, [url.Values.Get] takes the first and the library the last, so it would
// serve another request than the one that was looked at.
func ambiguous(query url.Values) bool {
	return len(query["EIO"]) > 1 || len(query["transport"]) > 1 || len(query["sid"]) > 1
}

// refuseQuery answers as the library does what it calls a bad request.
func refuseQuery(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	_, _ = io.WriteString(w, `{"code":3,"message":"Bad request"}`)
}

// webSocket opens a WebSocket. When it returns, the engine is listening and nothing
// is left of the request. The transport is nil if it was refused, or is not ours.
func (h *handshakes) webSocket(w http.ResponseWriter, r *http.Request, sid string) *webSocket {
	served, cancel := context.WithCancel(context.Background()) // the library watches it until it ends
	defer cancel()
	v := newVisit(w, r, served)
	defer v.end()
	ctx := types.NewHttpContext(v, v.request)
	if !h.welcome(ctx) {
		h.next.ServeHTTP(w, r)
		return nil
	}
	conn, err := h.upgrader.Upgrade(w, r, ctx.ResponseHeaders().All())
	if err != nil {
		return nil // and answered, if that was possible
	}
	ctx.Websocket = &types.WebSocketConn{EventEmitter: types.NewEventEmitter(), Conn: conn}
	var ok bool
	if sid == "" {
		v.webSocket, ok = h.connect(ctx.Websocket, v.began)
	} else {
		ok = h.upgrade(sid, ctx)
	}
	if !ok {
		_ = conn.Close()
	}
	return v.webSocket
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

// connect makes a connection of a WebSocket. The transport is nil if it is not ours.
func (h *handshakes) connect(conn *types.WebSocketConn, began *beginning) (t *webSocket, ok bool) {
	ctx := h.blanks.Get().(*types.HttpContext)
	defer h.blanks.Put(ctx)
	v := visitOf(ctx)
	ctx.Websocket, v.began = conn, began
	refused, _ := h.server.Handshake(transports.WEBSOCKET, ctx)
	ctx.Websocket, v.began = nil, nil
	t, v.webSocket = v.webSocket, nil
	return t, refused == nil
}

// upgrade gives a WebSocket to a connection that may want to go on with it.
func (h *handshakes) upgrade(sid string, ctx *types.HttpContext) bool {
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
