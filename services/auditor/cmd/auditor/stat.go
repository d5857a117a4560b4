package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/config/command"
	"github.com/tidemark-chat/tidemark/services/auditor/progress"
	"github.com/tidemark-chat/tidemark/services/auditor/render"
	"github.com/tidemark-chat/tidemark/services/auditor/selection"
	"github.com/tidemark-chat/tidemark/services/auditor/stat"
)

// statFlags are the flags of stat.
type statFlags struct {
	selection selection.Selection
	format    string
	top       uint
	quiet     bool
}

func statCommand() *cobra.Command {
	f := statFlags{format: "text"}
	cmd := &cobra.Command{
		Use:   "stat",
		Short: "Count what is in the log: when, where, by whom, and how far others are with it",
		Long: "Read the log once, or what the flags select of it (as those of replay do), and count: events by type, day (UTC), room,\n" +
			"direct conversation and sender, and the sizes of contents; tell how large the log is, how far the persister is with\n" +
			"it, which it is asked over NATS, and what the newest signed checkpoint covers.\n\n" +
			"The memory that it takes grows with the number of rooms, direct conversations, users and days, some 200 bytes each, and\n" +
			"not with the number of events.\n\n" +
			"Exit codes: 0 done, 1 there are damaged events or holes, 2 not done.",
		Example: "  auditor stat\n" +
			"  auditor stat --since 7d --top 20\n" +
			"  auditor stat --room general --format json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	f.selection.AddFlags(flags)
	flags.Var(&oneOf{value: &f.format, allowed: []string{"text", "json"}}, "format", "text or json")
	flags.UintVar(&f.top, "top", 10, "`number` of rooms, direct conversations and senders to list; 0 for all")
	flags.BoolVar(&f.quiet, "quiet", false, "no progress on standard error")
	return cmd
}

func (f *statFlags) run(cmd *cobra.Command) error {
	l, err := open(cmd)
	if err != nil {
		return err
	}
	defer l.close()
	report, err := f.count(cmd.Context(), l, cmd.ErrOrStderr())
	if err != nil {
		return could(err)
	}
	if err := f.write(cmd.OutOrStdout(), report); err != nil {
		return could(err)
	}
	if report.Damaged+report.Missing > 0 {
		return &command.Exit{Code: foundSomething, Err: errors.New("the log is not whole")}
	}
	return nil
}

func (f *statFlags) count(ctx context.Context, l *link, stderr io.Writer) (*stat.Report, error) {
	after, through, err := f.selection.Span(ctx, l.js, l.state)
	if err != nil {
		return nil, err
	}
	match, err := f.selection.Matcher(ctx, l.js)
	if err != nil {
		return nil, err
	}
	var bar *progress.Bar
	if !f.quiet {
		bar = progress.Start(stderr, "stat", through-after)
	}
	counts, err := stat.Read(ctx, l.js, &f.selection, match, after, through, func(offset uint64) { bar.Set(offset - after) })
	bar.Stop()
	if err != nil {
		return nil, err
	}
	report := counts.Report(l.state, int(f.top))
	report.ReadModel = stat.Persister(ctx, l.nc, l.state)
	report.Signed = stat.Notary(ctx, l.js, l.state)
	return &report, nil
}

func (f *statFlags) write(w io.Writer, report *stat.Report) error {
	if f.format == "text" {
		return report.WriteText(w)
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(report); err != nil {
		return err
	}
	text := out.Bytes()
	if onTerminal(w) {
		text = render.GuardJSON(text)
	}
	_, err := w.Write(text)
	return err
}
