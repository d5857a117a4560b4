package checks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/config/command"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
)

// Log is a check of the service's own that needs the log. ask is told where the log is not there yet: with a nil Log.
func Log(cfg config.Config, role eventlog.Role, name string, ask func(context.Context, *eventlog.Log) (string, error)) command.Check {
	return command.Check{Name: name, Needs: "stream " + eventlog.StreamName, Run: func(ctx context.Context) (found string, err error) {
		err = with(ctx, cfg, role, func(ctx context.Context, js jetstream.JetStream) error {
			log := eventlog.Open(js)
			if _, err := log.State(ctx); errors.Is(err, jetstream.ErrStreamNotFound) {
				log = nil
			}
			found, err = ask(ctx, log)
			return err
		})
		return found, err
	}}
}

// flushTimeout bounds how long the server may take to answer that it has read a subscription.
const flushTimeout = 5 * time.Second

// mayListen subscribes for a moment: what a user may not hear, the server says then only. The connection has to be one with
// nats.PermissionErrOnSubscribe.
func mayListen(nc *nats.Conn, subject string, role eventlog.Role) error {
	sub, err := nc.SubscribeSync(subject)
	if err != nil {
		return err
	}
	defer func() { _ = sub.Unsubscribe() }() // the connection is closed soon
	if err := nc.FlushTimeout(flushTimeout); err != nil {
		return err
	}
	if _, err := sub.NextMsg(time.Nanosecond); errors.Is(err, nats.ErrPermissionViolation) {
		return fmt.Errorf("nats-server does not grant what a %s needs (streams permissions prints what that is): %w", role, err)
	}
	return nil
}
