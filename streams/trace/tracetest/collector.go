// Package tracetest is an OpenTelemetry collector for tests: OTLP over HTTP on a free port of 127.0.0.1.
package tracetest

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Span is one that has arrived.
type Span struct {
	Service, Name     string
	Trace, ID, Parent string   // in hex; Parent is empty for the first of a trace
	Links             []string // traces that it is linked with
	Numbers           map[string]int64
	Texts             map[string]string
	Failed            string // the outcome, of one that failed
	Begin, End        uint64 // nanoseconds since 1970
}

// Collector keeps what arrives.
type Collector struct {
	URL string

	mu    sync.Mutex
	spans []Span
}

// Start runs a collector until the test ends.
func Start(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.URL = server.URL
	return c
}

// Spans are all that have arrived so far.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Span(nil), c.spans...)
}

// ServeHTTP takes spans where collectors do by default.
func (c *Collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var request collector.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(body, &request)
	}
	if err != nil || r.URL.Path != "/v1/traces" {
		http.Error(w, "not spans", http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spans = append(c.spans, spansOf(&request)...)
}

func spansOf(request *collector.ExportTraceServiceRequest) (spans []Span) {
	for _, from := range request.ResourceSpans {
		service := ""
		for _, a := range from.Resource.Attributes {
			if a.Key == "service.name" {
				service = a.Value.GetStringValue()
			}
		}
		for _, scope := range from.ScopeSpans {
			for _, s := range scope.Spans {
				span := Span{
					Service: service, Name: s.Name, Trace: hex.EncodeToString(s.TraceId), ID: hex.EncodeToString(s.SpanId), Parent: hex.EncodeToString(s.ParentSpanId),
					Numbers: map[string]int64{}, Texts: map[string]string{}, Failed: s.Status.GetMessage(), Begin: s.StartTimeUnixNano, End: s.EndTimeUnixNano,
				}
				for _, l := range s.Links {
					span.Links = append(span.Links, hex.EncodeToString(l.TraceId))
				}
				for _, a := range s.Attributes {
					span.Numbers[a.Key], span.Texts[a.Key] = a.Value.GetIntValue(), a.Value.GetStringValue()
				}
				spans = append(spans, span)
			}
		}
	}
	return spans
}
