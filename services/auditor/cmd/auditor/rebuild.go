package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/config/command"
	"github.com/tidemark-chat/tidemark/services/auditor/progress"
	"github.com/tidemark-chat/tidemark/services/auditor/rebuild"
)

// rebuilding is what the flags of rebuild say.
type rebuilding struct {
	into            string
	goOn, noCompare bool
	format          string
	quiet           bool
}

func rebuildCommand() *cobra.Command {
	r := &rebuilding{format: "text"}
	cmd := &cobra.Command{
		Use:   "rebuild --into URL",
		Short: "Make the read model anew from the log, and compare it with the one in use",
		Long: `Rebuild replays the log into an empty database, exactly as the persister would, and then compares
the read model in use with it: messages, users, dead letters and direct conversations, row by row, as
far as it and the log go. The log and the read model in use are only read, and both may be in use
meanwhile.

To replace a read model in SQLite that is damaged, lost or of an older form:

  1. auditor rebuild --into sqlite:<new file>      with the auditor of the version to be run
  2. stop the persister (or the standalone)
  3. move the old database away, with the files beside it whose names go on with -wal and -shm
  4. put the new file in its place, under its name
  5. start the persister: it goes on where the rebuild ended

In PostgreSQL, rebuild into a new and empty database; then stop the persisters, set their database.url
to it, start them, and drop the old one.

Until the persister is stopped nothing is interrupted, so that a schema can be changed while people go
on chatting. The old database, used again, undoes it: it then catches up with the log.

A rebuild that was interrupted has left a database that is right as far as it goes: --continue goes on
with it. If there is no read model to compare with, or it is of a form that this version cannot read,
give --no-compare.

Exit codes: 0 rebuilt, and the same as the one in use; 1 rebuilt, and there are differences; 2 not done.`,
		Example: `  auditor rebuild --into sqlite:/var/lib/tidemark/new.db
  auditor rebuild --into sqlite:/var/lib/tidemark/new.db --continue
  auditor rebuild --into sqlite:/var/lib/tidemark/new.db --no-compare
  auditor rebuild --into postgres://tidemark:secret@db/tidemark_new
  auditor rebuild --into sqlite:/tmp/check.db --format json > differences.json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if r.into == "" {
				return errors.New("--into is missing: where to rebuild, as sqlite:<path> or postgres://user:password@host/database")
			}
			return cobra.NoArgs(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return r.run(cmd) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&r.into, "into", "", "the new database, as a `URL`: sqlite:<path>, where there is nothing yet, or postgres://user:password@host/database, which is empty")
	flags.BoolVar(&r.goOn, "continue", false, "go on with the database that an interrupted rebuild has left")
	flags.BoolVar(&r.noCompare, "no-compare", false, "do not compare, or there is no read model to compare with")
	flags.Var(&oneOf{value: &r.format, allowed: []string{"text", "json"}}, "format", "text or json")
	flags.BoolVarP(&r.quiet, "quiet", "q", false, "no progress on standard error")
	return cmd
}

func (r *rebuilding) run(cmd *cobra.Command) (err error) {
	into, err := sourceOf(r.into)
	if err != nil {
		return could(err)
	}
	l, err := open(cmd)
	if err != nil {
		return err
	}
	defer l.close()
	o := rebuild.Options{JS: l.js, Into: into, Continue: r.goOn}
	if same, err := rebuild.Same(cmd.Context(), into, l.config.DatabaseSource()); err != nil {
		return could(err)
	} else if same {
		return could(fmt.Errorf("%s is the place of the read model in use: give another one to --into, and put it there later (see auditor rebuild --help)", config.URL(into)))
	}
	if !r.noCompare {
		if o.Live, err = openReader(cmd.Context(), l.config); errors.Is(err, errNoDatabase) {
			return could(fmt.Errorf("%w: to rebuild without comparing, give --no-compare", err))
		}
		if err != nil {
			return could(err)
		}
		defer func() { err = errors.Join(err, o.Live.Close()) }()
	}
	if !r.quiet {
		o.Progress = func(title string, total uint64) *progress.Bar { return progress.Start(cmd.ErrOrStderr(), title, total) }
	}
	report, err := rebuild.Run(cmd.Context(), o)
	switch {
	case err != nil && cmd.Context().Err() != nil:
		return could(errors.New(err.Error())) // to be told to stop is not to have done it
	case err != nil:
		return could(err)
	}
	return r.report(cmd.OutOrStdout(), report)
}

func (r *rebuilding) report(w io.Writer, report *rebuild.Report) error {
	write := report.WriteText
	if r.format == "json" {
		write = func(w io.Writer) error {
			out := json.NewEncoder(w)
			out.SetEscapeHTML(false)
			out.SetIndent("", "  ")
			return out.Encode(report)
		}
	}
	if err := write(w); err != nil {
		return could(err)
	}
	if report.Found > 0 {
		return &command.Exit{Code: foundSomething, Err: errors.New(report.Outcome())}
	}
	return nil
}

// sourceOf is the database that --into names.
func sourceOf(url string) (string, error) {
	c := config.Config{Database: config.Database{URL: config.URL(url)}}
	source := c.DatabaseSource()
	if c.Database.Driver() == config.SQLite && (!strings.HasPrefix(url, "sqlite:") || source == "") {
		return "", fmt.Errorf("--into %q: it must be sqlite:<path> or postgres://user:password@host/database", config.URL(url))
	}
	return source, nil
}
