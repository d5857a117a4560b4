package config

// Telemetry is where traces go.
type Telemetry struct {
	Endpoint URL // of an OpenTelemetry collector, OTLP over HTTP; empty: no traces
	Ratio    float64
}

func (t *Telemetry) settings() []setting {
	return []setting{
		set(&t.Endpoint, "telemetry.endpoint", "", webURL(), "OpenTelemetry collector that traces are sent to (OTLP over HTTP); empty: none are made"),
		set(&t.Ratio, "telemetry.ratio", "0.01", ratio(), "share of messages that are traced"),
	}
}
