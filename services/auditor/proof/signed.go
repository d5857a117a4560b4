package proof

import (
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/tidemark-chat/tidemark/streams/notary"
)

// Verify reads a signed checkpoint as [notary.Verify] does, and takes it only in the one form in which it is written: base64 and
// repeated signatures leave room for bytes that nobody has signed.
func Verify(signed string, verifier note.Verifier) (notary.Checkpoint, error) {
	c, err := notary.Verify([]byte(signed), verifier)
	if err != nil {
		return notary.Checkpoint{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if c.Size == 0 {
		return notary.Checkpoint{}, refused("the checkpoint is of an empty log")
	}
	_, signature, _ := strings.Cut(signed, "\n\n")
	before, encoded, _ := strings.Cut(strings.TrimSuffix(signature, "\n"), verifier.Name()+" ")
	raw, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || signature != before+verifier.Name()+" "+base64.StdEncoding.EncodeToString(raw)+"\n" {
		return notary.Checkpoint{}, refused("the checkpoint's signature is not written as it was made")
	}
	return c, nil
}
