// Package trace makes OpenTelemetry traces of messages on their way through gateway, log and persister.
//
//	gateway     receive ──▶ append            of telemetry.ratio of all messages
//	                          │ traceparent, a header in the log
//	           ╭──────────────┼───────────────╮
//	gateways   deliver     deliver            │ the message's own trace, and linked
//	persister                              project     a trace of its own, linked: one batch, many messages
//
// It promises:
//   - without telemetry.endpoint there is nothing: a nil Tracer, of which every method does nothing and allocates nothing.
//   - a collector that is slow, away or refuses costs spans and nothing else: at most queueSize wait, what is more is
//     dropped, and a stop waits stopWait for it at most.
//   - spans hold offsets, counts and kinds; never contents, names, rooms, ids or addresses.
package trace

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const (
	queueSize   = 2048 // spans that wait for the collector
	batchSize   = 512  // spans of one request
	every       = 2 * time.Second
	sendTimeout = 5 * time.Second
	stopWait    = 1500 * time.Millisecond
	tracesPath  = "/v1/traces" // where collectors take OTLP over HTTP, if the setting names no path
)

// Tracer makes spans. Nil makes none. Safe for concurrent use.
type Tracer struct {
	tracer   trace.Tracer
	provider *sdk.TracerProvider
	exporter *otlptrace.Exporter
	client   *http.Client
	log      *slog.Logger
}

// Options of a tracer.
type Options struct {
	Endpoint string  // URL of the collector, OTLP over HTTP; empty: nothing is traced
	Ratio    float64 // share of messages that are traced, from 0 to 1; what others trace is followed whatever it is
	Service  string  // "gateway"
	ID       string  // of this run of it
	Log      *slog.Logger
}

// New makes a tracer. It is nil if there is no collector. It does not talk to the collector; Close it.
func New(o Options) (*Tracer, error) {
	if o.Endpoint == "" {
		return nil, nil
	}
	endpoint, err := collector(o.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("telemetry.endpoint: %w", err)
	}
	// A connection of its own, so that Close leaves none behind. The retries are off: what a retry would hold back is
	// wanted less than what comes next.
	client := &http.Client{Timeout: sendTimeout, Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConns: 1}}
	ctx := context.Background()
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint), otlptracehttp.WithHTTPClient(client),
		otlptracehttp.WithTimeout(sendTimeout), otlptracehttp.WithRetry(otlptracehttp.RetryConfig{}))
	if err != nil {
		return nil, fmt.Errorf("telemetry.endpoint: %w", err)
	}
	who, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithFromEnv(), resource.WithAttributes(
		attribute.String("service.namespace", "tidemark"), attribute.String("service.name", "tidemark-"+o.Service), attribute.String("service.instance.id", o.ID)))
	if err != nil {
		return nil, fmt.Errorf("telemetry: OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	provider := sdk.NewTracerProvider(
		sdk.WithResource(who), sdk.WithSampler(sampler{sdk.ParentBased(sdk.TraceIDRatioBased(o.Ratio))}),
		sdk.WithBatcher(&patient{SpanExporter: exporter, log: o.Log}, sdk.WithMaxQueueSize(queueSize), sdk.WithMaxExportBatchSize(batchSize),
			sdk.WithBatchTimeout(every), sdk.WithExportTimeout(sendTimeout)),
	)
	return &Tracer{tracer: provider.Tracer("tidemark"), provider: provider, exporter: exporter, client: client, log: o.Log}, nil
}

// collector is the address that spans are sent to.
func collector(setting string) (string, error) {
	u, err := url.Parse(setting)
	if err != nil {
		return "", errors.New("it is no URL") // the error would repeat it, with what secrets it may hold
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = tracesPath
	}
	return u.String(), nil
}

// Close sends what waits, for stopWait at most, and drops the rest. Nothing may be traced afterwards.
func (t *Tracer) Close() {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopWait)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		t.log.Warn("traces were lost at the stop: the collector did not take them in time", "error", err)
	}
	_ = t.exporter.Shutdown(context.Background()) // ends a request that hangs
	t.client.CloseIdleConnections()
}

// patient tells the log when a collector fails, and when it works again, and not each time.
type patient struct {
	sdk.SpanExporter
	log     *slog.Logger
	failing bool // used by the one goroutine that exports
}

// ExportSpans implements sdk.SpanExporter.
func (p *patient) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := p.SpanExporter.ExportSpans(ctx, spans)
	switch failed := err != nil; {
	case failed && !p.failing:
		p.log.Warn("traces are lost: the collector at telemetry.endpoint does not take them", "error", err)
	case !failed && p.failing:
		p.log.Info("the collector takes traces again")
	}
	p.failing = err != nil
	return nil
}

// sampler lets a span with links through: who is linked is sampled.
type sampler struct{ sdk.Sampler }

// ShouldSample implements sdk.Sampler.
func (s sampler) ShouldSample(p sdk.SamplingParameters) sdk.SamplingResult {
	if len(p.Links) > 0 {
		return sdk.SamplingResult{Decision: sdk.RecordAndSample}
	}
	return s.Sampler.ShouldSample(p)
}
