package notary

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// secretPrefix begins the text of every secret key.
const secretPrefix = "PRIVATE+KEY+"

// errSecret says that a text is no secret key, without saying the text.
var errSecret = errors.New("it does not hold a notary's secret key (PRIVATE+KEY+name+hash+key, one line)")

// Key is a notary's key: it signs, and verifies what it has signed.
type Key struct {
	note.Signer
	Verifier note.Verifier
	Public   string // the public key as text: name+hash+key
}

// GenerateKey makes the two texts of a new Ed25519 key, in the form of package note. The name becomes the origin of the
// checkpoints it signs: up to 100 letters, digits, and any of . _ / - but not first.
func GenerateKey(name string) (secret, public string, err error) {
	if !validName.MatchString(name) {
		return "", "", fmt.Errorf("%q is no name of a notary: up to 100 letters and digits, and any of . _ / - but not first", name)
	}
	return note.GenerateKey(rand.Reader, name)
}

// PublicOf is the public key that belongs to a secret one. No error says any of the text.
func PublicOf(secret string) (string, error) {
	key, err := parseKey(secret)
	return key.Public, err
}

// parseKey reads the text of a secret key.
func parseKey(secret string) (Key, error) {
	secret = strings.TrimSpace(secret)
	signer, err := note.NewSigner(secret)
	if err != nil || !validName.MatchString(signer.Name()) {
		return Key{}, errSecret
	}
	// The fifth part is the algorithm, one byte, and the seed.
	parts := strings.SplitN(secret, "+", 5)
	raw, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return Key{}, errSecret
	}
	public, err := note.NewEd25519VerifierKey(signer.Name(), ed25519.NewKeyFromSeed(raw[1:]).Public().(ed25519.PublicKey))
	if err != nil {
		return Key{}, errSecret
	}
	verifier, err := note.NewVerifier(public)
	if err != nil || verifier.KeyHash() != signer.KeyHash() {
		return Key{}, errSecret
	}
	return Key{Signer: signer, Verifier: verifier, Public: public}, nil
}

// parseVerifier reads the text of a public key.
func parseVerifier(public string) (note.Verifier, error) {
	verifier, err := note.NewVerifier(strings.TrimSpace(public))
	if err == nil && !validName.MatchString(verifier.Name()) {
		err = fmt.Errorf("%q is no name of a notary", verifier.Name())
	}
	return verifier, err
}
