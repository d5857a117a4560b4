package notes

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"

	"golang.org/x/mod/sumdb/note"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

// Read reads a note of a file as notary.Read does, which does not say who signed it. It also refuses, Corrupt, one that was cut
// off within a signature.
func Read(signed []byte) (notary.Checkpoint, error) {
	c, err := notary.Read(signed)
	if err == nil && !whole(signed) {
		return notary.Checkpoint{}, fault.Errorf("read a checkpoint", fault.Corrupt, "its signature is cut off, or is none")
	}
	return c, err
}

// whole reports whether the signatures of a note are as long as a notary's.
func whole(signed []byte) bool {
	const length = 4 + ed25519.SignatureSize // the key's hash comes first
	_, err := note.Open(signed, note.VerifierList())
	unverified := (*note.UnverifiedNoteError)(nil)
	if !errors.As(err, &unverified) {
		return false
	}
	for _, signature := range unverified.Note.UnverifiedSigs {
		if raw, err := base64.StdEncoding.DecodeString(signature.Base64); err != nil || len(raw) < length {
			return false
		}
	}
	return true
}
