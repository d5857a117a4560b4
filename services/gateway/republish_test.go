package gateway_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/gateway"
	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/feed/feedtest"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

// republished are the settings of a gateway whose feed is what the log republishes.
func republished(url string) config.Config {
	cfg := gatewaytest.Config(url)
	cfg.Stream.Republish, cfg.Gateway.Feed = true, config.Republish
	return cfg
}

// TestByWhatIsRepublishedEverybodyGetsEverythingThoughHalfOfItIsLost cuts the gateway
// off now and then too.
func TestByWhatIsRepublishedEverybodyGetsEverythingThoughHalfOfItIsLost(t *testing.T) {
	t.Parallel()
	s := logtest.Start(t)
	logConfig := logtest.Config()
	logConfig.Republish = true
	js := s.Provision(logConfig)
	way := feedtest.NewWay(t, s.URL(), 2)
	g := gatewaytest.Start(t, republished(way.URL()))
	viewer := gatewaytest.Connect(t, g.Address, nil)
	last := uint64(0)
	for round := range 4 {
		logtest.Fill(t, js, 100, func(int) event.Event {
			last++
			return logtest.Message(t, "general", fmt.Sprint(last))
		})
		if round == 2 {
			way.Cut()
		}
		for o := last - 99; o <= last; o++ {
			expectMessage(t, viewer, fmt.Sprint(o), o)
		}
	}
	gatewaytest.WaitReady(t, g.Address, true)
	if ack := send(t, viewer, "401", viewer.SocketID+"-0"); ack.Offset != 401 {
		t.Errorf("ack %+v", ack)
	}
	expectMessage(t, viewer, "401", 401)
	back := gatewaytest.Connect(t, g.Address, map[string]any{"serverOffset": 300})
	for o := uint64(301); o <= 401; o++ {
		expectMessage(t, back, fmt.Sprint(o), o)
	}
	if r, err := back.NextRecovery(testContext(t)); err != nil || !r.Recovered || r.Count != 101 {
		t.Errorf("recovery %+v, %v", r, err)
	}
	if viewer.Gone() != nil {
		t.Errorf("disconnected: %v", viewer.Gone())
	}
}

func TestAGatewayIsNotReadyWhereTheLogDoesNotRepublishAndSaysWhatToDo(t *testing.T) {
	t.Parallel()
	s := logtest.Start(t)
	s.Provision(logtest.Config())
	g, err := gateway.New(republished(s.URL()), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	for deadline := time.Now().Add(gatewaytest.Timeout); ; <-time.After(5 * time.Millisecond) {
		status, body := gatewaytest.Get(g.Address(), "/readyz")
		if status == 503 && strings.Contains(body, "stream.republish") {
			return
		}
		if status == 200 || time.Now().After(deadline) {
			t.Fatalf("/readyz says %d %s", status, body)
		}
	}
}
