package delivery

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
)

// Metrics counts what hubs do. One set serves one hub after another.
type Metrics struct {
	delivered, fromTail, fromHistory prometheus.Counter
	fellBehind, cut                  prometheus.Counter
	missing, damaged                 prometheus.Counter
	recoveries                       *prometheus.CounterVec
}

// NewMetrics registers a hub's metrics.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: "tidemark", Subsystem: "delivery", Name: name, Help: help})
		reg.MustRegister(c)
		return c
	}
	m := &Metrics{
		delivered:   counter("live_events_total", "Events sent to live connections."),
		fromTail:    counter("tail_events_total", "Events read from the tail for connections that catch up."),
		fromHistory: counter("history_events_total", "Events read from the read model or the log for connections that catch up."),
		fellBehind:  counter("fell_behind_total", "Times that a live connection's buffer was full and it went back to catching up."),
		cut:         counter("cut_total", "Connections cut because what they missed could not be read."),
		missing:     counter("missing_offsets_total", "Offsets at which the log holds nothing. Should be 0."),
		damaged:     counter("damaged_events_total", "Events whose digest does not fit. Should be 0."),
		recoveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "tidemark", Subsystem: "delivery", Name: "recoveries_total",
			Help: "Connections that have caught up for the first time, by why they were not recovered (ok: they were).",
		}, []string{"reason"}),
	}
	reg.MustRegister(m.recoveries)
	return m
}

func (m *Metrics) recovered(r contract.Recovery) {
	reason := string(r.Reason)
	if reason == "" {
		reason = "ok"
	}
	m.recoveries.WithLabelValues(reason).Inc()
}
