package proof

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/tidemark-chat/tidemark/streams/notary"
)

// Verify is [notary.Verify] of a checkpoint that something can be proved by, signed by any of the keys: a notary may have had
// several, one after the other. Its error is ErrRefused, and names the key that signed.
func Verify(signed string, keys ...note.Verifier) (notary.Checkpoint, error) {
	signers := Signers(signed)
	for _, key := range keys {
		c, err := notary.Verify([]byte(signed), key)
		switch {
		case err == nil && c.Size == 0:
			return notary.Checkpoint{}, refused("the checkpoint is of an empty log")
		case err == nil:
			return c, nil
		case slices.Contains(signers, KeyName(key)): // the signature does not hold, or is not the only one
			return notary.Checkpoint{}, fmt.Errorf("%w: %w", ErrRefused, err)
		}
	}
	if _, err := notary.Read([]byte(signed)); err != nil {
		return notary.Checkpoint{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return notary.Checkpoint{}, foreign(signers, keys)
}

// foreign says that the keys are not those of the signers.
func foreign(signers []string, keys []note.Verifier) error {
	given := make([]string, len(keys))
	for i, key := range keys {
		given[i] = KeyName(key)
	}
	by := "nobody"
	if len(signers) > 0 {
		by = fmt.Sprintf("%.120q", strings.Join(signers, " and ")) // no key of a notary, perhaps, and anything
	}
	return refused("the checkpoint is signed by %s, and not by %s: if the notary's key was changed, the older one can be given too, with another --key",
		by, strings.Join(given, " or "))
}

// KeyName is a key's name and hash, by which people can tell keys apart.
func KeyName(key note.Verifier) string { return keyName(key.Name(), key.KeyHash()) }

func keyName(name string, hash uint32) string { return fmt.Sprintf("%s+%08x", name, hash) }

// Signers are the keys, as KeyName names them, whose signatures a note claims to have. Only behind Verify is that so.
func Signers(signed string) (names []string) {
	_, err := note.Open([]byte(signed), note.VerifierList())
	unverified := (*note.UnverifiedNoteError)(nil)
	if errors.As(err, &unverified) {
		for _, s := range unverified.Note.UnverifiedSigs {
			names = append(names, keyName(s.Name, s.Hash))
		}
	}
	return names
}
