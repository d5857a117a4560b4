package gateway_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/gateway"
	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/layout"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/permissions"
	"github.com/tidemark-chat/tidemark/streams/permissions/permissionstest"
	"github.com/tidemark-chat/tidemark/streams/provision"
)

// begin runs a gateway, ready or not, until the test ends. ended brings what Run returned.
func begin(t *testing.T, cfg config.Config) (g *gateway.Gateway, ended <-chan error) {
	t.Helper()
	g, err := gateway.New(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	result, done := make(chan error, 1), make(chan struct{})
	go func() { defer close(done); result <- g.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return g, result
}

func TestWhereAnOperatorProvisionsAGatewayMakesNothingAndWaits(t *testing.T) {
	t.Parallel()
	s := logtest.Start(t)
	cfg := gatewaytest.Config(s.URL())
	cfg.NATS.Provision = false
	g, _ := begin(t, cfg)
	deadline := time.Now().Add(gatewaytest.Timeout)
	for {
		if _, body := gatewaytest.Get(g.Address(), "/readyz"); strings.Contains(body, "run: streams provision") {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("/readyz says %s", body)
		}
		<-time.After(10 * time.Millisecond)
	}
	js := s.Connect()
	for name := range js.StreamNames(t.Context()).Name() {
		t.Errorf("there is a stream %s", name)
	}
	if _, err := layout.Ensure(t.Context(), js, cfg, provision.Reshape); err != nil {
		t.Fatal(err)
	}
	gatewaytest.WaitReady(t, g.Address(), true)
	if peer := gatewaytest.Join(t, g.Address(), gatewaytest.Auth{"username": "ann"}); peer.SessionID == "" {
		t.Error("there is no session")
	}
}

func TestAGatewayThatLacksARightEndsAndNamesIt(t *testing.T) {
	s := permissionstest.Start(t, permissions.Options{})
	cfg := gatewaytest.Config(s.URL(eventlog.Auditor))
	_, ended := begin(t, cfg)
	select {
	case err := <-ended:
		if err == nil || !strings.Contains(err.Error(), "does not grant what a gateway needs") || !strings.Contains(err.Error(), `"`) {
			t.Error(err)
		}
	case <-time.After(gatewaytest.Timeout):
		t.Error("it goes on")
	}
}

// TestAUserThatIsBeingChangedIsWaitedFor as nats-server may know the new password
// before, or after, the gateway does.
func TestAUserThatIsBeingChangedIsWaitedFor(t *testing.T) {
	s := permissionstest.Start(t, permissions.Options{})
	cfg := gatewaytest.Config(strings.Replace(s.URL(eventlog.Gateway), "of-the-", "no-longer-", 1))
	g, ended := begin(t, cfg)
	deadline := time.Now().Add(gatewaytest.Timeout)
	for {
		_, body := gatewaytest.Get(g.Address(), "/readyz")
		if strings.Contains(body, "does not know this user") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("/readyz says %s", body)
		}
		<-time.After(10 * time.Millisecond)
	}
	select {
	case err := <-ended:
		t.Errorf("it ended: %v", err)
	default:
	}
}
