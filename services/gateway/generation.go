package gateway

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/delivery"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/directory"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/history"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/idempotency"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/logview"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/posting"
	"github.com/tidemark-chat/tidemark/streams/appender"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/feed"
	"github.com/tidemark-chat/tidemark/streams/presence"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/tail"
)

// generation is everything that belongs to following one log without a gap: its
// feed and tail, the members it delivers to, what posts to it. If the feed is
// lost, the generation ends with all its connections, and a new one begins.
type generation struct {
	epoch  string
	tail   *tail.Tail
	hub    *delivery.Hub
	poster *posting.Poster
	clock  clock

	applied atomic.Uint64 // offset up to which everything here is done with what the feed brought

	appends *appender.Appender
	past    *history.History
	people  *people
	horizon *horizon
	view    *logview.View // nil where the log is not shown

	welcoming, paging *readers // lists of users, and pages of history, that are read at the same time
}

// runGeneration follows the log until ctx ends (nil) or the feed is lost. The
// generation is the current one, and takes connections, once it has replayed
// what was in the log when it began.
func (g *Gateway) runGeneration(ctx context.Context) error {
	reads := eventlog.Open(g.nats.reads)
	state, err := reads.State(ctx)
	if err != nil {
		return err
	}
	f, err := newFeed(ctx, g.cfg.Gateway.Feed, g.nats.feed, g.log)
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	defer all.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	position := uint64(0)
	if warm := uint64(g.cfg.Gateway.WarmEvents); state.Last > warm {
		position = state.Last - warm
	}
	position = max(position, state.First-1)
	t := tail.New(int(g.cfg.Gateway.TailBytes), position)
	model := query.NewClient(g.nats.reads.Conn())
	past := history.New(model, reads, t, state.Epoch, g.metrics.delivery.Read)
	hub := delivery.New(t, past, delivery.Options{
		Epoch: state.Epoch, Readers: g.cfg.Gateway.CatchUpWorkers,
		WatermarkInterval: g.cfg.Gateway.WatermarkInterval, Metrics: g.metrics.delivery, Tracer: g.tracer, Log: g.log,
	})
	appends := appender.New(g.nats.publish, state.AtomicBatch, g.cfg.Gateway.AppendTimeout)
	appends.Observe(g.metrics.appended)
	gen := &generation{
		epoch: state.Epoch, tail: t, hub: hub, appends: appends, past: past,
		horizon: newHorizon(reads), welcoming: newReaders(g.cfg.Gateway.CatchUpWorkers), paging: newReaders(g.cfg.Gateway.CatchUpWorkers),
	}
	gen.people = &people{
		log: reads, model: model, directory: directory.New(g.cfg.Gateway.MaxUsers), presence: g.presence,
		upToDate: gen.upToDate, max: g.cfg.Gateway.MaxUsers, loaded: make(chan struct{}),
	}
	gen.clock.set(state.Now)
	gen.horizon.reach(position)
	gen.applied.Store(position)
	if g.cfg.Gateway.LogView {
		gen.view = g.newLogView(gen, reads, model)
		all.Go(func() { <-ctx.Done(); gen.view.Close() })
	}
	gen.poster = &posting.Poster{
		Appender: appends, Model: model, SameLog: past.SameLog, Log: reads, Tail: t, Now: gen.clock.now,
		Window: idempotency.Window{
			Length: state.DedupWindow,
			Way:    history.Timeout + 3*g.cfg.Gateway.AppendTimeout, // the lookup, the queue, a batch, then singly
			Since:  state.Restored,
		},
		Began: state.Began, Tracer: g.tracer,
	}

	// The hub outlives the appender, so that acks of what is in flight at the
	// end still find their connections.
	hubCtx, stopHub := context.WithCancel(context.WithoutCancel(ctx))
	all.Go(func() { hub.Run(hubCtx) })
	all.Go(func() {
		defer stopHub()
		appends.Run(ctx)
		gen.poster.Wait()
	})
	all.Go(func() { gen.people.load(ctx, position, past.SameLog, g.log) })
	all.Go(func() {
		<-ctx.Done()
		gen.welcoming.close() // soon, because the hub cuts those who are read for
		gen.paging.close()
	})
	defer g.current.CompareAndSwap(gen, nil)

	began := time.Now()
	warm := func() {
		g.log.Info("following the log", "epoch", state.Epoch, "from", position, "to", t.Position(), "took", time.Since(began).Round(time.Millisecond))
		g.current.Store(gen)
	}
	if position >= state.Last {
		warm()
	}
	return f.Run(ctx, position, func(r feed.Record) {
		if r.Damaged == nil && r.Event.Type == event.Registered {
			gen.people.registered(&r.Event)
			if r.Event.Offset > state.Last {
				g.expect(&r.Event)
			}
		}
		hub.Apply(r)
		gen.horizon.reach(r.Event.Offset)
		if gen.view != nil {
			gen.view.Apply(r)
		}
		gen.applied.Store(r.Event.Offset)
		if r.Event.Offset >= state.Last && g.current.Load() != gen {
			warm()
		}
	})
}

// expect takes a registration that the feed brings while the gateway follows it. Who
// has registered is about to be connected, and may write before that is heard of:
// he counts as online from here on, so that everybody is told of him before they
// are sent what he says.
func (g *Gateway) expect(e *event.Event) {
	g.presence.Expect(presence.Entry{Kind: presence.User, ID: e.Sender, Name: e.SenderName})
}
