package standalone_test

import (
	"context"
	"slices"
	"testing"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/trace/tracetest"
)

// TestATracedMessageIsOneTraceOverGatewaysLogAndPersister sends a message at one
// gateway of two, each of which has somebody to deliver it to.
func TestATracedMessageIsOneTraceOverGatewaysLogAndPersister(t *testing.T) {
	t.Parallel()
	collector := tracetest.Start(t)
	settings := []string{"TIDEMARK_TELEMETRY_ENDPOINT=" + collector.URL, "TIDEMARK_TELEMETRY_RATIO=1"}
	d := prepare(t, settings...)
	d.persister.settings = append(d.persister.settings, settings...)
	d.startLog()
	all := append(d.gateways[:], d.persister)
	for _, p := range all {
		p.spawn()
	}
	for _, p := range all {
		p.waitReady()
	}
	ctx, cancel := context.WithTimeout(context.Background(), gatewaytest.Timeout)
	defer cancel()
	from := gatewaytest.Connect(t, d.gateways[0].address, nil)
	gatewaytest.Connect(t, d.gateways[1].address, nil)
	ack, err := from.Send(ctx, "chat message", "followed", "k")
	if err != nil || !ack.OK {
		t.Fatal(ack, err)
	}
	at := func(s tracetest.Span) bool { return s.Numbers["tidemark.offset"] == int64(ack.Offset) }
	named := func(name string) func(tracetest.Span) bool {
		return func(s tracetest.Span) bool { return s.Name == name }
	}
	var appended tracetest.Span
	find := func(holds func(tracetest.Span) bool) (found []tracetest.Span) {
		for _, s := range collector.Spans() {
			if holds(s) {
				found = append(found, s)
			}
		}
		return found
	}
	eventually(t, "the append is known", func() bool {
		found := find(func(s tracetest.Span) bool { return named("append")(s) && at(s) })
		if len(found) == 1 {
			appended = found[0]
		}
		return len(found) == 1
	})
	eventually(t, "the sender's gateway has told of its receiving", func() bool {
		return len(find(func(s tracetest.Span) bool { return named("receive")(s) && s.ID == appended.Parent && s.Parent == "" })) == 1
	})
	eventually(t, "both gateways have told of their deliveries", func() bool {
		return len(find(func(s tracetest.Span) bool {
			return named("deliver")(s) && s.Trace == appended.Trace && s.Parent == appended.ID && at(s)
		})) == 2
	})
	eventually(t, "the persister has told of its batch", func() bool {
		return len(find(func(s tracetest.Span) bool {
			return named("project")(s) && s.Service == "tidemark-persister" && slices.Contains(s.Links, appended.Trace)
		})) == 1
	})
	// The log and the read model are as without traces.
	events := d.events()
	waitProjected(t, d.persister.address, uint64(len(events)))
	auditReadModel(t, events, dump(t, d.database()))
}
