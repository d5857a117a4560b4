package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/services/auditor/render"
	"github.com/tidemark-chat/tidemark/services/auditor/selection"
)

// replayFlags are the flags of replay.
type replayFlags struct {
	selection selection.Selection
	format    string
	follow    bool
	speed     speed
	maxGap    time.Duration
	quiet     bool
}

func replayCommand() *cobra.Command {
	f := replayFlags{format: "text"}
	cmd := &cobra.Command{
		Use:   "replay",
		Short: "Write the events of the log, in its order",
		Long: "Write the events of the log, in its order: all of them, or those that the flags select. An event is written if it is\n" +
			"within the bounds of offset and time, in one of the conversations (rooms and --between together), by one of the\n" +
			"senders and of one of the types. The log is read once, from the first offset that can matter to the last, and nothing\n" +
			"is kept in memory, however long it is.\n\n" +
			"text is for people: one event a line, times in UTC, everything that could control a terminal made visible, names,\n" +
			"which more than one user may have. json (one object a line) and csv are for programs: all fields, as the log holds\n" +
			"them. A program that shows tables may take content that begins with = for a formula.\n\n" +
			"Damaged events are written whatever the flags select, because what they say of themselves cannot be relied on, and are\n" +
			"marked. Offsets at which the log holds nothing are told on standard error, the first 1000 such holes one by one. Events of a\n" +
			"newer schema than this auditor knows cannot be checked; text says so, and in json and csv their schema does.\n\n" +
			"Exit codes: 0 done, 1 there are damaged events or holes, 2 not done; a replay that was stopped says how to go on.",
		Example: "  auditor replay\n" +
			"  auditor replay --room general --since 2h --follow\n" +
			"  auditor replay --between alice,bob --since 2026-11-01 --until 2026-12-01 --format json > alice-bob.ndjson\n" +
			"  auditor replay --room general --speed 10x --max-gap 3s\n" +
			"  auditor replay --from 4712 --format json >> log.ndjson",
		Args: func(cmd *cobra.Command, args []string) error {
			if f.follow && (f.selection.To > 0 || !f.selection.Until.IsZero()) {
				return errors.New("--follow has no end: it cannot be given with --to or --until")
			}
			return cobra.NoArgs(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return runReplay(cmd, &f) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	f.selection.AddFlags(flags)
	flags.Var(&oneOf{value: &f.format, allowed: render.Formats}, "format", "text, json or csv")
	flags.BoolVar(&f.follow, "follow", false, "go on with what is added to the log, until Ctrl-C")
	flags.Var(&f.speed, "speed", "max, or as it happened (1x), or so many times as fast (10x, 0.5x)")
	flags.Var(&gap{&f.maxGap}, "max-gap", "with --speed, wait no longer than this between two events; 0s for no limit")
	flags.BoolVar(&f.quiet, "quiet", false, "no progress and no summary on standard error")
	return cmd
}
