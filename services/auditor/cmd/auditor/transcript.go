package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tidemark-chat/tidemark/services/auditor/selection"
)

// transcriptFlags are the flags of transcript.
type transcriptFlags struct {
	selection selection.Selection
	out       string
	keys      []string
	unproved  bool
	quiet     bool
}

func transcriptCommand() *cobra.Command {
	var f transcriptFlags
	cmd := &cobra.Command{
		Use:   "transcript (--room ROOM | --between A,B) --out DIR",
		Short: "Write down one conversation, with proofs, for handing over",
		Long: `Write one conversation to DIR/transcript.html, a page for people that needs nothing else, and
DIR/transcript.ndjson, the same for programs. Both hold a proof for each message; "auditor check-
proof" checks either by the notary's public key alone, without the log.

What a transcript proves: each message is in the log, at its place, and is what it was when the
notary signed. What it does not prove: that no message of the conversation was left out. Who has
the log finds that out by "auditor verify" and by making the transcript again.

The transcript ends with the newest checkpoint. Messages that are newer are not proved by anything
yet: to ask for them with --to or --until is an error if there are any, and with --unproved they
are written, and marked. So are damaged ones, and those of a newer schema than this auditor knows.

What a checkpoint covers and the log no longer holds at its end is missing, as a hole is. A message
that was stored again, or under the key of another one, is marked; in memory that takes less than
100 bytes for each message.

Exit codes: 0 written, 1 written, but the log holds nothing intact at some offsets, or messages
repeat earlier ones; or a message does not fit what was signed (nothing is written), 2 it could not
be done.`,
		Example: `  auditor transcript --room general --out general
  auditor transcript --between alice,bob --since 2026-11-01 --until 2026-12-01 --out alice-bob
  auditor check-proof general/transcript.html --key notary.pub`,
		Args: func(cmd *cobra.Command, args []string) error { return errors.Join(cobra.NoArgs(cmd, args), f.check()) },
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	flags := cmd.Flags()
	addSpanFlags(flags, &f.selection)
	flags.StringVar(&f.out, "out", "", "`directory` to write to; earlier files of these names are replaced")
	flags.BoolVar(&f.unproved, "unproved", false, "also what cannot be proved: messages newer than the newest checkpoint, and damaged ones")
	flags.BoolVar(&f.quiet, "quiet", false, "no progress and no remarks on standard error, except that no signature was verified")
	addKeyFlag(flags, &f.keys)
	_ = cmd.MarkFlagRequired("out") // it is defined above
	return cmd
}

// addSpanFlags adds those flags of a selection that leave a conversation whole.
func addSpanFlags(flags *pflag.FlagSet, s *selection.Selection) {
	all := pflag.NewFlagSet("", pflag.ContinueOnError)
	s.AddFlags(all)
	for _, name := range []string{"room", "between", "from", "to", "since", "until"} {
		flag := all.Lookup(name)
		if name == "room" {
			flag.Usage = "this room"
		}
		flags.AddFlag(flag)
	}
}

func (f *transcriptFlags) check() error {
	rooms, pair := len(f.selection.Rooms), len(f.selection.Between) > 0
	switch {
	case rooms == 0 && !pair:
		return errors.New("say which conversation: --room ROOM or --between A,B")
	case rooms > 1 || rooms == 1 && pair:
		return errors.New("a transcript is of one conversation: give one --room, or --between")
	}
	return nil
}

// run writes the transcript. What was written and what not is said in the end.
func (f *transcriptFlags) run(cmd *cobra.Command) error {
	e, err := openEvidence(cmd, f.keys)
	if err != nil {
		return err
	}
	defer e.close()
	t, err := f.begin(cmd, e)
	if err != nil {
		return err
	}
	defer func() { _ = t.draft.Close() }() // a file of ours, of no more use
	if err := t.read(cmd); err != nil {
		return err
	}
	if err := t.draft.Finish(); err != nil {
		return verdict(err)
	}
	return f.report(cmd, e, t)
}

func (f *transcriptFlags) report(cmd *cobra.Command, e *evidence, t *transcribing) error {
	for _, name := range []string{pageFile, linesFile} {
		if _, err := fmt.Fprintln(cmd.OutOrStdout(), filepath.Join(f.out, name)); err != nil {
			return could(err)
		}
	}
	if !f.quiet || len(e.keys) == 0 {
		e.remarkKey(cmd.ErrOrStderr(), t.signed)
	}
	if !f.quiet {
		t.remark(cmd.ErrOrStderr())
	}
	if wrong := t.wrong(); wrong != "" {
		return finding("%s; the transcript says so too: see auditor verify", wrong)
	}
	return nil
}
