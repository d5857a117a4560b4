package gateway_test

import (
	"os"
	"path/filepath"
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

func TestCheckNamesASecretThatOthersCanRead(t *testing.T) {
	cfg := gatewaytest.Config("nats://127.0.0.1:1")
	cfg.Auth.Secret = filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(cfg.Auth.Secret, []byte(strings.Repeat("s", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []os.FileMode{0o600, 0o644} {
		if err := os.Chmod(cfg.Auth.Secret, mode); err != nil {
			t.Fatal(err)
		}
		found, failed := look(t, cfg)
		if err := failed["auth"]; err != nil || strings.Contains(found["auth"], "chmod 600 "+cfg.Auth.Secret) != (mode != 0o600) {
			t.Errorf("%v: %q, %v", mode, found["auth"], err)
		}
	}
}
