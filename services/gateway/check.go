package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/config/command"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/auth"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/door"
	"github.com/tidemark-chat/tidemark/streams/checks"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/layout"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

// renewBefore is how long before its end a certificate is worth a warning.
const renewBefore = 14 * 24 * time.Hour

// Checks are what a gateway needs.
func Checks(cfg config.Config) ([]command.Check, error) {
	if cfg.NATS.URL == "" {
		return nil, cfg.Invalid("nats.url", "a gateway needs the address of a nats-server; only standalone has one of its own")
	}
	if _, err := eventlog.Options(cfg, eventlog.Gateway); err != nil {
		return nil, err
	}
	all := append(LocalChecks(cfg), checks.Server(cfg, eventlog.Gateway))
	for _, s := range layout.Streams(cfg) {
		if s.Name == notary.StreamName && !cfg.Gateway.LogView {
			continue // not a gateway's
		}
		all = append(all, checks.Stream(cfg, eventlog.Gateway, s))
	}
	if cfg.Gateway.Feed == config.Republish {
		all = append(all, checks.Republish(cfg, eventlog.Gateway))
	}
	return all, nil
}

// LocalChecks are those that are not about the log.
func LocalChecks(cfg config.Config) []command.Check {
	g := cfg.Gateway
	all := []command.Check{command.Free("gateway.listen", g.Listen)}
	if g.Operations != "" {
		all = append(all, command.Free("gateway.operations", g.Operations))
	}
	if g.Cert != "" || g.Key != "" {
		all = append(all, command.Check{Name: "gateway.cert", Run: func(context.Context) (string, error) { return checkPair(g, time.Now()) }})
	}
	if cfg.Auth.Enabled() || cfg.Auth.Required {
		all = append(all, command.Check{Name: "auth", Run: func(ctx context.Context) (string, error) { return checkAuth(ctx, cfg.Auth) }})
	}
	if cfg.Telemetry.Endpoint != "" {
		all = append(all, command.Reachable("telemetry.endpoint", string(cfg.Telemetry.Endpoint)))
	}
	return all
}

func checkPair(cfg config.Gateway, now time.Time) (string, error) {
	pair, err := door.ReadPair(cfg.Cert, cfg.Key)
	if err != nil {
		return "", err
	}
	until, err := door.Lasts(pair, now)
	if err != nil {
		return "", err
	}
	if until.Sub(now) < renewBefore {
		return "", command.Warning("the certificate is valid only until %s: renew it, and send the gateway SIGHUP", until.UTC().Format(time.RFC3339))
	}
	found := fmt.Sprintf("for %s, valid until %s", strings.Join(pair.Leaf.DNSNames, ", "), until.UTC().Format(time.RFC3339))
	return command.Private(found, cfg.Key), nil
}

func checkAuth(ctx context.Context, cfg config.Auth) (string, error) {
	verifier, err := auth.New(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return "", err
	}
	verifier.Close()
	if err := auth.Check(ctx, cfg); err != nil {
		return "", err
	}
	return command.Private("tokens can be verified", cfg.Secret), nil
}
