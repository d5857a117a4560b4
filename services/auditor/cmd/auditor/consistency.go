package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/services/auditor/proof"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

// consistencyFlags are the flags of consistency.
type consistencyFlags struct {
	keys []string
	out  string
}

func consistencyCommand() *cobra.Command {
	var f consistencyFlags
	cmd := &cobra.Command{
		Use:   "consistency A B",
		Short: "Prove that one checkpoint extends the other",
		Long: `Prove that the log of the newer of two checkpoints begins with all of the log of the older one:
nothing that the older one covers was altered, put in or taken out since. A and B, in any order,
are files with a signed checkpoint (of several the last whole one is taken) or numbers: the
checkpoint in stream AUDIT of so many offsets ("auditor checkpoint --list" has them all). A
checkpoint that was kept outside of the reach of whoever runs the log is worth most.

Where the notary's key was changed between the two, give both keys.

Exit codes: 0 it extends, 1 it does not, 2 it could not be found out.`,
		Example: `  auditor consistency /mnt/elsewhere/2026-11-21.checkpoint 1000000
  auditor consistency old.checkpoint new.checkpoint --key old.pub --key notary.pub
  auditor consistency 1000 2000 --out extends.proof
  auditor check-proof extends.proof --key notary.pub`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0], args[1]) },
	}
	cmd.Flags().StringVar(&f.out, "out", "", "`file` to write the proof to, for check-proof")
	addKeyFlag(cmd.Flags(), &f.keys)
	return cmd
}

func (f *consistencyFlags) run(cmd *cobra.Command, a, b string) error {
	e, err := openEvidence(cmd, f.keys)
	if err != nil {
		return err
	}
	defer e.close()
	older, err := e.named(cmd.Context(), a)
	if err != nil {
		return err
	}
	newer, err := e.named(cmd.Context(), b)
	if err != nil {
		return err
	}
	if before(newer.Checkpoint, older.Checkpoint) {
		older, newer = newer, older
	}
	p, err := e.extend(cmd.Context(), older, newer)
	if err != nil {
		return verdict(err)
	}
	e.remarkKey(cmd.ErrOrStderr(), older, newer)
	if err := f.write(cmd, p); err != nil {
		return err
	}
	return could(printExtends(cmd.OutOrStdout(), older.Checkpoint, newer.Checkpoint))
}

func before(a, b notary.Checkpoint) bool {
	return a.Size < b.Size || a.Size == b.Size && a.Time.Before(b.Time)
}

func (f *consistencyFlags) write(cmd *cobra.Command, p *proof.Consistency) error {
	if f.out == "" {
		return nil
	}
	file, err := proof.Encode(p)
	if err != nil {
		return could(err)
	}
	return output(cmd, f.out, file)
}

func printExtends(w io.Writer, older, newer notary.Checkpoint) error {
	_, err := fmt.Fprintf(w, "the log of %d offsets, signed %s, begins with the log of %d offsets, signed %s\n",
		newer.Size, newer.Time.Format(time.RFC3339), older.Size, older.Time.Format(time.RFC3339))
	return err
}

// extend proves that newer extends older, by the tree that the stream has of their log.
func (e *evidence) extend(ctx context.Context, older, newer proof.Signed) (*proof.Consistency, error) {
	last, err := e.treeOf(ctx, newer.Checkpoint.Epoch)
	if err != nil {
		return nil, err
	}
	if last.Size < newer.Checkpoint.Size {
		return nil, fmt.Errorf("%w: a checkpoint of %d offsets was signed %s, and stream %s has only %d: checkpoints were lost, or it is an older copy",
			proof.ErrRefused, newer.Checkpoint.Size, newer.Checkpoint.Time.Format(time.RFC3339), notary.StreamName, last.Size)
	}
	return proof.Extend(older, newer, e.audit.Hashes(ctx, last))
}

// treeOf is the newest entry of the newest tree of an epoch.
func (e *evidence) treeOf(ctx context.Context, epoch string) (notary.Entry, error) {
	last, err := e.audit.Last(ctx)
	if err != nil {
		return last, err
	}
	if c, err := last.Checkpoint(); err == nil && c.Epoch == epoch {
		return last, nil
	}
	found := notary.Entry{}
	for entry, err := range e.audit.Entries(ctx) {
		if err != nil && !fault.Is(err, fault.Corrupt) {
			return found, err
		}
		if c, unreadable := entry.Checkpoint(); err == nil && unreadable == nil && c.Epoch == epoch {
			found = entry
		}
	}
	if found.Sequence == 0 {
		return found, fmt.Errorf("%w: stream %s has no checkpoint of this log (epoch %q)", proof.ErrRefused, notary.StreamName, epoch)
	}
	return found, nil
}
