package gateway_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/config/command"
	"github.com/tidemark-chat/tidemark/services/gateway"
	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

// look runs a gateway's checks and returns what was found, and the errors, by their names.
func look(t *testing.T, cfg config.Config) (found map[string]string, failed map[string]error) {
	t.Helper()
	checks, err := gateway.Checks(cfg)
	if err != nil {
		t.Fatal(err)
	}
	found, failed = make(map[string]string), make(map[string]error)
	for _, c := range checks {
		ctx, cancel := context.WithTimeout(t.Context(), gatewaytest.Timeout)
		text, err := c.Run(ctx)
		cancel()
		if err != nil {
			failed[c.Name] = err
		} else {
			found[c.Name] = text
		}
	}
	return found, failed
}

func TestCheckFindsWhatAGatewayNeedsAndMakesNothing(t *testing.T) {
	t.Parallel()
	server := logtest.Start(t)
	cfg := gatewaytest.Config(server.URL())
	cfg.Gateway.Operations = "127.0.0.1:0"
	kept := []string{"bucket LEASES", "bucket PRESENCE", "bucket REVOCATIONS", "bucket SESSIONS", "stream CHAT"}
	for range 2 { // the first time makes nothing that the second could find
		found, failed := look(t, cfg)
		if len(failed) > 0 || len(found) != len(kept)+3 {
			t.Errorf("found %v, failed %v", found, failed)
		}
		for _, name := range kept {
			if !strings.Contains(found[name], "made by the service") {
				t.Errorf("%s: %q", name, found[name])
			}
		}
	}
	provided := cfg
	provided.NATS.Provision = false
	_, failed := look(t, provided)
	for _, name := range kept {
		if failed[name] == nil || !strings.Contains(failed[name].Error(), "streams provision") {
			t.Errorf("%s where an operator provides: %v", name, failed[name])
		}
	}
	gatewaytest.Start(t, cfg)
	found, failed := look(t, provided)
	for _, name := range kept {
		if found[name] != "as it should be" {
			t.Errorf("%s: %q, %v", name, found[name], failed[name])
		}
	}
	differs := cfg
	differs.Stream.DedupWindow = time.Minute
	if _, failed := look(t, differs); len(failed) != 1 || !strings.Contains(failed["stream CHAT"].Error(), "dedup window") {
		t.Errorf("of another setting: %v", failed)
	}
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	short := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(short, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	pair, other := newKeyPair(t, t.TempDir(), 1), newKeyPair(t, t.TempDir(), 2)
	cfg := gatewaytest.Config(logtest.Start(t).URL())
	for _, test := range []struct {
		name   string
		change func(c *config.Config)
		failed map[string]string // a part of each error
	}{
		{"no server", func(c *config.Config) { c.NATS.URL = "nats://u:hush@127.0.0.1:1" }, map[string]string{"nats.url": "127.0.0.1:1"}},
		{"addresses that are taken", func(c *config.Config) {
			c.Gateway.Listen, c.Gateway.Operations = taken.Addr().String(), taken.Addr().String()
		}, map[string]string{"gateway.listen": "in use", "gateway.operations": "in use"}},
		{"another's key", func(c *config.Config) { c.Gateway.Cert, c.Gateway.Key = pair.cert, other.key }, map[string]string{"gateway.cert": "no pair"}},
		{"a certificate that ends soon", func(c *config.Config) { c.Gateway.Cert, c.Gateway.Key = pair.cert, pair.key }, map[string]string{"gateway.cert": "renew it"}},
		{"a pair that is not there", func(c *config.Config) { c.Gateway.Cert, c.Gateway.Key = pair.cert, pair.key+"x" }, map[string]string{"gateway.cert": "no such file"}},
		{"a secret that is not there", func(c *config.Config) { c.Auth.Secret = short + "x" }, map[string]string{"auth": "no such file"}},
		{"a short secret", func(c *config.Config) { c.Auth.Secret = short }, map[string]string{"auth": "at least 32"}},
		{"keys that nobody serves", func(c *config.Config) { c.Auth.JWKS = "http://127.0.0.1:1/keys" }, map[string]string{"auth": "auth.jwks"}},
		{"tokens that nobody can verify", func(c *config.Config) { c.Auth.Required = true }, map[string]string{"auth": "auth.required"}},
		{"a feed that nobody feeds", func(c *config.Config) { c.Gateway.Feed = config.Republish }, map[string]string{"gateway.feed": ""}},
		{"no collector", func(c *config.Config) { c.Telemetry.Endpoint = "http://127.0.0.1:1" }, map[string]string{"telemetry.endpoint": "nobody answers"}},
	} {
		c := cfg
		test.change(&c)
		_, failed := look(t, c)
		for name, err := range failed {
			part, expected := test.failed[name]
			if !expected && !(test.name == "no server" && (strings.HasPrefix(name, "stream ") || strings.HasPrefix(name, "bucket "))) {
				t.Errorf("%s: %s: %v", test.name, name, err)
			}
			if !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "hush") {
				t.Errorf("%s: %s says %q and not %q", test.name, name, err, part)
			}
		}
		for name := range test.failed {
			if failed[name] == nil {
				t.Errorf("%s: %s has not failed", test.name, name)
			}
		}
	}
}

func TestCheckNeedsAnAddressOfTheLog(t *testing.T) {
	if _, err := gateway.Checks(config.Default()); err == nil || !strings.Contains(err.Error(), "nats.url") {
		t.Error(err)
	}
	checks, err := gateway.Checks(gatewaytest.Config("nats://127.0.0.1:1"))
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range checks { // otherwise a check would wait for none
		if c.Needs != "" && !slices.ContainsFunc(checks[:i], func(before command.Check) bool { return before.Name == c.Needs }) {
			t.Errorf("%s needs %s", c.Name, c.Needs)
		}
	}
}
