package gateway

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidemark-chat/tidemark/streams/presence"
)

// registerGauges registers what is looked up when it is asked for. Where the
// gateway does not follow the log, what concerns its generation is 0.
func (m *metrics) registerGauges(g *Gateway) {
	gauge := func(name, help string, value func() float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts(options(name, help)), value))
	}
	current := func(name, help string, value func(gen *generation) float64) {
		gauge(name, help, func() float64 {
			if gen := g.current.Load(); gen != nil {
				return value(gen)
			}
			return 0
		})
	}
	present := func(name, help string, value func(p *presence.Presence) int) {
		gauge(name, help, func() float64 {
			if g.presence == nil { // not running yet
				return 0
			}
			return float64(value(g.presence))
		})
	}
	current("connected", "Connections that receive events.", func(gen *generation) float64 { n, _ := gen.hub.Count(); return float64(n) })
	current("catching_up", "Connections that are behind the feed.", func(gen *generation) float64 { n, live := gen.hub.Count(); return float64(n - live) })
	current("feed_offset", "Newest offset that the feed has delivered.", func(gen *generation) float64 { return float64(gen.tail.Position()) })
	current("tail_first_offset", "Oldest offset in the tail.", func(gen *generation) float64 { first, _, _ := gen.tail.Stats(); return float64(first) })
	current("tail_bytes", "Memory the tail holds.", func(gen *generation) float64 { _, _, n := gen.tail.Stats(); return float64(n) })
	current("log_viewers", "People who watch the log.", func(gen *generation) float64 {
		if gen.view == nil {
			return 0
		}
		return float64(gen.view.Watching())
	})
	present("users_online", "Users connected to any gateway, as this one knows it.", func(p *presence.Presence) int { return p.Count(presence.User) })
	present("presence_current", "1 if presence is exchanged with the other gateways: there is a lease, and the buckets are followed.", func(p *presence.Presence) int {
		if p.Current() {
			return 1
		}
		return 0
	})
	present("presence_leases", "Gateways that hold a lease on presence, as this one knows it.", (*presence.Presence).Gateways)
	gauge("log_offset", "Newest offset of the log, when last asked.", func() float64 {
		log, _ := g.health.get()
		return float64(log.Last)
	})
	gauge("log_bytes", "Size of the log, when last asked.", func() float64 {
		log, _ := g.health.get()
		return float64(log.Bytes)
	})
	gauge("log_max_bytes", "Size at which the log takes nothing more, when last asked; 0: no bound.", func() float64 {
		log, _ := g.health.get()
		return float64(log.MaxBytes)
	})
	gauge("dedup_window_seconds", "How long the log itself knows a repeated append, when last asked.", func() float64 {
		log, _ := g.health.get()
		return log.DedupWindow.Seconds()
	})
	gauge("feed_lag", "Events of the log, when last asked, that the feed has not delivered.", func() float64 {
		log, _ := g.health.get()
		return float64(log.Last - min(log.Last, g.position()))
	})
	gauge("feed_lag_seconds", "Time since the feed had delivered all that the log then held; 0 if it has now.", func() float64 {
		return g.lag.Behind(g.position(), time.Now()).Seconds()
	})
	gauge("revocations_current", "1 if it is known who was revoked; nobody who has a session or a token can connect while it is 0.", func() float64 {
		if g.revocations != nil && g.revocations.Status().Current {
			return 1
		}
		return 0
	})
	gauge("ready", "1 if the gateway is ready for traffic.", func() float64 {
		if g.notReady() != nil {
			return 0
		}
		return 1
	})
}

// position is the feed's; 0 without one.
func (g *Gateway) position() uint64 {
	if gen := g.current.Load(); gen != nil {
		return gen.tail.Position()
	}
	return 0
}

// observer counts what becomes of what is sent.
type observer struct{ g *Gateway }

// Written counts how long an event took from the log to a connection, by the log's
// clock.
func (o observer) Written(stored time.Time) {
	if gen := o.g.current.Load(); gen != nil {
		o.g.metrics.delivery.Written(gen.clock.now().Sub(stored))
	}
}

// Stalled implements transport.Observer.
func (o observer) Stalled() { o.g.metrics.delivery.Stalled() }
