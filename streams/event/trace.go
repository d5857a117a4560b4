package event

import (
	"context"

	"github.com/nats-io/nats.go"
)

// traceHeader is W3C Trace Context's, in the log's message of an event that is traced. It says nothing of the event: no
// digest covers it, Decode does not look at it, and an event is the same with another one or none.
const traceHeader = "traceparent"

// TraceOf is the trace context that the log's message of an event carries; empty for none. It may be anything: whoever
// can write to the log wrote it.
func TraceOf(header nats.Header) string {
	if values := header[traceHeader]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// SetTrace gives the log's message of an event a trace context, unless it would be larger than limit, in bytes, with it:
// no event is refused because it is traced.
func SetTrace(m *nats.Msg, parent string, limit int) {
	if parent != "" && m.Size()+len(traceHeader)+len(": \r\n")+len(parent) <= limit {
		m.Header[traceHeader] = []string{parent}
	}
}

type traceKey struct{}

// WithTrace is ctx with the trace context that an event appended under it is to carry.
func WithTrace(ctx context.Context, parent string) context.Context {
	return context.WithValue(ctx, traceKey{}, parent)
}

// Trace is what WithTrace has given ctx; empty for nothing.
func Trace(ctx context.Context) string {
	parent, _ := ctx.Value(traceKey{}).(string)
	return parent
}
