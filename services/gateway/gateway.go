// Package gateway is the Socket.IO edge of Tidemark. It appends what clients
// send to the log and delivers what the log says; it keeps nothing that must
// survive it.
//
//	client ──▶ session ──▶ posting ──▶ appender ──▶ log
//	   ▲                                             │
//	   ╰── transport ◀── delivery (hub) ◀── feed ◀───╯
//
// A gateway never delivers what it has just appended, only what comes back in
// the feed: every client of every gateway sees the log's order.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/auth"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/roster"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/seldom"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/lag"
	"github.com/tidemark-chat/tidemark/streams/layout"
	"github.com/tidemark-chat/tidemark/streams/notary"
	"github.com/tidemark-chat/tidemark/streams/presence"
	"github.com/tidemark-chat/tidemark/streams/provision"
	"github.com/tidemark-chat/tidemark/streams/revocation"
	sessions "github.com/tidemark-chat/tidemark/streams/session"
	"github.com/tidemark-chat/tidemark/streams/trace"
)

const (
	minPause, maxPause = 250 * time.Millisecond, 2 * time.Second // before trying the log again

	idleTimeout = time.Minute     // of an HTTP connection between two requests
	lastAnswers = 2 * time.Second // for requests under way at the end
)

// Gateway is one gateway process, or a standalone's part of one.
type Gateway struct {
	id          string // of this run of this gateway
	cfg         config.Config
	log         *slog.Logger
	natsOptions []nats.Option

	doors   *doors
	edge    *edge
	metrics *metrics
	tracer  *trace.Tracer // nil: nothing is traced
	nats    connections
	rights  *eventlog.Rights // of those connections

	current  atomic.Pointer[generation] // nil while no connections are taken
	draining atomic.Bool
	live     atomic.Pointer[config.Gateway] // as cfg.Gateway, or as it was read again since
	health   health
	lag      lag.Lag // of the feed

	accounts accounts
	tokens   atomic.Pointer[auth.Verifier]
	sessions *sessions.Store
	presence *presence.Presence
	roster   *roster.Roster
	failures seldom.Log
	refused  seldom.Log // tokens

	revocations *revocation.List
}

// connections are several, because a read is served in the server's read loop of
// its connection and would hold up an append behind it. people is for sessions,
// presence and signals.
type connections struct {
	publish, feed, reads, people jetstream.JetStream
}

// Run runs a gateway until ctx ends: New, and then Run.
func Run(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	g, err := New(cfg, log)
	if err != nil {
		return err
	}
	return g.Run(ctx)
}

// New checks the settings and listens, so that a busy address is an error now.
// natsOptions are for how to reach the log (a standalone: in process).
func New(cfg config.Config, log *slog.Logger, natsOptions ...nats.Option) (*Gateway, error) {
	if cfg.NATS.URL == "" && len(natsOptions) == 0 {
		return nil, cfg.Invalid("nats.url", "a gateway needs the address of a nats-server; only standalone has one of its own")
	}
	g := &Gateway{id: nuid.Next(), cfg: cfg, log: log, natsOptions: natsOptions, roster: roster.New(), rights: eventlog.NewRights(eventlog.Gateway, log)}
	g.accounts = accounts{g: g, byUser: make(map[string]*account)}
	g.live.Store(&g.cfg.Gateway)
	g.doors = newDoors(cfg.Gateway)
	g.metrics = newMetrics(g)
	var err error
	if g.edge, err = newEdge(g); err != nil {
		return nil, err
	}
	if err = g.doors.open(cfg, g.turnedAway); err != nil {
		return nil, err
	}
	if g.tracer, err = trace.New(trace.Options{
		Endpoint: string(cfg.Telemetry.Endpoint), Ratio: cfg.Telemetry.Ratio, Service: "gateway", ID: g.id, Log: log,
	}); err != nil {
		g.doors.close()
		return nil, err
	}
	if err := g.reloadAuth(cfg.Auth); err != nil {
		g.doors.close()
		g.tracer.Close()
		return nil, named(cfg, err)
	}
	return g, nil
}

// Address is where the gateway listens.
func (g *Gateway) Address() string { return g.doors.listener.Addr().String() }

// Run serves until ctx ends and then stops in an orderly way: it is not ready
// any more, takes no new connections and messages, finishes the appends in
// flight, cuts its connections so that clients go elsewhere, and returns within
// gateway.shutdownTimeout. An error is one that an operator must mend.
func (g *Gateway) Run(ctx context.Context) error {
	defer g.tracer.Close() // when nothing is traced any more
	defer g.doors.close()
	defer func() { g.tokens.Load().Close() }()
	if err := g.connect(); err != nil {
		return err
	}
	defer g.disconnect()

	server := &http.Server{
		Handler: g.routes(), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: mostHeader,
		ErrorLog: log.New(httpErrors{g.log}, "", 0),
	}
	failed := make(chan error, 7)
	stopOperations := g.serveOperations(failed)
	// following ends before the rest: it finishes appends and cuts connections.
	followCtx, stopFollowing := context.WithCancel(ctx)
	defer stopFollowing()
	var following, serving sync.WaitGroup
	following.Go(func() {
		if err := g.follow(followCtx); err != nil {
			failed <- err
		}
	})
	serving.Go(func() {
		select {
		case err := <-g.rights.Refused():
			failed <- err
		case <-followCtx.Done():
		}
	})
	serving.Go(func() { g.takeUp(followCtx) })
	serving.Go(func() { g.watch(followCtx) })
	serving.Go(func() { g.roster.Run(followCtx) })
	serving.Go(func() { g.accounts.renew(followCtx, g.sessions) })
	serving.Go(func() {
		if err := g.revocations.Run(followCtx); err != nil {
			failed <- err
		}
	})
	serving.Go(func() {
		if err := g.passSignals(followCtx); err != nil {
			failed <- fmt.Errorf("pass on signals: %w", err)
		}
	})
	presenceCtx, stopPresence := context.WithCancel(context.Background())
	defer stopPresence()
	serving.Go(func() {
		if err := g.presence.Run(presenceCtx); err != nil {
			failed <- err
		}
	})
	serving.Go(func() {
		if err := server.Serve(g.doors.clients()); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("serve HTTP: %w", err)
		}
	})
	g.log.Info("gateway listens", "address", g.Address())

	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	g.draining.Store(true)
	g.log.Info("gateway stops")
	deadline, cancel := context.WithTimeout(context.Background(), g.cfg.Gateway.ShutdownTimeout)
	defer cancel()
	stopFollowing()
	waitFor(deadline, &following)
	g.edge.close()
	stopPresence() // now that nobody is connected here any more
	answering, cancelAnswering := context.WithTimeout(deadline, lastAnswers)
	defer cancelAnswering()
	if server.Shutdown(answering) != nil {
		server.Close()
	}
	waitFor(deadline, &serving)
	stopOperations(deadline)
	return err
}

// follow makes sure that there is a log and then keeps one generation after
// another going. It returns when ctx ends, or with an error that no retry mends.
//
// A log is made at the start only: a running gateway whose log has gone must not
// put an empty one in its place.
func (g *Gateway) follow(ctx context.Context) error {
	provisioned, pause := false, minPause
	for ctx.Err() == nil {
		began := time.Now()
		var err error
		if !provisioned {
			err = g.provision(ctx)
			if fault.Is(err, fault.Permanent) {
				return err
			}
			provisioned = err == nil
		}
		if err == nil {
			err = g.runGeneration(ctx)
		}
		if err != nil && ctx.Err() == nil {
			if time.Since(began) > maxPause {
				pause = minPause // it had worked
			}
			g.log.Warn("not following the log", "error", err, "again in", pause)
			g.health.note(fmt.Errorf("not following the log: %w", err))
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
			pause = min(2*pause, maxPause)
		}
	}
	return nil
}

func (g *Gateway) provision(ctx context.Context) error {
	if err := eventlog.Provision(ctx, g.nats.reads, layout.Log(g.cfg), g.log); err != nil {
		return err
	}
	return g.sessions.Provision(ctx)
}

// connect makes the connections, which come up when the log's server does.
func (g *Gateway) connect() error {
	options, err := eventlog.Options(g.cfg, eventlog.Gateway)
	if err != nil {
		return err
	}
	// Without its rights to the stream of checkpoints only the log view lacks something.
	options = append(options, nats.RetryOnFailedConnect(true), g.rights.Option("."+notary.StreamName))
	options = append(options, g.natsOptions...)
	for name, js := range map[string]*jetstream.JetStream{
		"publish": &g.nats.publish, "feed": &g.nats.feed, "reads": &g.nats.reads, "people": &g.nats.people,
	} {
		var err error
		if _, *js, err = eventlog.Connect(string(g.cfg.NATS.URL), "gateway "+name, g.log, options...); err != nil {
			g.disconnect()
			return fmt.Errorf("connect to the log: %w", err)
		}
	}
	g.sessions = sessions.Open(g.nats.people, sessions.Config{TTL: g.cfg.Gateway.SessionTTL, Replicas: g.cfg.NATS.Replicas, Mode: provision.For(g.cfg.NATS.Provision), Log: g.log})
	g.revocations = revocation.Open(g.nats.people, revocation.Options{
		Replicas: g.cfg.NATS.Replicas, Mode: provision.For(g.cfg.NATS.Provision), Changed: g.accounts.revoked, Log: g.log,
	})
	g.presence = presence.New(g.nats.people, presence.Options{
		Lease: g.cfg.Gateway.PresenceLease, Renew: g.cfg.Gateway.PresenceLease / 3, Replicas: g.cfg.NATS.Replicas,
		Changed: g.roster.Changed, Mode: provision.For(g.cfg.NATS.Provision), Log: g.log,
	})
	return nil
}

func (g *Gateway) disconnect() {
	for _, js := range []jetstream.JetStream{g.nats.publish, g.nats.feed, g.nats.reads, g.nats.people} {
		if js != nil {
			js.Conn().Close()
		}
	}
}

// waitFor waits for all, or until ctx ends: what hangs then is left behind by a
// process that is about to end.
func waitFor(ctx context.Context, all *sync.WaitGroup) {
	done := make(chan struct{})
	go func() { defer close(done); all.Wait() }()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
