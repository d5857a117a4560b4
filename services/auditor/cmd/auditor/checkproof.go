package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"github.com/tidemark-chat/tidemark/services/auditor/proof"
	"github.com/tidemark-chat/tidemark/services/auditor/transcript"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

// checkProofFlags are the flags of check-proof.
type checkProofFlags struct{ key, format string }

func checkProofCommand() *cobra.Command {
	f := checkProofFlags{format: "text"}
	cmd := &cobra.Command{
		Use:   "check-proof FILE --key KEY",
		Short: "Check a proof or a transcript by the notary's public key alone",
		Long: `Check a file that "auditor prove", "auditor consistency" or "auditor transcript" has made, and say
what it proves. It needs the notary's public key and nothing else: no log, no network, no
settings. FILE - is standard input. Get the key from the notary's owner, not from whoever gave you
the file.

A file of which any byte was altered is refused. A page (HTML) is checked as a whole: it must show
what its lines say, and nothing else.

Exit codes: 0 proved, 1 refused, or not everything in a transcript is proved, 2 the file or the
key could not be read.`,
		Example: `  auditor check-proof 4711.proof --key tidemark+1b2c3d4e+AaBb...
  auditor check-proof transcript.html --key notary.pub
  auditor check-proof - --key notary.pub --format json < extends.proof`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	cmd.Flags().StringVar(&f.key, "key", "", "the notary's public `key`, as text or a file")
	cmd.Flags().Var(&oneOf{value: &f.format, allowed: []string{"text", "json"}}, "format", "text or json")
	_ = cmd.MarkFlagRequired("key") // it is defined above
	return cmd
}

func (f *checkProofFlags) run(cmd *cobra.Command, path string) error {
	key, err := notary.ReadVerifier(f.key)
	if err != nil {
		return could(err)
	}
	file, done, err := openProof(path, cmd.InOrStdin())
	if err != nil {
		return could(err)
	}
	defer done()
	found, err := checkFile(file, key)
	if err != nil && !errors.Is(err, proof.ErrRefused) {
		return could(err)
	}
	if err == nil && found.Unproved > 0 {
		err = fmt.Errorf("%d of the %d events in it are not proved", found.Unproved, found.Transcript.Events)
	}
	found.Key, found.Proved = keyName(key), err == nil
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
func checkFile(file *os.File, key note.Verifier) (*found, error) {
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
		result, err := transcript.CheckPage(file, info.Size(), key)
		return foundTranscript(result, err)
	}
	line, err := in.ReadSlice('\n')
	if err != nil && err != io.EOF && !errors.Is(err, bufio.ErrBufferFull) {
		return &found{}, err
	}
	kind := proof.Kind(line)
	if kind == transcript.Kind {
		result, err := transcript.Check(whole(), key)
		return foundTranscript(result, err)
	}
	if info.Size() > proof.MaxBytes {
		return &found{}, fmt.Errorf("%w: it is longer than any proof is", proof.ErrRefused)
	}
	content, err := io.ReadAll(whole())
	if err != nil {
		return &found{}, err
	}
	return checkSmall(kind, content, key)
}

func checkSmall(kind string, content []byte, key note.Verifier) (*found, error) {
	switch kind {
	case proof.KindInclusion:
		p, err := proof.ReadInclusion(content)
		if err != nil {
			return &found{Kind: kind}, err
		}
		c, err := p.Check(key)
		return foundInclusion(p, c, err)
	case proof.KindConsistency:
		p, err := proof.ReadConsistency(content)
		if err != nil {
			return &found{Kind: kind}, err
		}
		older, newer, err := p.Check(key)
		return foundConsistency(older, newer, err)
	}
	return &found{}, fmt.Errorf("%w: it is neither a proof nor a transcript that this auditor knows", proof.ErrRefused)
}
