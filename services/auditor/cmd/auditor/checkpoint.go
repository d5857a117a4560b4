package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/services/auditor/proof"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

// checkpointFlags are the flags of checkpoint.
type checkpointFlags struct {
	size        uint64
	keys        []string
	out, format string
	list        bool
}

func checkpointCommand() *cobra.Command {
	f := checkpointFlags{format: "note"}
	cmd := &cobra.Command{
		Use:   "checkpoint",
		Short: "Print the newest signed checkpoint",
		Long: `Print the newest signed checkpoint, exactly as the notary signed it: how many offsets the log has,
the root of their tree, the log's epoch and the time. Keep one where nobody who runs the log can
reach it: only that binds them, because "auditor consistency" then shows whether the log still
begins with what it was.

Exit codes: 0 printed, 1 the signature is not that of a key that was given, or what is in the stream is no
checkpoint, 2 there is none or it could not be read.`,
		Example: `  auditor checkpoint
  auditor checkpoint --out /mnt/elsewhere/2026-11-21.checkpoint
  auditor checkpoint --size 100000 --key tidemark+1b2c3d4e+AaBb...
  auditor checkpoint --list --format json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.list && f.size > 0 {
				return errors.New("--list lists all: it cannot be given with --size")
			}
			if f.list && f.out != "" {
				return errors.New("--list writes to standard output: it cannot be given with --out")
			}
			return cobra.NoArgs(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := openEvidence(cmd, f.keys)
			if err != nil {
				return err
			}
			defer e.close()
			if f.list {
				return f.printAll(cmd, e)
			}
			return f.printOne(cmd, e)
		},
	}
	flags := cmd.Flags()
	flags.Uint64Var(&f.size, "size", 0, "the newest checkpoint of so many `offsets` or fewer")
	flags.BoolVar(&f.list, "list", false, "list all checkpoints, the oldest first: sequence in stream AUDIT, offsets, time, epoch")
	flags.StringVar(&f.out, "out", "", "`file` to write to (default standard output)")
	flags.Var(&oneOf{value: &f.format, allowed: []string{"note", "json"}}, "format", "note (as it was signed) or json")
	addKeyFlag(flags, &f.keys)
	return cmd
}

// listed is a checkpoint as JSON.
type listed struct {
	Sequence uint64    `json:"sequence"` // in stream AUDIT
	Size     uint64    `json:"size"`
	Root     string    `json:"root"`
	Epoch    string    `json:"epoch"`
	Time     time.Time `json:"time"`
	Origin   string    `json:"origin"`
	Verified string    `json:"verified"` // the key whose signature it is; empty: nobody has looked
	Note     string    `json:"checkpoint"`
}

func (e *evidence) listed(sequence uint64, s proof.Signed) listed {
	verified := ""
	if len(e.keys) > 0 {
		verified = strings.Join(proof.Signers(s.Note), "") // it is one
	}
	return list(s.Checkpoint, s.Note, sequence, verified)
}

func list(c notary.Checkpoint, signed string, sequence uint64, verified string) listed {
	return listed{Sequence: sequence, Size: c.Size, Root: c.Root.String(), Epoch: c.Epoch, Time: c.Time, Origin: c.Origin, Verified: verified, Note: signed}
}

func (f *checkpointFlags) printOne(cmd *cobra.Command, e *evidence) error {
	entry, signed, err := e.entry(cmd.Context(), f.size)
	if err != nil {
		return err
	}
	content := []byte(signed.Note)
	if f.format == "json" {
		if content, err = proof.Encode(e.listed(entry.Sequence, signed)); err != nil {
			return could(err)
		}
	}
	e.remarkKey(cmd.ErrOrStderr(), signed)
	return output(cmd, f.out, content)
}

// printAll prints one line for each entry. It goes on behind what is no checkpoint, and then fails at the end.
func (f *checkpointFlags) printAll(cmd *cobra.Command, e *evidence) error {
	wrong, all := 0, 0
	for entry, err := range e.audit.Entries(cmd.Context()) {
		var signed proof.Signed
		if err == nil {
			signed, err = e.signed(entry.Signed)
		}
		if err != nil && !fault.Is(err, fault.Corrupt) && !errors.Is(err, proof.ErrRefused) {
			return could(err)
		}
		all++
		if err != nil {
			wrong++
			fmt.Fprintf(cmd.ErrOrStderr(), "%d: %v\n", entry.Sequence, err)
			continue
		}
		if err := f.printLine(cmd, e.listed(entry.Sequence, signed)); err != nil {
			return could(err)
		}
	}
	if all == 0 {
		return could(notary.ErrNone)
	}
	if wrong > 0 {
		return finding("%d of %d messages in stream %s are no checkpoints, or not signed by the key", wrong, all, notary.StreamName)
	}
	return nil
}

func (f *checkpointFlags) printLine(cmd *cobra.Command, l listed) error {
	if f.format == "json" {
		line, err := proof.Encode(l)
		if err != nil {
			return err
		}
		_, err = cmd.OutOrStdout().Write(line)
		return err
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "%d\t%d\t%s\t%s\n", l.Sequence, l.Size, l.Time.Format(time.RFC3339), l.Epoch)
	return err
}
