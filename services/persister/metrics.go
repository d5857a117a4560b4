package persister

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/tidemark-chat/tidemark/services/persister/signing"
)

// metrics of one persister, in a registry of its own.
type metrics struct {
	registry      *prometheus.Registry
	rows          prometheus.Counter
	batchSeconds  prometheus.Histogram
	deadLetters   prometheus.Counter
	skipped       *prometheus.CounterVec
	interruptions prometheus.Counter
	rewinds       prometheus.Counter
	notary        *signing.Metrics
}

func newMetrics(s *status) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "tidemark_persister_" + name, Help: help})
	}
	gauge := func(name, help string, value func(report) float64) prometheus.Collector {
		opts := prometheus.GaugeOpts{Name: "tidemark_persister_" + name, Help: help}
		return prometheus.NewGaugeFunc(opts, func() float64 { return value(s.report()) })
	}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		rows:     counter("rows_total", "Messages and users written to the read model."),
		batchSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "tidemark_persister_batch_seconds", Help: "Time of one transaction; the count is that of transactions.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 13),
			// Native buckets for servers that take them; the classic ones stay for those that do not.
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160, NativeHistogramMinResetDuration: time.Hour,
		}),
		deadLetters: counter("dead_letters_total", "Events or missing ranges recorded as dead letters. Each is a finding."),
		skipped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tidemark_persister_skipped_total", Help: "Events that this version does not know, by what is new to it: type or schema.",
		}, []string{"unknown"}),
		interruptions: counter("interruptions_total", "Times that the projection was interrupted and started again."),
		rewinds:       counter("rewinds_total", "Times that the consumer was set to the checkpoint."),
	}
	for _, unknown := range []string{"type", "schema"} {
		m.skipped.WithLabelValues(unknown) // shown as 0, so that a first one is seen as a rise
	}
	m.notary = signing.NewMetrics(m.registry)
	m.registry.MustRegister(
		m.rows, m.batchSeconds, m.deadLetters, m.skipped, m.interruptions, m.rewinds,
		gauge("checkpoint_offset", "Offset up to which the log is projected.", func(r report) float64 { return float64(r.Checkpoint) }),
		gauge("lag", "Events of the log that are not projected yet.", func(r report) float64 { return float64(r.Lag) }),
		gauge("lag_seconds", "Time since all that the log then held was projected; 0 if it is now.", func(report) float64 { return s.behind().Seconds() }),
		gauge("ready", "1 if working or standing by.", func(r report) float64 { return one(r.Ready) }),
		gauge("active", "1 if this is the persister that projects.", func(r report) float64 { return one(r.Role == active) }),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
