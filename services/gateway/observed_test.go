package gateway_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
)

func TestMessagesAreCountedAndTimedOnTheirWay(t *testing.T) {
	t.Parallel()
	_, _, at := together(t, 2)
	ctx, cancel := context.WithTimeout(context.Background(), gatewaytest.Timeout)
	defer cancel()
	from := gatewaytest.Connect(t, at[0], nil)
	gatewaytest.Connect(t, at[1], nil)
	eventually(t, "both are live", func() bool {
		return metric(at[0], `tidemark_delivery_recoveries_total{reason="ok"}`) == 1 && metric(at[1], `tidemark_delivery_recoveries_total{reason="ok"}`) == 1
	})
	const sent = 3
	for i := range sent {
		for range 2 { // the second time it is a duplicate
			if ack, err := from.Send(ctx, "chat message", "x", fmt.Sprint("key ", i)); err != nil || !ack.OK {
				t.Fatal(ack, err)
			}
		}
	}
	for name, want := range map[string]float64{
		`tidemark_gateway_appends_total{result="stored"}`:           sent,
		`tidemark_gateway_appends_total{result="duplicate"}`:        sent,
		`tidemark_gateway_appends_total{result="failed"}`:           0,
		`tidemark_gateway_append_seconds_count`:                     2 * sent,
		`tidemark_gateway_ack_seconds_count`:                        2 * sent,
		`tidemark_gateway_messages_acked_total{duplicate="false"}`:  sent,
		`tidemark_gateway_messages_refused_total{code="forbidden"}`: 0,
	} {
		if got := metric(at[0], name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	for _, address := range at {
		eventually(t, "each event is delivered, and one at least is timed", func() bool {
			return metric(address, "tidemark_delivery_seconds_count") >= 1 && metric(address, "tidemark_delivery_events_total") == sent &&
				metric(address, `tidemark_delivery_frames_total{path="live"}`) == sent && metric(address, `tidemark_delivery_bytes_total{path="live"}`) > sent*10
		})
		eventually(t, "the feed has all, and the gateways see each other", func() bool {
			return metric(address, "tidemark_gateway_feed_lag") == 0 && metric(address, "tidemark_gateway_feed_lag_seconds") == 0 &&
				metric(address, "tidemark_gateway_presence_current") == 1 &&
				metric(address, "tidemark_gateway_presence_leases") == 2
		})
	}
	late := gatewaytest.Connect(t, at[1], map[string]any{"serverOffset": 0})
	defer late.Close()
	eventually(t, "what was missed comes from memory", func() bool {
		return metric(at[1], `tidemark_delivery_frames_total{path="catching_up"}`) == sent && metric(at[1], `tidemark_delivery_reads_total{source="tail"}`) > 0
	})
	if _, err := gatewaytest.Dial(ctx, at[0], map[string]any{"username": ""}); err == nil {
		t.Error("somebody without a name is let in as a user")
	}
	if got := metric(at[0], `tidemark_gateway_connections_refused_total{reason="identity"}`); got != 1 {
		t.Errorf("%v connections were refused because of who they are", got)
	}
}
