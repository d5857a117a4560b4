package trace_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/trace"
	"github.com/tidemark-chat/tidemark/streams/trace/tracetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// mostStop is how long a stop may be delayed by a collector.
const mostStop = 2 * time.Second

func tracer(t testing.TB, endpoint string, ratio float64) *trace.Tracer {
	t.Helper()
	tr, err := trace.New(trace.Options{Endpoint: endpoint, Ratio: ratio, Service: "gateway", ID: "1", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// way is a message's: received, appended, delivered by another gateway, projected.
func way(tr *trace.Tracer) (carried string) {
	ctx, received := tr.Receive(context.Background(), time.Now())
	appending, appended := tr.Append(ctx)
	carried = event.Trace(appending)
	appended.Set("tidemark.offset", 7).End("")
	received.End("")
	tr.Deliver(carried, 7).End("")
	tr.Project([]string{carried}).End("")
	return carried
}

func TestAMessageIsFollowedFromItsSenderToConnectionsAndReadModel(t *testing.T) {
	c := tracetest.Start(t)
	tr := tracer(t, c.URL, 1)
	carried := way(tr)
	tr.Close()
	spans := map[string]tracetest.Span{}
	for _, s := range c.Spans() {
		spans[s.Name] = s
	}
	if len(c.Spans()) != 4 || len(spans) != 4 {
		t.Fatalf("%+v", c.Spans())
	}
	received, appended, delivered, projected := spans["receive"], spans["append"], spans["deliver"], spans["project"]
	if received.Parent != "" || appended.Parent != received.ID || delivered.Parent != appended.ID || projected.Parent != "" {
		t.Errorf("parents are wrong: %+v", spans)
	}
	of := received.Trace
	if appended.Trace != of || delivered.Trace != of || !slices.Equal(delivered.Links, []string{of}) ||
		projected.Trace == of || !slices.Equal(projected.Links, []string{of}) {
		t.Errorf("traces are wrong: %+v", spans)
	}
	if carried != "00-"+of+"-"+appended.ID+"-01" {
		t.Errorf("the event carries %q", carried)
	}
	if received.Service != "tidemark-gateway" || appended.Numbers["tidemark.offset"] != 7 {
		t.Errorf("%+v", spans)
	}
}

func TestWithoutACollectorNothingIsTracedOrAllocated(t *testing.T) {
	tr := tracer(t, "", 1)
	if tr != nil {
		t.Fatal("there is a tracer")
	}
	ctx, now := context.Background(), time.Now()
	parents := []string{"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
	if n := testing.AllocsPerRun(100, func() {
		ctx, received := tr.Receive(ctx, now)
		ctx, appended := tr.Append(ctx)
		if event.Trace(ctx) != "" || appended.Traced() {
			t.Error("something is traced")
		}
		appended.Set("tidemark.offset", 1).End("")
		received.End("refused: forbidden")
		tr.Deliver(parents[0], 1).End("")
		tr.Project(parents).End("")
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	tr.Close()
}

func TestAShareIsTraced(t *testing.T) {
	for ratio, within := range map[float64][2]int{0: {0, 0}, 0.1: {50, 200}, 1: {1000, 1000}} {
		tr, traced := tracer(t, "http://127.0.0.1:1", ratio), 0
		for range 1000 {
			ctx, _ := tr.Receive(context.Background(), time.Now())
			if ctx, _ = tr.Append(ctx); event.Trace(ctx) != "" {
				traced++
			}
		}
		if traced < within[0] || traced > within[1] {
			t.Errorf("of 1000 with ratio %v %d are traced", ratio, traced)
		}
		tr.Close()
	}
}

// What is traced is followed by those who trace none of their own; what carries nothing that can be read is not.
func TestWhoFollowsGoesByTheSender(t *testing.T) {
	c := tracetest.Start(t)
	tr := tracer(t, c.URL, 0)
	good := "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	bad := []string{"", "x", good[:54], strings.Replace(good, "-01", "-00", 1), "00-" + strings.Repeat("0", 32) + good[35:], strings.Repeat("a", 1<<16)}
	for _, parent := range bad {
		if tr.Deliver(parent, 1).Traced() {
			t.Errorf("%.60q is followed", parent)
		}
	}
	if tr.Project(bad).Traced() {
		t.Error("a batch with nothing to link with is traced")
	}
	tr.Deliver(good, 1).End("")
	many := slices.Repeat([]string{good}, 1000)
	tr.Project(many).End("")
	tr.Close()
	spans := c.Spans()
	if len(spans) != 2 || len(spans[1].Links) > 128 || len(spans[1].Links) == 0 {
		t.Errorf("%+v", spans)
	}
}

// trouble is collectors that do not do what they should.
func trouble(t *testing.T) map[string]string {
	over := make(chan struct{})
	hung := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusServiceUnavailable) }))
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, of the system's queue, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	t.Cleanup(func() { close(over); hung.Close(); refuses.Close(); silent.Close() })
	return map[string]string{"hangs": hung.URL, "refuses": refuses.URL, "is silent": "http://" + silent.Addr().String(), "is away": "http://" + gone.Addr().String()}
}

func TestACollectorThatDoesNotTakeDelaysNeitherMessagesNorAStop(t *testing.T) {
	for what, url := range trouble(t) {
		t.Run(what, func(t *testing.T) {
			tr := tracer(t, url, 1)
			began := time.Now()
			for range 1000 { // twice what is kept
				way(tr)
			}
			if took := time.Since(began); took > 15*time.Second { // with one that hangs it would be 19 s, if anybody waited
				t.Errorf("4,000 spans took %v", took)
			}
			began = time.Now()
			tr.Close()
			if took := time.Since(began); took > mostStop {
				t.Errorf("the stop took %v", took)
			}
		})
	}
}

func TestTheCollectorsPathIsTheUsualOneUnlessItIsNamed(t *testing.T) {
	paths := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { paths <- r.URL.Path }))
	defer server.Close()
	for setting, want := range map[string]string{"": "/v1/traces", "/": "/v1/traces", "/otlp/v1/traces": "/otlp/v1/traces"} {
		tr := tracer(t, server.URL+setting, 1)
		_, s := tr.Receive(context.Background(), time.Now())
		s.End("")
		tr.Close()
		if got := <-paths; got != want {
			t.Errorf("%q: %s", setting, got)
		}
	}
}

func BenchmarkWay(b *testing.B) {
	for name, endpoint := range map[string]string{"off": "", "on": "http://127.0.0.1:1"} {
		for _, ratio := range []float64{0.01, 1} {
			b.Run(fmt.Sprintf("%s/%v", name, ratio), func(b *testing.B) {
				tr := tracer(b, endpoint, ratio)
				b.ReportAllocs()
				for b.Loop() {
					way(tr)
				}
				tr.Close()
			})
		}
	}
}
