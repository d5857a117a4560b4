package gateway_test

import (
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

// TestAnOldConnectionCanSendWithoutThePersister has been open for longer than
// the log's window, and nobody can look its keys up.
func TestAnOldConnectionCanSendWithoutThePersister(t *testing.T) {
	const window = time.Second
	cfg := gatewaytest.Config(logtest.Start(t).URL())
	cfg.Stream.DedupWindow = window
	g := gatewaytest.Start(t, cfg)
	c := gatewaytest.Connect(t, g.Address, nil)
	first := send(t, c, "first", c.SocketID+"-0")
	<-time.After(2 * window)
	if ack := send(t, c, "first", c.SocketID+"-0"); !ack.Duplicate || ack.Offset != first.Offset {
		t.Errorf("repeated: %+v", ack)
	}
	if ack := send(t, c, "second", c.SocketID+"-1"); !ack.OK || ack.Duplicate || ack.Offset != 2 {
		t.Errorf("new: %+v", ack)
	}
}
