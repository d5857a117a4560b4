package trace

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/tidemark-chat/tidemark/streams/event"
)

// maxLinks bounds the messages that one batch is linked with.
const maxLinks = 128

const traceparent = "traceparent"

// Span is one step. The zero Span, of what is not traced, does nothing.
type Span struct{ span trace.Span }

// Receive begins the trace of a message that arrived at a gateway at a time. The context is for what follows it.
func (t *Tracer) Receive(ctx context.Context, arrived time.Time) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	return t.start(ctx, "receive", trace.WithTimestamp(arrived), trace.WithSpanKind(trace.SpanKindServer))
}

// Append begins the append of a message whose receiving is traced under ctx. An event appended under the context that it
// returns carries the trace.
func (t *Tracer) Append(ctx context.Context) (context.Context, Span) {
	if t == nil || !trace.SpanFromContext(ctx).IsRecording() {
		return ctx, Span{}
	}
	ctx, s := t.start(ctx, "append", trace.WithSpanKind(trace.SpanKindProducer))
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return event.WithTrace(ctx, carrier[traceparent]), s
}

// Deliver begins the delivery of an event that carries a trace, or none.
func (t *Tracer) Deliver(parent string, offset uint64) Span {
	if t == nil || parent == "" {
		return Span{}
	}
	of := contextOf(parent)
	if !of.IsSampled() {
		return Span{}
	}
	ctx := trace.ContextWithRemoteSpanContext(context.Background(), of)
	_, s := t.start(ctx, "deliver", trace.WithLinks(trace.Link{SpanContext: of}), trace.WithSpanKind(trace.SpanKindConsumer))
	return s.Set("tidemark.offset", int64(offset))
}

// Project begins the writing of a batch, of whose events some carry traces. With none of them there is no span.
func (t *Tracer) Project(parents []string) Span {
	if t == nil || len(parents) == 0 {
		return Span{}
	}
	links := make([]trace.Link, 0, min(len(parents), maxLinks))
	for _, parent := range parents[:min(len(parents), maxLinks)] {
		if of := contextOf(parent); of.IsSampled() {
			links = append(links, trace.Link{SpanContext: of})
		}
	}
	if len(links) == 0 {
		return Span{}
	}
	_, s := t.start(context.Background(), "project", trace.WithLinks(links...), trace.WithSpanKind(trace.SpanKindConsumer))
	return s
}

// start is not called for a nil Tracer. What is not sampled has the zero Span.
func (t *Tracer) start(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, Span) {
	ctx, span := t.tracer.Start(ctx, name, options...)
	if !span.IsRecording() {
		return ctx, Span{}
	}
	span.SetAttributes(attribute.String("messaging.system", "nats"))
	return ctx, Span{span}
}

// contextOf reads a trace context. One that is none is not sampled.
func contextOf(parent string) trace.SpanContext {
	ctx := propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{traceparent: parent})
	return trace.SpanContextFromContext(ctx)
}

// Set notes a number.
func (s Span) Set(key string, value int64) Span {
	if s.span != nil {
		s.span.SetAttributes(attribute.Int64(key, value))
	}
	return s
}

// End ends the step. An outcome that is not empty says how it failed, in words that a client may not choose.
func (s Span) End(outcome string) {
	if s.span == nil {
		return
	}
	if outcome != "" {
		s.span.SetStatus(codes.Error, outcome)
	}
	s.span.End()
}

// Traced reports whether there is anything to note.
func (s Span) Traced() bool { return s.span != nil }
