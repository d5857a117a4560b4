package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/config/command"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/postgres"
	"github.com/tidemark-chat/tidemark/streams/readmodel/stores"
)

// Exit codes beside 0.
const (
	foundSomething = 1 // findings, a proof that does not hold, a replay with holes
	couldNot       = 2 // bad usage, or what was asked for could not be done
)

// could marks an error that says that nothing was found out.
func could(err error) error {
	if err != nil {
		return &command.Exit{Code: couldNot, Err: err}
	}
	return nil
}

// defaultURL is where a standalone's log listens.
const defaultURL = "nats://127.0.0.1:4222"

// link is the way to the log.
type link struct {
	config config.Config
	nc     *nats.Conn
	js     jetstream.JetStream
	state  eventlog.State // when it was opened
	end    context.CancelCauseFunc
}

// open connects to the log that the settings name. Close it. The command's context ends when the log's server refuses a right.
func open(cmd *cobra.Command) (*link, error) {
	cfg, log, err := command.Load(cmd)
	if err != nil {
		return nil, err
	}
	url := string(cfg.NATS.URL)
	if url == "" {
		url = defaultURL
	}
	options, err := eventlog.Options(cfg, eventlog.Auditor)
	if err != nil {
		return nil, err
	}
	ctx, end := context.WithCancelCause(cmd.Context())
	cmd.SetContext(ctx)
	options = append(options, nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		if needed(err) {
			end(&refused{err})
		} else {
			log.Error("connection to the log", "error", err)
		}
	}))
	l := &link{config: cfg, end: end}
	if l.nc, l.js, err = eventlog.Connect(url, "auditor", log, options...); err != nil {
		end(nil)
		return nil, could(fmt.Errorf("connect to the log at %s: %w (setting nats.url, TIDEMARK_NATS_URL)", config.URL(url), err))
	}
	if l.state, err = eventlog.Open(l.js).State(ctx); err != nil {
		l.close()
		return nil, could(err)
	}
	return l, nil
}

func (l *link) close() {
	l.nc.Close()
	l.end(nil)
}

// refused says that the log's server does not grant a right.
type refused struct{ error }

func (r *refused) Unwrap() error { return r.error }

// needed reports whether an error is that a right is missing without which nothing can be read. A request that is not
// allowed is otherwise one that nobody answers.
func needed(err error) bool {
	return errors.Is(err, nats.ErrPermissionViolation) &&
		!strings.Contains(err.Error(), "$JS.API.CONSUMER.DELETE") && !strings.Contains(err.Error(), "tidemark.query")
}

// refusals makes a command whose log refuses a right say so, and nothing of what came of it.
func refusals(cmd *cobra.Command) *cobra.Command {
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		err := run(cmd, args)
		if r := (*refused)(nil); errors.As(context.Cause(cmd.Context()), &r) {
			return could(fmt.Errorf("the log's server does not allow it, see Rights in docs/audit.md: %w", r))
		}
		return err
	}
	return cmd
}

// errNoDatabase says that there is no read model to look at.
var errNoDatabase = errors.New("there is no read model")

// openReader opens the read model that the settings name, for reading only.
func openReader(ctx context.Context, cfg config.Config) (readmodel.Reader, error) {
	source := cfg.DatabaseSource()
	if cfg.Database.Driver() == config.SQLite {
		if _, err := os.Stat(source); err != nil {
			return nil, fmt.Errorf("%w at %s (settings database.url and dataDir): %w", errNoDatabase, source, err)
		}
	}
	reader, err := stores.OpenReader(ctx, source)
	if errors.Is(err, postgres.ErrNoTables) {
		return nil, fmt.Errorf("%w (setting database.url): %w", errNoDatabase, err)
	}
	return reader, err
}
