package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"github.com/tidemark-chat/tidemark/services/auditor/proof"
	"github.com/tidemark-chat/tidemark/services/auditor/transcript"
)

// checkProofFlags are the flags of check-proof.
type checkProofFlags struct {
	keys   []string
	format string
}

func checkProofCommand() *cobra.Command {
	f := checkProofFlags{format: "text"}
	cmd := &cobra.Command{
		Use:   "check-proof FILE --key KEY",
		Short: "Check a proof, a transcript or signed checkpoints by the notary's public key alone",
		Long: `Check a file that "auditor prove", "auditor consistency" or "auditor transcript" has made, and say
what it proves; or the signatures of one or several checkpoints ("auditor checkpoint", setting
notary.export). It needs the notary's public key and nothing else: no log, no network, no
settings. FILE - is standard input. Get the key from the notary's owner, not from whoever gave you
the file; if it was changed, give the older one too.

A file of which any byte was altered is refused. A page (HTML) is checked as a whole: it must show
what its lines say, and nothing else.

Exit codes: 0 proved, 1 refused, or not everything in a transcript, or not every checkpoint, is
proved, 2 the file or the key could not be read.`,
		Example: `  auditor check-proof 4711.proof --key tidemark+1b2c3d4e+AaBb...
  auditor check-proof transcript.html --key notary.pub
  auditor check-proof checkpoints.txt --key notary.pub --key older.pub
  auditor check-proof - --key notary.pub --format json < extends.proof`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	cmd.Flags().StringArrayVar(&f.keys, "key", nil, "the notary's public `key`, as text or a file; again for an older one")
	cmd.Flags().Var(&oneOf{value: &f.format, allowed: []string{"text", "json"}}, "format", "text or json")
	_ = cmd.MarkFlagRequired("key") // it is defined above
	return cmd
}

// run checks a file, and says what was found also where that is not everything.
func (f *checkProofFlags) run(cmd *cobra.Command, path string) error {
	keys, err := readVerifiers(f.keys)
	if err != nil {
		return could(err)
	}
	file, done, err := openProof(path, cmd.InOrStdin())
	if err != nil {
		return could(err)
	}
	defer done()
	found, err := checkFile(file, keys)
	if err != nil && !errors.Is(err, proof.ErrRefused) {
		return could(err)
	}
	if err == nil && found.Unproved > 0 {
		err = fmt.Errorf("%d of the %d events in it are not proved", found.Unproved, found.Transcript.Events)
	}
	found.Proved = err == nil
	for _, key := range keys {
		found.Keys = append(found.Keys, proof.KeyName(key))
	}
	if err != nil {
		found.Reason = err.Error()
	}
	if err := found.print(cmd.OutOrStdout(), f.format); err != nil {
		return could(err)
	}
	if err != nil && !errors.Is(err, proof.ErrRefused) {
		err = fmt.Errorf("%w: %w", proof.ErrRefused, err)
	}
	return verdict(err)
}

// openProof opens a file. What cannot be read twice, as standard input, is put into a file first, which goes with done.
func openProof(path string, stdin io.Reader) (file *os.File, done func(), err error) {
	if path != "-" {
		if file, err = os.Open(path); err != nil {
			return nil, nil, err
		}
		if info, err := file.Stat(); err == nil && (info.Mode().IsRegular() || info.IsDir()) {
			return file, func() { _ = file.Close() }, nil // it was only read
		}
		defer file.Close()
		stdin = file
	}
	spool, err := os.CreateTemp("", "auditor-*")
	if err != nil {
		return nil, nil, err
	}
	done = func() { _ = errors.Join(spool.Close(), os.Remove(spool.Name())) }
	if _, err := io.Copy(spool, stdin); err != nil {
		done()
		return nil, nil, err
	}
	return spool, done, nil
}

// checkFile checks a file of any of the kinds. What it found comes also with an error that is proof.ErrRefused.
func checkFile(file *os.File, keys []note.Verifier) (*found, error) {
	info, err := file.Stat()
	if err != nil {
		return &found{}, err
	}
	if info.IsDir() {
		return &found{}, fmt.Errorf("%s is a directory", file.Name())
	}
	whole := func() *io.SectionReader { return io.NewSectionReader(file, 0, info.Size()) }
	in := bufio.NewReaderSize(whole(), proof.MaxBytes)
	begin, err := in.Peek(64)
	if err != nil && err != io.EOF {
		return &found{}, err
	}
	if transcript.IsPage(begin) {
		result, err := transcript.CheckPage(file, info.Size(), keys...)
		return foundTranscript(result, err)
	}
	line, err := in.ReadSlice('\n')
	if err != nil && err != io.EOF && !errors.Is(err, bufio.ErrBufferFull) {
		return &found{}, err
	}
	kind := proof.Kind(line)
	if kind == transcript.Kind {
		result, err := transcript.Check(whole(), keys...)
		return foundTranscript(result, err)
	}
	if kind == "" {
		if bytes.HasPrefix(begin, []byte("{")) {
			if err := checkListed(whole()); err != nil {
				return &found{}, err
			}
		}
		return checkNotes(whole(), keys)
	}
	if info.Size() > proof.MaxBytes {
		return &found{}, fmt.Errorf("%w: it is longer than any proof is", proof.ErrRefused)
	}
	content, err := io.ReadAll(whole())
	if err != nil {
		return &found{}, err
	}
	return checkSmall(kind, content, keys)
}

func checkSmall(kind string, content []byte, keys []note.Verifier) (*found, error) {
	switch kind {
	case proof.KindInclusion:
		p, err := proof.ReadInclusion(content)
		if err != nil {
			return &found{Kind: kind}, err
		}
		c, err := p.Check(keys...)
		return foundInclusion(p, c, err)
	case proof.KindConsistency:
		p, err := proof.ReadConsistency(content)
		if err != nil {
			return &found{Kind: kind}, err
		}
		older, newer, err := p.Check(keys...)
		return foundConsistency(p, older, newer, err)
	}
	return &found{}, fmt.Errorf("%w: this auditor knows no files of the kind %q", proof.ErrRefused, kind)
}
