package gateway

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/delivery"
	"github.com/tidemark-chat/tidemark/streams/presence"
)

// metrics is what /metrics shows, with Go's and the process's own.
type metrics struct {
	registry    *prometheus.Registry
	delivery    *delivery.Metrics
	acked       *prometheus.CounterVec // by duplicate
	refused     *prometheus.CounterVec // by code
	unanswered  prometheus.Counter
	ackSeconds  prometheus.Histogram
	connections prometheus.Counter
}

func newMetrics(g *Gateway) *metrics {
	opts := func(name, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "tidemark", Subsystem: "gateway", Name: name, Help: help}
	}
	m := &metrics{
		registry:    prometheus.NewRegistry(),
		acked:       prometheus.NewCounterVec(prometheus.CounterOpts(opts("messages_acked_total", "Messages acked as stored.")), []string{"duplicate"}),
		refused:     prometheus.NewCounterVec(prometheus.CounterOpts(opts("messages_refused_total", "Messages refused for good, by code.")), []string{"code"}),
		unanswered:  prometheus.NewCounter(prometheus.CounterOpts(opts("messages_unanswered_total", "Messages left unacked after a temporary failure."))),
		connections: prometheus.NewCounter(prometheus.CounterOpts(opts("connections_total", "Socket.IO connections made."))),
		ackSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "tidemark", Subsystem: "gateway", Name: "ack_seconds",
			Help:    "Time from a message's arrival until the log had stored it.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}),
	}
	m.delivery = delivery.NewMetrics(m.registry)
	gauge := func(name, help string, value func(gen *generation) float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts(name, help)), func() float64 {
			if gen := g.current.Load(); gen != nil {
				return value(gen)
			}
			return 0
		})
	}
	m.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.acked, m.refused, m.unanswered, m.ackSeconds, m.connections,
		gauge("connected", "Connections that receive events.", func(gen *generation) float64 { n, _ := gen.hub.Count(); return float64(n) }),
		gauge("catching_up", "Connections that are behind the feed.", func(gen *generation) float64 { n, live := gen.hub.Count(); return float64(n - live) }),
		gauge("feed_offset", "Newest offset that the feed has delivered.", func(gen *generation) float64 { return float64(gen.tail.Position()) }),
		gauge("tail_first_offset", "Oldest offset in the tail.", func(gen *generation) float64 { first, _, _ := gen.tail.Stats(); return float64(first) }),
		gauge("tail_bytes", "Memory the tail holds.", func(gen *generation) float64 { _, _, n := gen.tail.Stats(); return float64(n) }),
		gauge("log_viewers", "People who watch the log.", func(gen *generation) float64 {
			if gen.view == nil {
				return 0
			}
			return float64(gen.view.Watching())
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts("users_online", "Users connected to any gateway, as this one knows it.")), func() float64 {
			if g.presence == nil { // not running yet
				return 0
			}
			return float64(g.presence.Count(presence.User))
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts("log_offset", "Newest offset of the log, when last asked.")), func() float64 {
			log, _ := g.health.get()
			return float64(log.Last)
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts("ready", "1 if the gateway is ready for traffic.")), func() float64 {
			if g.notReady() != nil {
				return 0
			}
			return 1
		}),
	)
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}
