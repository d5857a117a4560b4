package standalone_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
)

// TestWithoutTheReadModelChatGoesOn starts on a database that is none.
func TestWithoutTheReadModelChatGoesOn(t *testing.T) {
	t.Parallel()
	p := newStandalone(t)
	if err := os.WriteFile(filepath.Join(p.dir, "tidemark.db"), []byte(strings.Repeat("not a database", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	p.start()
	ctx, cancel := context.WithTimeout(context.Background(), gatewaytest.Timeout)
	defer cancel()
	c := gatewaytest.Connect(t, p.address, nil)
	for offset := uint64(1); offset <= 3; offset++ {
		ack, err := c.Send(ctx, "chat message", "hi", c.SocketID+"-"+string(rune('0'+offset)))
		if err != nil || !ack.OK || ack.Offset != offset {
			t.Fatalf("ack %+v, %v", ack, err)
		}
	}
	for range 3 { // what is acked need not have come back by the log yet
		if _, err := c.Next(ctx, "chat message"); err != nil {
			t.Fatal(err)
		}
	}
	again := gatewaytest.Connect(t, p.address, map[string]any{"serverOffset": 1})
	if r, err := again.NextRecovery(ctx); err != nil || !r.Recovered || r.Count != 2 {
		t.Errorf("recovery %+v, %v", r, err)
	}
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- p.cmd.Wait() }()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("it ended as if all had been well")
		}
	case <-time.After(gatewaytest.Timeout):
		t.Error("it did not stop")
	}
	p.cmd = nil
}
