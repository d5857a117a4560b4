package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/config/command"
	"github.com/tidemark-chat/tidemark/streams/backup"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
)

func backupCommand() *cobra.Command {
	var dir, format string
	cmd := &cobra.Command{
		Use:   "backup --to DIRECTORY",
		Short: "Copy the log, its checkpoints, sessions and revocations into a directory while all runs",
		Example: "  streams backup --to /backup/monday\n" +
			"  streams backup --to /backup/monday --nats.url tls://nats-1:4222 --format json",
		Args: checked(&dir, "to", &format),
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := copying(cmd, func(ctx context.Context, js jetstream.JetStream, _ config.Config) (backup.Manifest, error) {
				return backup.Save(ctx, js.Conn(), dir, eventlog.Open(js), progress(cmd.ErrOrStderr()))
			})
			if err != nil {
				return err
			}
			return printResult(cmd.OutOrStdout(), m, m, format)
		},
	}
	cmd.Flags().StringVar(&dir, "to", "", "empty or new `directory`")
	cmd.Flags().StringVar(&format, "format", "text", "`form` of the output: text or json")
	return cmd
}

func restoreCommand() *cobra.Command {
	var dir, format string
	var check bool
	cmd := &cobra.Command{
		Use:   "restore --from DIRECTORY [--check]",
		Short: "Put a backup back where there is no log, as another epoch of it",
		Long: "Put a backup back where there is no log. It is read to its end first, and nothing is made of one that is damaged. Nothing\n" +
			"that exists is replaced, and nothing is deleted: what a restore that failed later has left, it names, and an administrator\n" +
			"removes it (nats stream rm). The log becomes another epoch: clients that were further are told to begin anew, the notary\n" +
			"begins another tree, and the persister asks for a new read model.",
		Example: "  streams restore --from /backup/monday --check\n  streams restore --from /backup/monday --nats.replicas 3",
		Args:    checked(&dir, "from", &format),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if check {
				m, err := backup.Verify(cmd.Context(), dir, progress(cmd.ErrOrStderr()))
				if err != nil {
					return err
				}
				return printResult(cmd.OutOrStdout(), m, m, format)
			}
			r, err := copying(cmd, func(ctx context.Context, js jetstream.JetStream, cfg config.Config) (backup.Restored, error) {
				return backup.Restore(ctx, js.Conn(), dir, cfg.NATS.Replicas, progress(cmd.ErrOrStderr()))
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "The log is another epoch now, %s. Next: streams provision, delete the read model, start the persisters, then the gateways.\n", r.Now)
			return printResult(cmd.OutOrStdout(), r.Manifest, r, format)
		},
	}
	cmd.Flags().StringVar(&dir, "from", "", "`directory` that streams backup has written")
	cmd.Flags().BoolVar(&check, "check", false, "only read the backup to its end; needs no nats-server, and changes nothing")
	cmd.Flags().StringVar(&format, "format", "text", "`form` of the output: text or json")
	return cmd
}

// checked are arguments of a command that needs a directory.
func checked(dir *string, flag string, format *string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case *dir == "":
			return fmt.Errorf("--%s is missing: it names the directory", flag)
		}
		return errors.Join(oneOf(*format, "text", "json"), cobra.NoArgs(cmd, args))
	}
}

// copying connects as who may copy the log, and copies. A right that is missing ends it, and is said.
func copying[T any](
	cmd *cobra.Command, copyAll func(context.Context, jetstream.JetStream, config.Config) (T, error),
) (m T, err error) {
	cfg, log, err := command.Load(cmd)
	if err != nil {
		return m, err
	}
	if cfg.NATS.URL == "" {
		return m, cfg.Invalid("nats.url", "it must not be empty: a standalone's log is reached at its nats.listen while it runs")
	}
	options, err := eventlog.Options(cfg, eventlog.Backup)
	if err != nil {
		return m, err
	}
	rights := eventlog.NewRights(eventlog.Backup, log)
	_, js, err := eventlog.Connect(string(cfg.NATS.URL), "streams", log, append(options, rights.Option())...)
	if err != nil {
		return m, fmt.Errorf("connect to nats-server at %s: %w", cfg.NATS.URL, err)
	}
	defer js.Conn().Close()
	ctx, cancel := context.WithCancelCause(cmd.Context())
	defer cancel(nil)
	go func() { // ends with ctx
		select {
		case refused := <-rights.Refused():
			cancel(refused)
		case <-ctx.Done():
		}
	}()
	if m, err = copyAll(ctx, js, cfg); err != nil && ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", context.Cause(ctx), err) // which says what was done until then
	}
	return m, err
}

// progressEvery is how often a copy says how far it is.
const progressEvery = 2 * time.Second

func progress(w io.Writer) backup.Progress {
	said := time.Now()
	return func(stream string, bytes, of uint64) {
		if time.Since(said) < progressEvery {
			return
		}
		said = time.Now()
		total := ""
		if of > 0 {
			total = fmt.Sprintf(" of %.1f", mebibytes(of))
		}
		fmt.Fprintf(w, "%s: %.1f%s MiB\n", stream, mebibytes(bytes), total)
	}
}

func mebibytes(n uint64) float64 { return float64(n) / (1 << 20) }

// printResult prints the backup that m is of, or as JSON all of the result.
func printResult(w io.Writer, m backup.Manifest, result any, format string) error {
	if format == "json" {
		out := json.NewEncoder(w)
		out.SetIndent("", "  ")
		return out.Encode(result)
	}
	fmt.Fprintf(w, "backup of %s, log epoch %s\n", m.At.Format(time.RFC3339), m.Epoch)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "STREAM\tFIRST\tLAST\tMESSAGES\tMIB")
	for _, name := range backup.Names {
		if s, ok := m.Streams[name]; ok {
			fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%.1f\n", name, s.First, s.Last, s.Messages, mebibytes(s.Bytes))
		}
	}
	return table.Flush()
}
