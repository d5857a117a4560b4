// Package auth tells from a JSON Web Token who is connecting.
//
//	token ──▶ algorithm ─┬─ HS256          ──▶ the secret of a file    ─┬─▶ signature ──▶ claims ──▶ Token
//	                     └─ RS256 or ES256 ──▶ the keys of a JWKS, kid ─┘
//
// The algorithm says where the key comes from, and nothing else does: a public key
// is never taken for a secret, and what is signed in any other way, or not at all,
// is refused. It promises:
//   - a token is refused for good ([ErrInvalid], [ErrExpired]) only if that is
//     certain. Where its key is not known and the key set cannot be read now, the
//     error is temporary.
//   - no token and no key set costs more than a bounded amount of memory and time.
package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/streams/fault"
)

var (
	// ErrInvalid says that a token proves nothing, whoever asks and whenever.
	ErrInvalid = errors.New("invalid token")
	// ErrExpired says that nothing else is wrong with it than its age.
	ErrExpired = errors.New("token expired")
)

const (
	maxToken  = 16 << 10 // bytes
	minSecret = 32       // bytes, as RFC 7518 wants of HS256
)

// Verifier verifies tokens. Safe for concurrent use. One that is Enabled has to be
// closed.
type Verifier struct {
	cfg    config.Auth
	parser *jwt.Parser
	secret []byte // of HS256; nil: none
	keys   *keys  // of RS256 and ES256; nil: none
}

// New makes a verifier, and begins to read the key set, for which it does not wait.
// Its error is a [*config.Error].
func New(cfg config.Auth, log *slog.Logger) (*Verifier, error) {
	v := &Verifier{cfg: cfg}
	if cfg.Required && !cfg.Enabled() {
		return nil, invalid("auth.required", "tokens can be required only if they can be verified: set auth.secret or auth.jwks")
	}
	var methods []string
	if cfg.Secret != "" {
		var err error
		if v.secret, err = readSecret(cfg.Secret); err != nil {
			return nil, err
		}
		methods = append(methods, jwt.SigningMethodHS256.Alg())
	}
	if cfg.JWKS != "" {
		v.keys = newKeys(string(cfg.JWKS), cfg.Refresh, newClient(), log)
		methods = append(methods, jwt.SigningMethodRS256.Alg(), jwt.SigningMethodES256.Alg())
	}
	options := []jwt.ParserOption{
		jwt.WithValidMethods(methods), jwt.WithLeeway(cfg.Leeway), jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithStrictDecoding(),
	}
	if cfg.Issuer != "" {
		options = append(options, jwt.WithIssuer(cfg.Issuer))
	}
	if cfg.Audience != "" {
		options = append(options, jwt.WithAudience(cfg.Audience))
	}
	v.parser = jwt.NewParser(options...)
	return v, nil
}

// Enabled reports whether there is anything to verify tokens with.
func (v *Verifier) Enabled() bool { return v.cfg.Enabled() }

// Required reports whether nobody is to be let in without a token.
func (v *Verifier) Required() bool { return v.cfg.Required }

// Inherit takes over the key set that another verifier has read from the same place,
// so that nobody has to wait for it to be read again.
func (v *Verifier) Inherit(from *Verifier) {
	if v.keys != nil && from.keys != nil && v.keys.url == from.keys.url {
		v.keys.inherit(from.keys)
	}
}

// Close ends what the verifier does by itself, and waits for it.
func (v *Verifier) Close() {
	if v.keys != nil {
		v.keys.close()
	}
}

// Verify tells whose token this is. It may wait for the key set to be read, which
// takes at most a few seconds. Its errors wrap ErrInvalid or ErrExpired and say why,
// or are Temporary.
func (v *Verifier) Verify(ctx context.Context, text string) (Token, error) {
	if !v.Enabled() {
		return Token{}, fmt.Errorf("%w: there is nothing to verify it with", ErrInvalid)
	}
	if len(text) > maxToken {
		return Token{}, fmt.Errorf("%w: longer than %d bytes", ErrInvalid, maxToken)
	}
	var c claims
	_, err := v.parser.ParseWithClaims(text, &c, func(t *jwt.Token) (any, error) { return v.key(ctx, t) })
	switch {
	case err == nil:
		return c.token(v.cfg.Leeway)
	case fault.Is(err, fault.Temporary):
		return Token{}, err
	case onlyExpired(err):
		return Token{}, fmt.Errorf("%w: %w", ErrExpired, err)
	}
	return Token{}, fmt.Errorf("%w: %w", ErrInvalid, err)
}

// key is what a token's signature is to be verified with, as its algorithm wants:
// one of those that the parser lets through.
func (v *Verifier) key(ctx context.Context, t *jwt.Token) (any, error) {
	if _, ok := t.Header["crit"]; ok {
		return nil, errors.New("extensions (crit) are not understood")
	}
	if t.Method.Alg() == jwt.SigningMethodHS256.Alg() {
		return v.secret, nil
	}
	return v.keys.of(ctx, t)
}

// onlyExpired tells whether a token is otherwise as it should be.
func onlyExpired(err error) bool {
	for _, other := range []error{
		jwt.ErrTokenInvalidAudience, jwt.ErrTokenInvalidIssuer, jwt.ErrTokenUsedBeforeIssued,
		jwt.ErrTokenNotValidYet, jwt.ErrTokenRequiredClaimMissing, jwt.ErrTokenSignatureInvalid, jwt.ErrTokenUnverifiable,
	} {
		if errors.Is(err, other) {
			return false
		}
	}
	return errors.Is(err, jwt.ErrTokenExpired)
}

// readSecret reads the secret of a file. A line break at its end is the editor's.
func readSecret(path string) ([]byte, error) {
	secret, err := os.ReadFile(path)
	if err != nil {
		return nil, invalid("auth.secret", err.Error())
	}
	secret = bytes.TrimSuffix(bytes.TrimSuffix(secret, []byte("\n")), []byte("\r"))
	if len(secret) < minSecret {
		return nil, invalid("auth.secret", fmt.Sprintf(
			"the file holds %d bytes and a secret needs at least %d; \"openssl rand -hex 32\" makes one", len(secret), minSecret))
	}
	return secret, nil
}

func invalid(key, reason string) error {
	return &config.Error{Problems: []config.Problem{{Key: key, Source: "as set", Reason: reason}}}
}

// Check finds out whether tokens could be verified now: the secret is read, and the
// key set, once.
func Check(ctx context.Context, cfg config.Auth) error {
	if cfg.Secret != "" {
		if _, err := readSecret(cfg.Secret); err != nil {
			return err
		}
	}
	if cfg.JWKS == "" {
		return nil
	}
	client := newClient()
	defer client.CloseIdleConnections()
	if _, err := read(ctx, string(cfg.JWKS), client); err != nil {
		return fmt.Errorf("the key set of auth.jwks: %w", err)
	}
	return nil
}
