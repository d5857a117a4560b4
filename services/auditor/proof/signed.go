package proof

import (
	"fmt"

	"golang.org/x/mod/sumdb/note"

	"github.com/tidemark-chat/tidemark/streams/notary"
)

// Verify is [notary.Verify] of a checkpoint that something can be proved by. Its error is ErrRefused.
func Verify(signed string, verifier note.Verifier) (notary.Checkpoint, error) {
	c, err := notary.Verify([]byte(signed), verifier)
	if err != nil {
		return notary.Checkpoint{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if c.Size == 0 {
		return notary.Checkpoint{}, refused("the checkpoint is of an empty log")
	}
	return c, nil
}
