package gateway_test

import (
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/layout"
	"github.com/tidemark-chat/tidemark/streams/permissions"
	"github.com/tidemark-chat/tidemark/streams/permissions/permissionstest"
	"github.com/tidemark-chat/tidemark/streams/provision"
)

// What a user may not hear, nats-server says only to who tries.
func TestCheckFindsThatAGatewayMayNotListenToTheFeed(t *testing.T) {
	for _, granted := range []bool{true, false} {
		s := permissionstest.Start(t, permissions.Options{Republish: granted})
		cfg := gatewaytest.Config(s.URL(eventlog.Gateway))
		cfg.Stream.Republish, cfg.Gateway.Feed, cfg.NATS.Provision = true, config.Republish, false
		if _, err := layout.Ensure(t.Context(), s.Connect(eventlog.Provisioner), cfg, provision.Reshape); err != nil {
			t.Fatal(err)
		}
		found, failed := look(t, cfg)
		switch err := failed["gateway.feed"]; {
		case granted && (err != nil || found["gateway.feed"] == ""):
			t.Errorf("with the right: %v", err)
		case !granted && (err == nil || !strings.Contains(err.Error(), "does not grant what a gateway needs") || !strings.Contains(err.Error(), `"feed.>"`)):
			t.Errorf("without it: %v", err)
		}
	}
}
