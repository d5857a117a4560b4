package standalone_test

import (
	"context"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
)

// TestAKeyIsGoodForEver repeats keys after the log's own window, which is made
// short: on the connection they were made on, on another one, and after kills.
func TestAKeyIsGoodForEver(t *testing.T) {
	t.Parallel()
	const window = time.Second
	p := newStandalone(t, "TIDEMARK_STREAM_DEDUP_WINDOW="+window.String())
	p.start()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	post := func(c *gatewaytest.Client, content, key string) gatewaytest.Ack {
		t.Helper()
		ack, err := c.Send(ctx, "chat message", content, key)
		if err != nil {
			t.Fatal(err)
		}
		return ack
	}
	first := gatewaytest.Connect(t, p.address, nil)
	key := first.SocketID + "-0"
	original := post(first, "once", key)
	own := post(first, "mine", "undefined-0")
	if !original.OK || !own.OK {
		t.Fatalf("acks %+v, %+v", original, own)
	}
	want := original
	want.Duplicate = true
	for round := range 3 {
		<-time.After(window + window/2)
		if round < 2 {
			if ack := post(first, "once", key); ack != want {
				t.Errorf("round %d, on its own connection: %+v, want %+v", round, ack, want)
			}
			if ack := post(first, "mine", "undefined-0"); !ack.Duplicate || ack.Offset != own.Offset {
				t.Errorf("round %d, a key of its connection only: %+v", round, ack)
			}
		}
		other := gatewaytest.Connect(t, p.address, nil)
		if ack := post(other, "once", key); ack != want {
			t.Errorf("round %d, on another connection: %+v, want %+v", round, ack, want)
		}
		if ack := post(other, "other content", key); ack.OK || ack.Error.Code != "key_conflict" {
			t.Errorf("round %d, other content: %+v", round, ack)
		}
		if ack := post(other, "mine", "undefined-0"); !ack.OK || ack.Duplicate {
			t.Errorf("round %d, another guest's undefined-0: %+v", round, ack)
		}
		if round == 1 {
			first.Close()
			p.kill()
			p.start()
		}
	}
}
