package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/services/auditor/proof"
	"github.com/tidemark-chat/tidemark/services/auditor/record"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

// proveFlags are the flags of prove.
type proveFlags struct {
	offset, size uint64
	keys         []string
	out          string
}

func proveCommand() *cobra.Command {
	var f proveFlags
	cmd := &cobra.Command{
		Use:   "prove --offset N",
		Short: "Prove that an event is in the log, as a file",
		Long: `Write a proof that the event at an offset is in the log of which the notary signed a checkpoint:
the event, the checkpoint and the hashes between them. Whoever has the file and the notary's
public key can check it without the log ("auditor check-proof"). The proof is checked before it is
written. It holds the event's content.

Exit codes: 0 written, 1 the event is not there, not intact, or not the one of which the
checkpoint was signed, 2 it could not be done.`,
		Example: `  auditor prove --offset 4711 --out 4711.proof
  auditor check-proof 4711.proof --key notary.pub`,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.offset == 0 && cmd.Flags().Changed("offset") {
				return errors.New("--offset 0: offsets begin with 1")
			}
			return cobra.NoArgs(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	flags := cmd.Flags()
	flags.Uint64Var(&f.offset, "offset", 0, "`offset` of the event")
	flags.Uint64Var(&f.size, "size", 0, "by the newest checkpoint of so many `offsets` or fewer (default the newest)")
	flags.StringVar(&f.out, "out", "", "`file` to write to (default standard output)")
	addKeyFlag(flags, &f.keys)
	_ = cmd.MarkFlagRequired("offset") // it is defined above
	return cmd
}

func (f *proveFlags) run(cmd *cobra.Command) error {
	e, err := openEvidence(cmd, f.keys)
	if err != nil {
		return err
	}
	defer e.close()
	entry, signed, err := e.entry(cmd.Context(), f.size)
	if err != nil {
		return err
	}
	if err := f.reach(e, signed.Checkpoint); err != nil {
		return could(err)
	}
	event, err := e.event(cmd.Context(), f.offset)
	if err != nil {
		return err
	}
	p, err := proof.Include(event, signed.Note, signed.Checkpoint, e.audit.Hashes(cmd.Context(), entry))
	if err != nil {
		return verdict(err)
	}
	file, err := proof.Encode(p)
	if err != nil {
		return could(err)
	}
	e.remarkKey(cmd.ErrOrStderr(), signed)
	return output(cmd, f.out, file)
}

// reach checks that a checkpoint covers the offset.
func (f *proveFlags) reach(e *evidence, c notary.Checkpoint) error {
	switch {
	case f.offset > e.state.Last:
		return fmt.Errorf("there is no offset %d: the log ends with %d", f.offset, e.state.Last)
	case f.offset > c.Size && f.size > 0:
		return fmt.Errorf("offset %d is not in this checkpoint, which covers the offsets from 1 to %d", f.offset, c.Size)
	case f.offset > c.Size:
		return fmt.Errorf("offset %d is not signed yet: the newest checkpoint covers the offsets from 1 to %d; the notary signs %s", f.offset, c.Size, often(e.config))
	}
	return e.sameLog(c)
}

// event reads the event at an offset that the log should have.
func (e *evidence) event(ctx context.Context, offset uint64) (record.Record, error) {
	ev, err := eventlog.Open(e.js).Get(ctx, offset)
	switch {
	case errors.Is(err, eventlog.ErrNotFound):
		return record.Record{}, finding("the log holds nothing at offset %d: see auditor verify", offset)
	case fault.Is(err, fault.Corrupt):
		// The cause quotes the event, which may hold anything.
		return record.Record{}, finding("the event at offset %d is damaged, so nothing can be proved of it: see auditor verify --from %d --to %d", offset, offset, offset)
	case err != nil:
		return record.Record{}, could(err)
	}
	return record.Of(&ev), nil
}
