// Package checks looks at what a service needs in nats-server, for its subcommand check: with the rights that the service
// has, and without changing anything.
package checks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/config/command"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/feed"
	"github.com/tidemark-chat/tidemark/streams/provision"
)

// server is the name of the check that all others of this package need.
const server = "nats.url"

// Server checks that nats-server is there and knows the role's user.
func Server(cfg config.Config, role eventlog.Role) command.Check {
	return command.Check{Name: server, Run: func(ctx context.Context) (found string, err error) {
		err = with(ctx, cfg, role, func(_ context.Context, js jetstream.JetStream) error {
			nc := js.Conn()
			found = fmt.Sprintf("nats-server %s at %s", nc.ConnectedServerVersion(), nc.ConnectedUrlRedacted())
			if _, err := nc.TLSConnectionState(); err == nil {
				found += ", by TLS"
			}
			found = command.Private(found, cfg.NATS.Credentials, cfg.NATS.Key)
			return nil
		})
		return found, err
	}}
}

// Stream checks a stream or bucket. If the service makes what is missing by itself, that is no failure.
func Stream(cfg config.Config, role eventlog.Role, s provision.Stream) command.Check {
	return ensured(cfg, role, s.Kind+" "+s.Name, func(ctx context.Context, js jetstream.JetStream) (provision.Result, error) {
		_, result, err := s.Ensure(ctx, js, provision.Check)
		return result, err
	})
}

// Consumer checks the persister's consumer.
func Consumer(cfg config.Config, role eventlog.Role) command.Check {
	c := eventlog.Consumer{BatchSize: cfg.Persister.BatchSize, PinTTL: cfg.Persister.PinTTL}
	return ensured(cfg, role, "consumer "+eventlog.ConsumerName, func(ctx context.Context, js jetstream.JetStream) (provision.Result, error) {
		_, result, err := c.Ensure(ctx, js, provision.Check)
		return result, err
	})
}

// Republish checks that the log also publishes its events as the feed of that name needs it.
func Republish(cfg config.Config, role eventlog.Role) command.Check {
	return command.Check{Name: "gateway.feed", Needs: "stream " + eventlog.StreamName, Run: func(ctx context.Context) (string, error) {
		err := with(ctx, cfg, role, func(ctx context.Context, js jetstream.JetStream) error {
			err := feed.NewRepublish(js, slog.New(slog.DiscardHandler)).Check(ctx)
			if errors.Is(err, jetstream.ErrStreamNotFound) && cfg.Stream.Republish {
				err = nil // it is made so
			}
			if err == nil {
				err = mayListen(js.Conn(), eventlog.FeedSubject, role)
			}
			return err
		})
		return "the log republishes its events", err
	}}
}

func ensured(cfg config.Config, role eventlog.Role, name string, ensure func(context.Context, jetstream.JetStream) (provision.Result, error)) command.Check {
	return command.Check{Name: name, Needs: server, Run: func(ctx context.Context) (found string, err error) {
		err = with(ctx, cfg, role, func(ctx context.Context, js jetstream.JetStream) error {
			result, err := ensure(ctx, js)
			switch found = string(result.Outcome); {
			case result.Outcome == provision.Missing && cfg.NATS.Provision:
				found = "does not exist yet, and is made by the service"
				return nil
			case err != nil:
				return err
			case len(result.Left) > 0:
				return command.Warning("%s (services leave that as it is)", strings.Join(result.Left, "; "))
			}
			return nil
		})
		return found, err
	}}
}

// with has something asked over a connection of the role. A right that is missing ends it, and is its error.
func with(ctx context.Context, cfg config.Config, role eventlog.Role, ask func(context.Context, jetstream.JetStream) error) error {
	options, err := eventlog.Options(cfg, role)
	if err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	rights := eventlog.NewRights(role, log)
	_, js, err := eventlog.Connect(string(cfg.NATS.URL), string(role)+" check", log, append(options, rights.Option(), nats.PermissionErrOnSubscribe(true))...)
	if err != nil {
		return fmt.Errorf("connect to nats-server at %s: %w", cfg.NATS.URL, err)
	}
	defer js.Conn().Close()
	asking, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go func() { // ends with the asking
		select {
		case err := <-rights.Refused():
			stop(err)
		case <-asking.Done():
		}
	}()
	err = ask(asking, js)
	if cause := context.Cause(asking); err != nil && cause != nil && ctx.Err() == nil {
		return cause
	}
	return err
}
