package gateway

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/delivery"
	"github.com/tidemark-chat/tidemark/streams/appender"
)

// Why a connection is refused, as a label of connections_refused_total.
const (
	refusedNotReady = "not_ready" // the gateway does not follow the log, or stops
	refusedFull     = "full"      // gateway.maxConnections
	refusedAddress  = "address"   // gateway.addressLimit
	refusedUser     = "user"      // gateway.userLimit
	refusedProtocol = "protocol"  // of another version of Engine.IO
	refusedOrigin   = "origin"    // of a page of another site
	refusedIdentity = "identity"  // who he says he is, or what else his hello says
)

// metrics is what /metrics shows, with Go's and the process's own. Everything with
// labels is looked up once, here, so that what has not happened yet shows as 0.
type metrics struct {
	registry      *prometheus.Registry
	delivery      *delivery.Metrics
	stored        appended
	acked         map[bool]prometheus.Counter // by duplicate
	refused       map[contract.Code]prometheus.Counter
	unanswered    prometheus.Counter
	ackSeconds    prometheus.Histogram
	connections   prometheus.Counter
	notConnected  map[string]prometheus.Counter // by reason
	appendSeconds prometheus.Histogram
}

// appended counts appends by how they ended.
type appended struct{ new, duplicate, failed prometheus.Counter }

func newMetrics(g *Gateway) *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	m.unanswered = m.counter("messages_unanswered_total", "Messages left unacked after a temporary failure.")
	m.connections = m.counter("connections_total", "Socket.IO connections made.")
	m.ackSeconds = m.histogram("ack_seconds", "Time from a message's arrival until the log had stored it.")
	m.appendSeconds = m.histogram("append_seconds", "Time from when an event may be appended until the log has answered, or has not in time.")
	acked := m.vec("messages_acked_total", "Messages acked as stored.", "duplicate")
	m.acked = map[bool]prometheus.Counter{false: acked.WithLabelValues("false"), true: acked.WithLabelValues("true")}
	m.refused = make(map[contract.Code]prometheus.Counter)
	refused := m.vec("messages_refused_total", "Messages refused for good, by code.", "code")
	for _, code := range contract.Codes {
		m.refused[code] = refused.WithLabelValues(string(code))
	}
	appends := m.vec("appends_total", "Appends to the log, of messages and new users, by how they ended.", "result")
	m.stored = appended{appends.WithLabelValues("stored"), appends.WithLabelValues("duplicate"), appends.WithLabelValues("failed")}
	m.notConnected = make(map[string]prometheus.Counter)
	notConnected := m.vec("connections_refused_total", "Connections that were refused, by why.", "reason")
	for _, reason := range []string{refusedNotReady, refusedFull, refusedAddress, refusedUser, refusedProtocol, refusedOrigin, refusedIdentity} {
		m.notConnected[reason] = notConnected.WithLabelValues(reason)
	}
	m.delivery = delivery.NewMetrics(m.registry)
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.registerGauges(g)
	return m
}

func options(name, help string) prometheus.Opts {
	return prometheus.Opts{Namespace: "tidemark", Subsystem: "gateway", Name: name, Help: help}
}

func (m *metrics) counter(name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts(options(name, help)))
	m.registry.MustRegister(c)
	return c
}

func (m *metrics) vec(name, help, label string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts(options(name, help)), []string{label})
	m.registry.MustRegister(v)
	return v
}

// histogram has native buckets for servers that take them, and classic ones for
// those that do not.
func (m *metrics) histogram(name, help string) prometheus.Histogram {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: "tidemark", Subsystem: "gateway", Name: name, Help: help,
		Buckets:                     prometheus.ExponentialBuckets(0.0005, 2, 14),
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160, NativeHistogramMinResetDuration: time.Hour,
	})
	m.registry.MustRegister(h)
	return h
}

// appended counts an append that has ended. It is called on the appender's
// goroutines.
func (m *metrics) appended(took time.Duration, r appender.Receipt, err error) {
	m.appendSeconds.Observe(took.Seconds())
	switch {
	case err != nil:
		m.stored.failed.Inc()
	case r.Duplicate:
		m.stored.duplicate.Inc()
	default:
		m.stored.new.Inc()
	}
}

func (m *metrics) acknowledged(took time.Duration, duplicate bool) {
	m.acked[duplicate].Inc()
	m.ackSeconds.Observe(took.Seconds())
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}
