package auth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tidemark-chat/tidemark/config"
)

// identityProvider serves a key set.
type identityProvider struct {
	server *httptest.Server

	mu     sync.Mutex
	n      int
	answer http.HandlerFunc
}

func serve(t *testing.T, keys ...map[string]any) *identityProvider {
	t.Helper()
	p := &identityProvider{}
	p.publish(keys...)
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.n++
		answer := p.answer
		p.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(p.server.Close)
	return p
}

func (p *identityProvider) publish(keys ...map[string]any) {
	body, _ := json.Marshal(map[string]any{"keys": append([]map[string]any{}, keys...)})
	p.answerWith(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
}

// says answers with 200.
func says(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
}

func (p *identityProvider) answerWith(answer http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

func (p *identityProvider) url() config.URL { return config.URL(p.server.URL + "/keys") }

func (p *identityProvider) reads() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.n
}

// jwk is a public key as a set has it.
func jwk(kid string, key crypto.PublicKey) map[string]any {
	text := func(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
	k := map[string]any{}
	switch key := key.(type) {
	case *rsa.PublicKey:
		k["kty"], k["n"], k["e"] = "RSA", text(key.N.Bytes()), text(big.NewInt(int64(key.E)).Bytes())
	case *ecdsa.PublicKey:
		size := (key.Curve.Params().BitSize + 7) / 8
		point, _ := key.Bytes() // 4, x, y
		k["kty"], k["crv"], k["x"], k["y"] = "EC", key.Curve.Params().Name, text(point[1:1+size]), text(point[1+size:])
	}
	if kid != "" {
		k["kid"] = kid
	}
	return k
}

// settled waits until no reading is under way, and lets the next one begin at once.
func settled(t *testing.T, v *Verifier) {
	t.Helper()
	for deadline := time.Now().Add(40 * time.Second); ; {
		v.keys.mu.Lock()
		busy, ended := v.keys.busy, v.keys.ended
		if !busy {
			v.keys.asked = time.Time{}
		}
		v.keys.mu.Unlock()
		if !busy {
			return
		}
		select {
		case <-ended:
		case <-time.After(time.Until(deadline)):
			t.Fatal("the set is not read")
		}
	}
}

func TestARotatedKeyIsFoundAndARemovedOneRefused(t *testing.T) {
	s := serve(t, jwk("old", rsaKey.Public()))
	v := verifier(t, config.Auth{JWKS: s.url(), Refresh: time.Hour})
	before := sign(t, jwt.SigningMethodRS256, rsaKey, with(nil), "kid", "old")
	after := sign(t, jwt.SigningMethodES256, ecKey, with(nil), "kid", "new")
	if _, err := v.Verify(ctx, before); err != nil {
		t.Fatal(err)
	}
	settled(t, v)
	if _, err := v.Verify(ctx, after); !errors.Is(err, ErrInvalid) {
		t.Errorf("a key that is not in the set: %v", err)
	}
	s.publish(jwk("new", ecKey.Public()))
	_, err := v.Verify(ctx, after)
	temporary(t, "a moment after the set was read", err)
	if _, err := v.Verify(ctx, before); err != nil {
		t.Errorf("the old key, before it is known to be gone: %v", err)
	}
	settled(t, v)
	if _, err := v.Verify(ctx, after); err != nil {
		t.Errorf("the new key: %v", err)
	}
	settled(t, v)
	if _, err := v.Verify(ctx, before); !errors.Is(err, ErrInvalid) {
		t.Errorf("the old key: %v", err)
	}
}

func TestAtTheIntervalARemovedKeyEnds(t *testing.T) {
	s := serve(t, jwk("old", rsaKey.Public()))
	v := verifier(t, config.Auth{JWKS: s.url(), Refresh: 20 * time.Millisecond})
	token := sign(t, jwt.SigningMethodRS256, rsaKey, with(nil)) // with no kid that could ask for a reading
	if _, err := v.Verify(ctx, token); err != nil {
		t.Fatal(err)
	}
	s.publish(jwk("new", ecKey.Public()))
	for deadline := time.Now().Add(40 * time.Second); ; {
		_, err := v.Verify(ctx, token)
		if errors.Is(err, ErrInvalid) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("it still counts: %v", err)
		}
		<-time.After(5 * time.Millisecond)
	}
}

func TestAKeySetThatCannotBeReadRefusesNobody(t *testing.T) {
	for what, answer := range map[string]http.HandlerFunc{
		"an error":   func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "{}", http.StatusInternalServerError) },
		"no JSON":    func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"a redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"an endless answer": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte(`{"keys":[` + strings.Repeat(" ", 4096))); err != nil {
					return
				}
			}
		},
		"a large answer": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(strings.Repeat(" ", maxKeySet) + `{"keys":[]}`))
		},
		"an error that is said to be none": says(`{"error":"try again later"}`),
		"an empty set":                     says(`{"keys":[]}`),
		"no set":                           says(`{"keys":null}`),
		"a null":                           says(`null`),
		"a set of keys for something else": says(`{"keys":[{"kty":"oct","k":"c2VjcmV0"},{"kty":"unheard-of"}]}`),
	} {
		s := serve(t, jwk("r", rsaKey.Public()))
		s.answerWith(answer)
		v := verifier(t, config.Auth{JWKS: s.url(), Secret: secretFile(t, secret), Refresh: time.Hour})
		token := sign(t, jwt.SigningMethodRS256, rsaKey, with(nil), "kid", "r")
		_, err := v.Verify(ctx, token)
		temporary(t, what+" at the start", err)
		if _, err := v.Verify(ctx, bySecret(t, with(nil))); err != nil {
			t.Errorf("%s: a token that needs no set: %v", what, err)
		}
		if err := Check(ctx, config.Auth{JWKS: s.url()}); err == nil {
			t.Errorf("%s: nothing is wrong", what)
		}
		s.publish(jwk("r", rsaKey.Public()))
		settled(t, v)
		if _, err := v.Verify(ctx, token); err != nil {
			t.Errorf("%s, and then a good one: %v", what, err)
		}
		s.answerWith(answer) // and later
		settled(t, v)
		_, err = v.Verify(ctx, sign(t, jwt.SigningMethodRS256, rsaKey, with(nil), "kid", "other"))
		temporary(t, what+" later", err)
		if _, err := v.Verify(ctx, token); err != nil {
			t.Errorf("%s later: the key that was known: %v", what, err)
		}
	}
}

// TestUnknownKeysDoNotFloodTheirSource has many tokens name keys that are not there.
func TestUnknownKeysDoNotFloodTheirSource(t *testing.T) {
	s := serve(t, jwk("r", rsaKey.Public()))
	v := verifier(t, config.Auth{JWKS: s.url(), Refresh: time.Hour})
	settled(t, v)
	var all sync.WaitGroup
	for range 50 {
		token := sign(t, jwt.SigningMethodES256, ecKey, with(nil), "kid", "nobody's")
		all.Go(func() {
			if _, err := v.Verify(ctx, token); err == nil {
				t.Error("let in")
			}
		})
	}
	all.Wait()
	if n := s.reads(); n > 3 {
		t.Errorf("the set was read %d times", n)
	}
}

// TestOnlyAFewWaitForAKeySetThatHangs and all others come again, or are let in by a key that is known.
func TestOnlyAFewWaitForAKeySetThatHangs(t *testing.T) {
	s := serve(t, jwk("r", rsaKey.Public()))
	v := verifier(t, config.Auth{JWKS: s.url(), Refresh: time.Hour})
	settled(t, v)
	release := make(chan struct{})
	s.answerWith(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
		http.Error(w, "down", http.StatusBadGateway)
	})
	const all = 100
	unknown := sign(t, jwt.SigningMethodES256, ecKey, with(nil), "kid", "made up")
	ended := make(chan error, all)
	hung, cancel := context.WithCancel(ctx)
	defer cancel()
	for range all {
		go func() { _, err := v.Verify(hung, unknown); ended <- err }()
	}
	for i := range all {
		if i == all-mostWaiting {
			if _, err := v.Verify(ctx, sign(t, jwt.SigningMethodRS256, rsaKey, with(nil), "kid", "r")); err != nil {
				t.Errorf("a key that is known: %v", err)
			}
			close(release)
		}
		select {
		case err := <-ended:
			temporary(t, "a made-up key", err)
			if want := i < all-mostWaiting; errors.Is(err, errCrowded) != want {
				t.Errorf("%d: %v", i, err)
			}
		case <-time.After(2 * time.Second): // less than a reading may take
			t.Fatalf("after %d of %d the others wait", i, all)
		}
	}
	settled(t, v)
	s.publish(jwk("r", rsaKey.Public()), jwk("made up", ecKey.Public()))
	if _, err := v.Verify(ctx, unknown); err != nil {
		t.Errorf("nobody may wait any more: %v", err)
	}
}

// TestAKeySetThatHangsIsGivenUp also where the verifier is closed meanwhile.
func TestAKeySetThatHangsIsGivenUp(t *testing.T) {
	s := serve(t)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	s.answerWith(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	v, err := New(config.Auth{JWKS: s.url(), Refresh: time.Hour}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	token := sign(t, jwt.SigningMethodRS256, rsaKey, with(nil), "kid", "r")
	go func() {
		_, err := v.Verify(ctx, token)
		ended <- err
	}()
	v.Close()
	temporary(t, "closed", <-ended)
}

func TestASuccessorKnowsTheKeysAtOnce(t *testing.T) {
	s := serve(t, jwk("r", rsaKey.Public()))
	cfg := config.Auth{JWKS: s.url(), Refresh: time.Hour}
	v := verifier(t, cfg)
	token := sign(t, jwt.SigningMethodRS256, rsaKey, with(nil), "kid", "r")
	if _, err := v.Verify(ctx, token); err != nil {
		t.Fatal(err)
	}
	s.answerWith(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "down", http.StatusBadGateway) })
	next := verifier(t, cfg)
	next.Inherit(v)
	if _, err := next.Verify(ctx, token); err != nil {
		t.Errorf("%v", err)
	}
}
