package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/config/command"
	"github.com/tidemark-chat/tidemark/streams/checks"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/layout"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

// checksOf are what the auditor's commands need: the log all, the checkpoints and the read model some.
func checksOf(cfg config.Config) ([]command.Check, error) {
	if cfg.NATS.URL == "" {
		cfg.NATS.URL = defaultURL
	}
	cfg.NATS.Provision = false // nothing is made by an auditor
	if _, err := eventlog.Options(cfg, eventlog.Auditor); err != nil {
		return nil, err
	}
	all := []command.Check{checks.Server(cfg, eventlog.Auditor)}
	for _, s := range layout.Streams(cfg) {
		switch c := checks.Stream(cfg, eventlog.Auditor, s); s.Name {
		case eventlog.StreamName:
			all = append(all, c)
		case notary.StreamName:
			all = append(all, optional(c))
		}
	}
	return append(all, optional(command.Check{Name: "database.url", Run: func(ctx context.Context) (string, error) {
		return checkReadModel(ctx, cfg)
	}})), nil
}

// optional is a check of what not every command needs.
func optional(c command.Check) command.Check {
	run := c.Run
	c.Run = func(ctx context.Context) (string, error) {
		found, err := run(ctx)
		if err != nil {
			return "", command.Warning("%w (not all commands need it)", err)
		}
		return found, nil
	}
	return c
}

func checkReadModel(ctx context.Context, cfg config.Config) (string, error) {
	reader, err := openReader(ctx, cfg)
	if err != nil {
		return "", err
	}
	position, err := reader.Position(ctx)
	if err := errors.Join(err, reader.Close()); err != nil {
		return "", err
	}
	return fmt.Sprintf("a read model, up to offset %d", position.Offset), nil
}
