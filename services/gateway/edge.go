package gateway

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/zishang520/socket.io/servers/socket/v3"
	"github.com/zishang520/socket.io/v3/pkg/types"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/door"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
)

const (
	// connectTimeout is how long a connection may stay without a namespace.
	connectTimeout = 5 * time.Second
	// frameOverhead is what a message may take beside its content: the longest
	// key and event name, JSON escapes of a moderate text. What is larger than
	// the content allows is refused by us, with an ack; what is larger than a
	// frame may be costs the connection.
	frameOverhead = 4 << 10
	escapeFactor  = 6 // "\u0000" for one byte
	minFrame      = 128 << 10
	// maxIdentifying is how many clients are identified at the same time.
	maxIdentifying = 64
)

// edge is the Socket.IO server.
type edge struct {
	g  *Gateway
	io *socket.Server

	handler     http.Handler
	identifying *readers
	stopping    context.Context // ends when the gateway stops
	stop        context.CancelFunc
}

func newEdge(g *Gateway) (*edge, error) {
	cfg := g.cfg.Gateway
	maxFrame := max(minFrame, escapeFactor*int(cfg.MaxContentBytes)+frameOverhead)
	options := socket.DefaultServerOptions()
	options.SetPath("/socket.io/")
	options.SetServeClient(false) // we do: the library's own handler does not work here
	options.SetConnectTimeout(connectTimeout)
	options.SetPingInterval(cfg.PingInterval)
	options.SetPingTimeout(cfg.PingTimeout)
	options.SetMaxHttpBufferSize(int64(maxFrame))
	options.SetAdapter(roomless{})
	options.SetTransports(transport.Constructors(transport.Limits{
		SendBudget: int(cfg.SendBudget), MaxFrame: maxFrame, StallTimeout: cfg.StallTimeout,
		Observer: observer{g},
	}, g.log))
	e := &edge{g: g, io: socket.NewServer(nil, options), identifying: newReaders(maxIdentifying)}
	e.stopping, e.stop = context.WithCancel(context.Background())
	var err error
	if e.handler, err = transport.Attach(e.io); err != nil {
		return nil, err
	}
	e.io.Use(e.admit)
	if err := e.io.On("connection", func(args ...any) { e.connected(args[0].(*socket.Socket)) }); err != nil {
		return nil, err
	}
	return e, nil
}

// roomless makes the library's adapter without its rooms, of which each socket has
// one of its own at least: the hub knows who follows what.
type roomless struct{}

func (roomless) New(nsp socket.Namespace) socket.Adapter { return noRooms{socket.NewAdapter(nsp)} }

type noRooms struct{ socket.Adapter }

func (noRooms) AddAll(socket.SocketId, *types.Set[socket.Room]) {}

// ServeHTTP serves Engine.IO.
func (e *edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost || r.Body != http.NoBody {
		// For bodies of requests that are refused, or answered, before they are
		// read, of whatever method; the transport sets its own deadline for those
		// that it reads, and lifts it.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(e.g.cfg.Gateway.StallTimeout))
	}
	if !e.g.doors.origins.Load().Admit(w, r, e.g.doors.proxies.Site(r)) {
		if r.Method != http.MethodOptions { // that is only asked beforehand
			e.g.metrics.notConnected[refusedOrigin].Inc()
		}
		return
	}
	if q := r.URL.Query(); q.Get("sid") == "" && r.Method == http.MethodGet {
		if e.g.draining.Load() || e.g.current.Load() == nil {
			e.g.metrics.notConnected[refusedNotReady].Inc()
			// Not by an error of Engine.IO or Socket.IO: official clients try again.
			w.Header().Set("Retry-After", "1")
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		if q.Get("EIO") != "4" && (q.Get("transport") == "polling" || q.Get("transport") == "websocket") {
			e.g.metrics.notConnected[refusedProtocol].Inc()
			refuseProtocol(w)
			return
		}
		var reason door.Reason
		if r, reason = e.g.doors.admit(w, r); reason != "" {
			e.g.turnedAway(reason)
			return
		}
	}
	e.handler.ServeHTTP(w, r)
}

// refuseProtocol answers a client of Socket.IO 2 or older as Node.js does. The
// library, up to v3.0.5, says code 4, which is "forbidden"; no longer needed
// when engine.UNSUPPORTED_PROTOCOL_VERSION has code 5.
func refuseProtocol(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	_, _ = io.WriteString(w, `{"code":5,"message":"Unsupported protocol version"}`)
}

// admitted is what admit found out, for connected.
type admitted struct {
	hello contract.Hello
	user  user
}

// admit is the namespace's middleware: who may connect, as whom and with what
// offset. What cannot be found out now cuts the transport, because an error here
// would end the client's attempts for good.
func (e *edge) admit(s *socket.Socket, next func(*socket.ExtendedError)) {
	cfg := e.g.cfg.Gateway
	tokens := e.g.tokens.Load()
	hello, wrong := contract.ParseHello(s.Handshake().Auth, contract.Options{
		AllowGuests: cfg.AllowGuests, MaxRooms: cfg.MaxRooms, Tokens: tokens.Enabled(), TokensRequired: tokens.Required(),
	})
	if wrong != nil && hello.Token == "" {
		e.refuse(next, wrong)
		return
	}
	if hello.Guest {
		s.SetData(admitted{hello: hello})
		next(nil)
		return
	}
	ctx, cancel := context.WithTimeout(e.stopping, connectTimeout)
	_ = s.Conn().Once("close", func(...any) { cancel() })
	e.identifying.run(ctx, nil, func() {
		defer cancel()
		u, err := e.g.identify(ctx, hello, wrong)
		switch {
		case err == nil:
			s.SetData(admitted{hello, u})
			next(nil)
		case contract.EndsAttempts(err):
			e.refuse(next, err)
		default:
			e.g.failed("who connects cannot be found out now", err)
			cut(s)
		}
	}, func() { cancel(); cut(s) })
}

// refuse ends a client's attempts to connect as he says he is.
func (e *edge) refuse(next func(*socket.ExtendedError), why error) {
	e.g.metrics.notConnected[refusedIdentity].Inc()
	next(socket.NewExtendedError(why.Error(), nil))
}

// cut cuts a connection that has no session yet.
func cut(s *socket.Socket) {
	if link := transport.LinkOf(s.Conn()); link != nil {
		link.Close()
	}
}

// connected makes a session of a new Socket.IO connection.
func (e *edge) connected(s *socket.Socket) {
	link := transport.LinkOf(s.Conn())
	if link == nil {
		return // its connection is over
	}
	gen := e.g.current.Load()
	who, ok := s.Data().(admitted)
	s.SetData(nil) // which is kept as long as the socket
	if gen == nil || !ok {
		link.Close()
		return
	}
	session := e.g.newSession(gen, link, string(s.Id()), who.user, who.hello.Rooms)
	if session == nil {
		e.g.metrics.notConnected[refusedUser].Inc()
		link.Close() // not by a disconnect, which would end the client's attempts for good
		return
	}
	e.g.metrics.connections.Inc()
	err := s.On("disconnect", func(...any) { session.end() })
	s.OnAny(func(args ...any) { session.event(args, link.Begin()) })
	session.expire()
	session.cutIfRevoked()
	session.begin(who.hello)
	if err != nil || !s.Connected() || s.Conn().ReadyState() != "open" {
		session.end() // the peer left while it connected: "disconnect" may never come
	}
}

// close ends what is left of the library's connections.
func (e *edge) close() {
	e.stop()
	e.io.Close(nil)
	e.identifying.close()
}
