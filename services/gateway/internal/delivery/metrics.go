package delivery

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
)

// Source is what answered a read for a connection that catches up.
type Source int

// The sources, nearest first.
const (
	FromTail Source = iota
	FromModel
	FromLog
	sources
)

var sourceNames = [sources]string{FromTail: "tail", FromModel: "read_model", FromLog: "log"}

// recovered is the label of a recovery that lacks nothing.
const recovered = "ok"

// Metrics counts what hubs do. One set serves one hub after another. Everything with labels is looked up once, here:
// nothing is where a frame is sent.
type Metrics struct {
	events                           prometheus.Counter
	delivered, fromTail, fromHistory prometheus.Counter
	live, caughtUp                   traffic
	fellBehind, cut, stalled         prometheus.Counter
	missing, damaged                 prometheus.Counter
	seconds                          prometheus.Histogram
	reads                            [sources]prometheus.Counter
	recoveries                       map[contract.Reason]prometheus.Counter
}

// traffic is what was handed to connections on one path.
type traffic struct{ frames, bytes prometheus.Counter }

func (t traffic) add(frames, bytes int) {
	t.frames.Add(float64(frames))
	t.bytes.Add(float64(bytes))
}

// NewMetrics registers a hub's metrics.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: "tidemark", Subsystem: "delivery", Name: name, Help: help})
		reg.MustRegister(c)
		return c
	}
	vec := func(name, help, label string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "tidemark", Subsystem: "delivery", Name: name, Help: help}, []string{label})
		reg.MustRegister(v)
		return v
	}
	m := &Metrics{
		events:      counter("events_total", "Messages that the feed has brought."),
		delivered:   counter("live_events_total", "Events sent to live connections."),
		fromTail:    counter("tail_events_total", "Events read from the tail for connections that catch up."),
		fromHistory: counter("history_events_total", "Events read from the read model or the log for connections that catch up."),
		fellBehind:  counter("fell_behind_total", "Times that a live connection's buffer was full and it went back to catching up."),
		cut:         counter("cut_total", "Connections cut because what they missed could not be read."),
		stalled:     counter("stalled_total", "Connections closed because they took nothing for gateway.stallTimeout."),
		missing:     counter("missing_offsets_total", "Offsets at which the log holds nothing. Should be 0."),
		damaged:     counter("damaged_events_total", "Events whose digest does not fit. Should be 0."),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "tidemark", Subsystem: "delivery", Name: "seconds",
			Help:    "Time from an event's storing until it was written to one of its live connections, drawn by chance.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16),
			// Native buckets for servers that take them; the classic ones stay for those that do not.
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160, NativeHistogramMinResetDuration: time.Hour,
		}),
		recoveries: make(map[contract.Reason]prometheus.Counter),
	}
	reg.MustRegister(m.seconds)
	frames := vec("frames_total", "Messages handed to connections, by path: live, or catching up.", "path")
	bytes := vec("bytes_total", "Bytes of those messages as frames of a WebSocket, by path.", "path")
	m.live = traffic{frames.WithLabelValues("live"), bytes.WithLabelValues("live")}
	m.caughtUp = traffic{frames.WithLabelValues("catching_up"), bytes.WithLabelValues("catching_up")}
	reads := vec("reads_total", "Reads for connections that catch up, by what answered: tail (a hit), read_model or log (misses).", "source")
	for source, name := range sourceNames {
		m.reads[source] = reads.WithLabelValues(name)
	}
	recoveries := vec("recoveries_total", "Connections that have caught up for the first time, by why they were not recovered (ok: they were).", "reason")
	m.recoveries[""] = recoveries.WithLabelValues(recovered)
	for _, reason := range contract.Reasons {
		m.recoveries[reason] = recoveries.WithLabelValues(string(reason))
	}
	return m
}

// Read counts a read that a source has answered.
func (m *Metrics) Read(from Source) { m.reads[from].Inc() }

// Written counts the time from an event's storing to its being written to a connection. Clocks that differ by a little
// make it 0, not less.
func (m *Metrics) Written(after time.Duration) { m.seconds.Observe(max(0, after.Seconds())) }

// Stalled counts a connection that was closed because it took nothing.
func (m *Metrics) Stalled() { m.stalled.Inc() }
