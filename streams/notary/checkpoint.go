package notary

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
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

// What names a notary, and what an epoch is made of: they are printed by whoever reads a checkpoint of unknown source.
var (
	validName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$`)
	validEpoch = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
)

// Sign makes a signed note of a checkpoint, whose Origin becomes the signer's name. It signs nothing that Verify would refuse.
func Sign(c Checkpoint, signer note.Signer) ([]byte, error) {
	c.Origin = signer.Name()
	text := c.text()
	if _, err := parse(text); err != nil {
		return nil, fmt.Errorf("sign a checkpoint: %w", err)
	}
	return note.Sign(&note.Note{Text: text}, signer)
}

// ErrSignature says that a signed note is not signed by the key that was asked for.
var ErrSignature = errors.New("not signed by this key")

// Verify reads a signed note whose only signature is the verifier's, and which is written as Sign writes it, to the byte. Its
// errors are Corrupt, and ErrSignature if it is signed by another key, by more than one, or altered.
func Verify(signed []byte, verifier note.Verifier) (Checkpoint, error) {
	const op = "verify a checkpoint"
	n, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return Checkpoint{}, fault.Errorf(op, fault.Corrupt, "%w %s: %w", ErrSignature, verifier.Name(), err)
	}
	if !signedOnce(signed, n) {
		return Checkpoint{}, fault.Errorf(op, fault.Corrupt, "%w %s alone, or altered", ErrSignature, verifier.Name())
	}
	c, err := parse(n.Text)
	if err == nil && c.Origin != verifier.Name() {
		err = fmt.Errorf("its origin is %q, the key's name %q", c.Origin, verifier.Name())
	}
	if err != nil {
		return Checkpoint{}, fault.New(op, fault.Corrupt, err)
	}
	return c, nil
}

// signedOnce reports whether a note's bytes are its text and its one signature, and nothing else: Open leaves out signatures
// that are repeated, and base64 can be written in several ways.
func signedOnce(signed []byte, n *note.Note) bool {
	if len(n.Sigs) != 1 || len(n.UnverifiedSigs) > 0 {
		return false
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(n.Sigs[0].Base64)
	return err == nil &&
		string(signed) == n.Text+"\n— "+n.Sigs[0].Name+" "+base64.StdEncoding.EncodeToString(raw)+"\n"
}

// Read reads a signed note without looking at who signed it: what it says proves nothing.
func Read(signed []byte) (Checkpoint, error) {
	const op = "read a checkpoint"
	text, signatures, found := strings.Cut(string(signed), "\n\n")
	if !found || !strings.HasPrefix(signatures, "— ") {
		return Checkpoint{}, fault.Errorf(op, fault.Corrupt, "it is no signed note")
	}
	c, err := parse(text + "\n")
	if err != nil {
		return Checkpoint{}, fault.New(op, fault.Corrupt, err)
	}
	return c, nil
}

// parse reads what text writes, and nothing else.
func parse(text string) (c Checkpoint, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 6 {
		return c, fmt.Errorf("%d lines are not those of a checkpoint", len(lines)-1)
	}
	if c.Origin = lines[0]; !validName.MatchString(c.Origin) {
		return c, fmt.Errorf("origin %q is no name of a notary", c.Origin)
	}
	if c.Size, err = strconv.ParseUint(lines[1], 10, 63); err != nil {
		return c, fmt.Errorf("size: %w", err)
	}
	if c.Root, err = tlog.ParseHash(lines[2]); err != nil {
		return c, fmt.Errorf("root: %w", err)
	}
	if c.Epoch = strings.TrimPrefix(lines[3], "epoch "); !validEpoch.MatchString(c.Epoch) {
		return c, fmt.Errorf("%q is no epoch", c.Epoch)
	}
	if c.Time, err = time.Parse(time.RFC3339, strings.TrimPrefix(lines[4], "time ")); err != nil {
		return c, fmt.Errorf("time: %w", err)
	}
	if c.text() != text {
		return c, errors.New("it is not written as a checkpoint is")
	}
	return c, nil
}
