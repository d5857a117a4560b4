package verify

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/tidemark-chat/tidemark/services/auditor/proof"
	"github.com/tidemark-chat/tidemark/services/auditor/render"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

// keyring is the public keys by one of which a checkpoint must be signed.
type keyring []note.Verifier

// verify reads a checkpoint and checks that it is signed by one of the keys, and by nobody else. Where it is not, the checkpoint
// comes with the error if it can be read; else it is zero. An empty keyring checks nothing.
func (k keyring) verify(signed []byte) (notary.Checkpoint, error) {
	for _, key := range k {
		if c, err := notary.Verify(signed, key); err == nil {
			return c, nil
		}
	}
	c, err := notary.Read(signed)
	if err != nil {
		return notary.Checkpoint{}, err
	}
	if len(k) == 0 {
		return c, nil
	}
	return c, k.refuses(proof.Signers(string(signed)))
}

// refuses says why a note is not taken that claims to be signed by these keys.
func (k keyring) refuses(signers []string) error {
	by, given := render.Visible(short(strings.Join(signers, " and "))), strings.Join(k.names(), " or ")
	switch {
	case len(signers) == 0:
		return errors.New("signed by nobody")
	case len(signers) == 1 && slices.Contains(k.names(), signers[0]):
		return fmt.Errorf("altered or forged: the signature of %s does not fit", by)
	case len(signers) == 1:
		return fmt.Errorf("signed by %s, and not by %s (of a notary whose key was changed, give the older one too)", by, given)
	}
	return fmt.Errorf("signed by %s, and not by %s alone", by, given)
}

func (k keyring) names() []string {
	names := make([]string, 0, len(k)) // as JSON a list, also when empty
	for _, key := range k {
		names = append(names, proof.KeyName(key))
	}
	return names
}
