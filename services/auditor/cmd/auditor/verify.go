package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/mod/sumdb/note"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/config/command"
	"github.com/tidemark-chat/tidemark/services/auditor/progress"
	"github.com/tidemark-chat/tidemark/services/auditor/verify"
	"github.com/tidemark-chat/tidemark/streams/notary"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

// verifying is what the flags of verify say.
type verifying struct {
	from, to          uint64
	only, keys, files []string
	format            string
	quiet             bool
}

func verifyCommand() *cobra.Command {
	v := &verifying{format: "text"}
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check the log, the read model and the signed checkpoints",
		Long: `Verify reads the log once and checks, beside it:

  log          that it holds an event at each offset, that each is what was sealed and is where
               it may be, that times do not go back, and that one key is one event
  readmodel    that the database holds what the log makes it, row by row
  checkpoints  that the log is still what was signed: every checkpoint of stream AUDIT, and those
               kept elsewhere (--checkpoint), which alone bind whoever has the servers and the key

Each finding is a line that names the offset. The last line is "clean", the number of findings, or
what could not be checked. It changes nothing and may run beside a deployment in use.

Exit codes: 0 clean, 1 findings, 2 something that was asked for could not be checked.`,
		Example: `  auditor verify
  auditor verify --only log --from 1000000
  auditor verify --key tidemark+1b2c3d4e+AaBb... --checkpoint /mnt/elsewhere/checkpoints.txt
  auditor verify --format json --quiet > report.json`,
		Args: func(cmd *cobra.Command, args []string) error {
			return errors.Join(cobra.NoArgs(cmd, args), v.check())
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return v.run(cmd) },
	}
	v.addFlags(cmd.Flags())
	return cmd
}

func (v *verifying) addFlags(flags *pflag.FlagSet) {
	flags.Uint64Var(&v.from, "from", 0, "first `offset` to check (default: the log's first)")
	flags.Uint64Var(&v.to, "to", 0, "last `offset` to check (default: the log's last)")
	flags.StringSliceVar(&v.only, "only", []string{"log", "readmodel", "checkpoints"}, "`parts` to check")
	flags.StringArrayVar(&v.keys, "key", nil, "the notary's public `key`, as text or a file; again for another (default: notary.pub in dataDir)")
	flags.StringArrayVar(&v.files, "checkpoint", nil, "`file` of signed checkpoints that was kept elsewhere; again for another")
	flags.Var(&oneOf{value: &v.format, allowed: []string{"text", "json"}}, "format", "form of the report: text or json")
	flags.BoolVarP(&v.quiet, "quiet", "q", false, "only findings and the outcome, and no progress")
}

// check checks the flags.
func (v *verifying) check() error {
	for _, part := range v.only {
		if !slices.Contains(verify.Parts, verify.Part(part)) {
			return fmt.Errorf("--only %q: there are log, readmodel and checkpoints", part)
		}
	}
	switch {
	case len(v.only) == 0:
		return errors.New("--only: there is nothing to check; give log, readmodel or checkpoints")
	case v.to > 0 && v.from > v.to:
		return fmt.Errorf("--from %d is beyond --to %d", v.from, v.to)
	case len(v.files) > 0 && !v.asked(verify.OfCheckpoints):
		return errors.New("--checkpoint is of no use with --only, unless that has checkpoints")
	}
	return nil
}

func (v *verifying) asked(p verify.Part) bool { return slices.Contains(v.only, string(p)) }

func (v *verifying) run(cmd *cobra.Command) (err error) {
	l, err := open(cmd)
	if err != nil {
		return err
	}
	defer l.close()
	o := verify.Options{JS: l.js, From: v.from, To: v.to}
	for _, part := range v.only {
		o.Parts = append(o.Parts, verify.Part(part))
	}
	if v.asked(verify.OfReadModel) {
		if o.Reader, o.NoReader = openReader(cmd.Context(), l.config); o.NoReader == nil {
			defer func(r readmodel.Reader) { err = errors.Join(err, r.Close()) }(o.Reader)
		}
	}
	if v.asked(verify.OfCheckpoints) {
		closeFiles, err := v.signed(&o, l.config)
		defer closeFiles()
		if err != nil {
			return could(err)
		}
	}
	if !v.quiet {
		o.Progress = func(total uint64) *progress.Bar { return progress.Start(cmd.ErrOrStderr(), "verify", total) }
	}
	return v.report(cmd.Context(), cmd.OutOrStdout(), o)
}

// signed is what is needed to judge checkpoints. The files are to be closed also after an error.
func (v *verifying) signed(o *verify.Options, cfg config.Config) (closeFiles func(), err error) {
	var files []*os.File
	closeFiles = func() {
		for _, f := range files {
			_ = f.Close() // it was only read
		}
	}
	if o.Keys, o.NoKey, err = v.readKeys(cfg); err != nil {
		return closeFiles, err
	}
	for _, name := range v.files {
		f, err := os.Open(name)
		if err != nil {
			return closeFiles, fmt.Errorf("read checkpoints: %w", err)
		}
		files = append(files, f)
		o.Kept = append(o.Kept, verify.Kept{Name: name, Reader: f})
	}
	return closeFiles, nil
}

// readKeys reads the keys that were given, or the one that stands where a standalone puts it. none says why there is none.
func (v *verifying) readKeys(cfg config.Config) (keys []note.Verifier, none, err error) {
	for _, given := range v.keys {
		key, err := notary.ReadVerifier(given)
		if err != nil {
			return nil, nil, fmt.Errorf("--key: %w", err)
		}
		keys = append(keys, key)
	}
	if len(keys) > 0 {
		return keys, nil, nil
	}
	path := filepath.Join(cfg.DataDir, "notary.pub")
	key, err := notary.ReadVerifier(path)
	if err != nil {
		return nil, fmt.Errorf("give the notary's public key with --key: there is none at %s: %w", path, err), nil
	}
	return []note.Verifier{key}, nil, nil
}

// report checks, and writes what was found.
func (v *verifying) report(ctx context.Context, w io.Writer, o verify.Options) error {
	report := verify.Run(ctx, o)
	write := func() error { return report.WriteText(w, v.quiet) }
	if v.format == "json" {
		write = func() error {
			out := json.NewEncoder(w)
			out.SetEscapeHTML(false)
			out.SetIndent("", "  ")
			return out.Encode(report)
		}
	}
	if err := write(); err != nil {
		return could(err)
	}
	switch report.Result {
	case verify.Clean:
		return nil
	case verify.Findings:
		return &command.Exit{Code: foundSomething, Err: errors.New(report.Outcome())}
	}
	return could(errors.New("not everything that was asked for could be checked"))
}
