package signing

import "github.com/prometheus/client_golang/prometheus"

// Metrics of a notary.
type Metrics struct {
	size           prometheus.Gauge
	problem        prometheus.Gauge
	checkpoints    prometheus.Counter
	failures       prometheus.Counter
	exportFailures prometheus.Counter
}

// NewMetrics makes the metrics and registers them.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	const prefix = "tidemark_persister_notary_"
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: prefix + name, Help: help})
	}
	m := &Metrics{
		size:           gauge("size", "Offset up to which a signed checkpoint covers the log, as this notary last knew it."),
		problem:        gauge("problem", "1 if the notary refuses to sign: its log says why, and so does /readyz."),
		checkpoints:    counter("checkpoints_total", "Checkpoints that were signed."),
		failures:       counter("failures_total", "Times that signing failed and was put off."),
		exportFailures: counter("export_failures_total", "Checkpoints that could not be handed to notary.export."),
	}
	registry.MustRegister(m.size, m.problem, m.checkpoints, m.failures, m.exportFailures)
	return m
}
