package notary

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/streams/fault"
)

// Checkpoint says that a log of an epoch has so many offsets, and what the root of their tree is. As text, which is what is
// signed, it is five lines:
//
//	tidemark                                       Origin, which is the key's name
//	4711                                           Size
//	CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=   Root, base64
//	epoch gLtWxE0zDJXN                             Epoch
//	time 2026-11-21T17:31:05Z                      Time
type Checkpoint struct {
	Origin string
	Size   uint64
	Root   tlog.Hash
	Epoch  string    // eventlog.State.Epoch
	Time   time.Time // when it was signed, by the notary's clock, in whole seconds
}

func (c Checkpoint) text() string {
	return fmt.Sprintf("%s\n%d\n%s\nepoch %s\ntime %s\n", c.Origin, c.Size, c.Root, c.Epoch, c.Time.UTC().Format(time.RFC3339))
}

// Sign makes a signed note of a checkpoint, whose Origin becomes the signer's name.
func Sign(c Checkpoint, signer note.Signer) ([]byte, error) {
	c.Origin = signer.Name()
	return note.Sign(&note.Note{Text: c.text()}, signer)
}

// ErrSignature says that a signed note is not signed by the key that was asked for.
var ErrSignature = errors.New("not signed by this key")

// Verify reads a signed note whose only signature is the verifier's. Its error is ErrSignature if it is another's or forged,
// and Corrupt if it is none of a checkpoint.
func Verify(signed []byte, verifier note.Verifier) (Checkpoint, error) {
	const op = "verify a checkpoint"
	n, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return Checkpoint{}, fault.Errorf(op, fault.Corrupt, "%w %s: %w", ErrSignature, verifier.Name(), err)
	}
	if len(n.UnverifiedSigs) > 0 || len(n.Sigs) != 1 {
		return Checkpoint{}, fault.Errorf(op, fault.Corrupt, "%w alone", ErrSignature)
	}
	c, err := parse(n.Text)
	if err == nil && c.Origin != verifier.Name() {
		err = fmt.Errorf("its origin is %q, the key's name %q", c.Origin, verifier.Name())
	}
	return c, fault.New(op, fault.Corrupt, err)
}

// Read reads a signed note without looking at who signed it.
func Read(signed []byte) (Checkpoint, error) {
	text, _, found := strings.Cut(string(signed), "\n\n")
	if !found {
		return Checkpoint{}, fault.Errorf("read a checkpoint", fault.Corrupt, "it is no signed note")
	}
	c, err := parse(text + "\n")
	return c, fault.New("read a checkpoint", fault.Corrupt, err)
}

// parse reads what text writes, and nothing else.
func parse(text string) (c Checkpoint, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 6 {
		return c, fmt.Errorf("%d lines are not those of a checkpoint", len(lines)-1)
	}
	c.Origin = lines[0]
	if c.Size, err = strconv.ParseUint(lines[1], 10, 63); err != nil {
		return c, fmt.Errorf("size: %w", err)
	}
	if c.Root, err = tlog.ParseHash(lines[2]); err != nil {
		return c, fmt.Errorf("root: %w", err)
	}
	c.Epoch = strings.TrimPrefix(lines[3], "epoch ")
	if c.Time, err = time.Parse(time.RFC3339, strings.TrimPrefix(lines[4], "time ")); err != nil {
		return c, fmt.Errorf("time: %w", err)
	}
	if c.text() != text {
		return c, errors.New("it is not written as a checkpoint is")
	}
	return c, nil
}
