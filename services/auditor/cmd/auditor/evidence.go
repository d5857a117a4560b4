package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/mod/sumdb/note"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/config/command"
	"github.com/tidemark-chat/tidemark/services/auditor/outfile"
	"github.com/tidemark-chat/tidemark/services/auditor/proof"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

// evidence is where proofs are made from: the log, its checkpoints and, if there are any, the notary's keys.
type evidence struct {
	*link
	audit *notary.Audit
	keys  []note.Verifier // none: signatures cannot be verified here
}

func addKeyFlag(flags *pflag.FlagSet, keys *[]string) {
	flags.StringArrayVar(keys, "key", nil, "the notary's public `key`, as text or a file; again for an older one (default notary.pub in the data directory, if there is one)")
}

// openEvidence is open with what proofs need besides. Close it.
func openEvidence(cmd *cobra.Command, keys []string) (*evidence, error) {
	l, err := open(cmd)
	if err != nil {
		return nil, err
	}
	e := &evidence{link: l, audit: notary.OpenAudit(l.js)}
	if e.keys, err = e.verifiers(keys); err != nil {
		l.close()
		return nil, could(err)
	}
	return e, nil
}

// verifiers reads the keys that were given, or the one where a standalone has it.
func (e *evidence) verifiers(given []string) ([]note.Verifier, error) {
	if len(given) > 0 {
		return readVerifiers(given)
	}
	path := filepath.Join(e.config.DataDir, "notary.pub")
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return readVerifiers([]string{path})
}

func readVerifiers(given []string) (keys []note.Verifier, err error) {
	for _, one := range given {
		key, err := notary.ReadVerifier(one)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// entry is the newest checkpoint of the newest tree, or the newest that covers no more than size offsets (0: any).
func (e *evidence) entry(ctx context.Context, size uint64) (notary.Entry, proof.Signed, error) {
	var entry notary.Entry
	var err error
	if size == 0 {
		entry, err = e.audit.Last(ctx)
	} else {
		entry, err = e.audit.At(ctx, size)
	}
	if errors.Is(err, notary.ErrNone) {
		return entry, proof.Signed{}, could(e.noCheckpoint(size))
	}
	if err != nil {
		return entry, proof.Signed{}, verdict(err)
	}
	signed, err := e.signed(entry.Signed)
	return entry, signed, verdict(err)
}

func (e *evidence) noCheckpoint(size uint64) error {
	if size > 0 {
		return fmt.Errorf("%w of %d offsets or fewer", notary.ErrNone, size)
	}
	return fmt.Errorf("%w yet: the notary, which runs in the persister where it has a key (setting notary.key; a standalone makes one), signs %s",
		notary.ErrNone, often(e.config))
}

// often says how often checkpoints are signed, as far as these settings are the notary's too.
func often(cfg config.Config) string {
	return fmt.Sprintf("every %s or %d events while there are new ones (settings notary.interval and notary.every)", cfg.Notary.Interval, cfg.Notary.Every)
}

// signed reads a signed checkpoint, and verifies it if there are keys.
func (e *evidence) signed(text string) (proof.Signed, error) {
	s := proof.Signed{Note: text}
	var err error
	if len(e.keys) > 0 {
		s.Checkpoint, err = proof.Verify(text, e.keys...)
	} else if s.Checkpoint, err = notary.Read([]byte(text)); err == nil && !printable(text) {
		err = fault.Errorf("read a checkpoint", fault.Corrupt, "it holds characters that no notary writes")
	}
	return s, err
}

// sameLog checks that a checkpoint speaks of the log that is there.
func (e *evidence) sameLog(c notary.Checkpoint) error {
	if c.Epoch != e.state.Epoch {
		return fmt.Errorf("the newest checkpoint is of another log: its epoch is %q, that of this log %q; the notary has not signed this one yet", c.Epoch, e.state.Epoch)
	}
	return nil
}

// remarkKey says whose signatures were verified, or that none was.
func (e *evidence) remarkKey(w io.Writer, verified ...proof.Signed) {
	if len(e.keys) == 0 {
		fmt.Fprintln(w, "the signature was not verified, for there is no key: give the notary's with --key")
		return
	}
	var names []string
	for _, s := range verified {
		names = append(names, proof.Signers(s.Note)...)
	}
	slices.Sort(names)
	if names = slices.Compact(names); len(names) == 1 {
		fmt.Fprintf(w, "the signature is that of %s\n", names[0])
		return
	}
	fmt.Fprintf(w, "the signatures are those of %s\n", strings.Join(names, " and "))
}

// printable reports whether a text can be written to a terminal as it is.
func printable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) })
}

// finding is an error that says that something was found.
func finding(format string, args ...any) error {
	return &command.Exit{Code: foundSomething, Err: fmt.Errorf(format, args...)}
}

// verdict gives an error its exit code: what was refused or damaged is a finding.
func verdict(err error) error {
	if exit := (*command.Exit)(nil); errors.As(err, &exit) {
		return err
	}
	if errors.Is(err, proof.ErrRefused) || fault.Is(err, fault.Corrupt) {
		return &command.Exit{Code: foundSomething, Err: err}
	}
	return could(err)
}

// output writes a file, or, without a path, to standard output.
func output(cmd *cobra.Command, path string, content []byte) error {
	write := func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	}
	if path == "" || path == "-" {
		return could(write(cmd.OutOrStdout()))
	}
	return could(outfile.Write(path, write))
}
