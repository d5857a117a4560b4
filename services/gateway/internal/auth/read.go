package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
)

const (
	maxKeySet      = 256 << 10 // bytes
	maxKeys        = 64        // each of which may be tried for a token that names none
	minRSA, maxRSA = 2048, 8192
	maxHeaders     = 16 << 10 // bytes of an answer
)

var (
	errNoKeys      = errors.New("it is no key set, or holds no key for signatures by RS256 (RSA of 2048 to 8192 bits) or ES256 (P-256)")
	errTooManyKeys = fmt.Errorf("it holds more than %d keys", maxKeys)
)

// newClient makes a client that gives up on large answers, and goes nowhere but where
// it is sent: a redirect is an error.
func newClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes = maxHeaders
	return &http.Client{
		Transport:     limited{transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// limited cuts answers short, which then are no JSON.
type limited struct{ *http.Transport }

func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := l.Transport.RoundTrip(r)
	if err == nil {
		response.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(response.Body, maxKeySet), response.Body}
	}
	return response, err
}

// read reads a key set once, and keeps those keys that a token may be signed with. There has to be one: an answer
// without is more likely a mistake, or no key set at all, than an owner's who wants nobody to be let in any more, and
// whom it refuses is refused for good. That owner publishes another key.
func read(ctx context.Context, url string, client *http.Client) (keyfunc.Keyfunc, error) {
	storage, err := jwkset.NewStorageFromHTTP(url, jwkset.HTTPClientStorageOptions{Ctx: ctx, Client: client, HTTPTimeout: readTimeout})
	if err != nil {
		return nil, err
	}
	all, err := storage.KeyReadAll(ctx)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(k jwkset.JWK) bool { return !usable(k) })
	switch {
	case len(all) == 0:
		return nil, errNoKeys
	case len(all) > maxKeys:
		return nil, errTooManyKeys
	}
	if err := storage.KeyReplaceAll(ctx, all); err != nil {
		return nil, err
	}
	return keyfunc.New(keyfunc.Options{Ctx: ctx, Storage: storage})
}

// usable tells whether a key is one for signatures by RS256 or ES256, and a public
// one: a key set is read by everybody, and a secret in it is none.
func usable(k jwkset.JWK) bool {
	said := k.Marshal()
	if said.USE != "" && said.USE != jwkset.UseSig {
		return false
	}
	switch key := k.Key().(type) {
	case *rsa.PublicKey:
		bits := key.N.BitLen()
		return minRSA <= bits && bits <= maxRSA && (said.ALG == "" || said.ALG == jwkset.AlgRS256)
	case *ecdsa.PublicKey:
		return key.Curve == elliptic.P256() && (said.ALG == "" || said.ALG == jwkset.AlgES256)
	}
	return false
}
