package persister

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/config/command"
	"github.com/tidemark-chat/tidemark/streams/checks"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/layout"
	"github.com/tidemark-chat/tidemark/streams/notary"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/postgres"
	"github.com/tidemark-chat/tidemark/streams/readmodel/stores"
)

// Checks are what a persister needs.
func Checks(cfg config.Config) ([]command.Check, error) {
	if cfg.NATS.URL == "" {
		return nil, cfg.Invalid("nats.url", "it must not be empty: only standalone has a log of its own")
	}
	all, err := LocalChecks(cfg)
	if err != nil {
		return nil, err
	}
	all = append(all, checks.Server(cfg, eventlog.Persister))
	for _, s := range layout.Streams(cfg) {
		if s.Name == eventlog.StreamName || s.Name == notary.StreamName && cfg.Notary.Key != "" {
			all = append(all, checks.Stream(cfg, eventlog.Persister, s))
		}
	}
	return append(all, checks.Consumer(cfg, eventlog.Persister),
		checks.Log(cfg, eventlog.Persister, "database of this log", func(ctx context.Context, log *eventlog.Log) (string, error) {
			return checkOrigin(ctx, cfg, log)
		})), nil
}

// LocalChecks are those that are not about the log. The notary's key and the file that it exports to are read for them:
// what is wrong there is a bad setting.
func LocalChecks(cfg config.Config) ([]command.Check, error) {
	options, err := Configure(cfg)
	if err != nil {
		return nil, err
	}
	all := []command.Check{command.Free("persister.listen", cfg.Persister.Listen)}
	if cfg.Database.Driver() == config.SQLite {
		all = append(all, command.Writable("database directory", filepath.Dir(options.Database)))
	}
	all = append(all, command.Check{Name: "database.url", Run: func(ctx context.Context) (string, error) { return checkDatabase(ctx, cfg) }})
	if cfg.Notary.Key != "" {
		all = append(all, command.Check{Name: "notary.key", Run: func(context.Context) (string, error) {
			return command.Private("signs with "+options.Notary.Key.Public, cfg.Notary.Key), nil
		}})
	}
	if url := cfg.Notary.ExportURL(); url != "" {
		all = append(all, command.Reachable("notary.export", url))
	}
	return all, nil
}

func checkDatabase(ctx context.Context, cfg config.Config) (string, error) {
	d, err := lookAtDatabase(ctx, cfg)
	switch {
	case err != nil:
		return "", err
	case d.toBeMade != "":
		return d.toBeMade, nil
	}
	return fmt.Sprintf("a read model, up to offset %d", d.position.Offset), nil
}

// checkOrigin compares the database with the log, which is nil where there is none yet, as a persister does at its start.
func checkOrigin(ctx context.Context, cfg config.Config, log *eventlog.Log) (string, error) {
	d, err := lookAtDatabase(ctx, cfg) // before the log, which it must not be ahead of
	if err != nil || d.toBeMade != "" || d.position.Offset == 0 {
		return "it holds nothing yet", err
	}
	if log == nil {
		return "", otherLog(d.name, fmt.Sprintf("the database is at offset %d, and there is no log", d.position.Offset))
	}
	state, err := log.State(ctx)
	if err != nil {
		return "", err
	}
	if err := sameLog(ctx, log, d.name, d.position, state); err != nil {
		return "", err
	}
	return fmt.Sprintf("they agree at offset %d; the log ends at %d", d.position.Offset, state.Last), nil
}

// found is what is known of a database without changing it.
type found struct {
	name     string
	position readmodel.Position
	toBeMade string // what there is not yet; empty if it is there
}

// lookAtDatabase opens the read model as somebody who may only read: its tables are neither made nor brought up to date.
func lookAtDatabase(ctx context.Context, cfg config.Config) (d found, err error) {
	if path := cfg.DatabaseSource(); cfg.Database.Driver() == config.SQLite {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			d.toBeMade = path + " does not exist yet, and is made from the log"
			return d, nil
		}
	}
	reader, err := stores.OpenReader(ctx, cfg.DatabaseSource())
	if errors.Is(err, postgres.ErrNoTables) {
		d.toBeMade = "it has no tables yet, and they are made"
		return d, nil
	}
	if err != nil {
		return d, err
	}
	d.name = reader.Name()
	d.position, err = reader.Position(ctx)
	return d, errors.Join(err, reader.Close())
}
