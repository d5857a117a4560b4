//go:debug rsa1024min=0

package auth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"go.uber.org/goleak"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/streams/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	ctx    = context.Background()
	quiet  = slog.New(slog.DiscardHandler)
	secret = strings.Repeat("s3cret", 6)

	rsaKey, otherRSA, weakRSA = newRSA(2048), newRSA(2048), newRSA(1024)
	ecKey, otherEC, largeEC   = newEC(elliptic.P256()), newEC(elliptic.P256()), newEC(elliptic.P384())
)

func newRSA(bits int) *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return key
}

func newEC(curve elliptic.Curve) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

// verifier is closed with the test.
func verifier(t *testing.T, cfg config.Auth) *Verifier {
	t.Helper()
	v, err := New(cfg, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

func secretFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// with is claims that are good, and others.
func with(more jwt.MapClaims) jwt.MapClaims {
	now := time.Now().Unix()
	c := jwt.MapClaims{"sub": "ann", "iat": now, "exp": now + 60}
	for name, value := range more {
		if c[name] = value; value == nil {
			delete(c, name)
		}
	}
	return c
}

// sign signs claims; header is of pairs.
func sign(t *testing.T, method jwt.SigningMethod, key any, claims jwt.MapClaims, header ...any) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	for i := 0; i+1 < len(header); i += 2 {
		token.Header[header[i].(string)] = header[i+1]
	}
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func bySecret(t *testing.T, claims jwt.MapClaims) string {
	t.Helper()
	return sign(t, jwt.SigningMethodHS256, []byte(secret), claims)
}

func TestAGoodTokenSaysWhoItIs(t *testing.T) {
	v := verifier(t, config.Auth{Secret: secretFile(t, secret+"\r\n"), Leeway: 5 * time.Second})
	now := time.Now().Truncate(time.Second)
	longest := strings.Repeat("é", 64)
	hex := "5b1c9a1e5b1c9a1e5b1c9a1e5b1c9a1e"
	for _, c := range []struct {
		claims   jwt.MapClaims
		id, name string
	}{
		{with(nil), "ann", "ann"},
		{with(jwt.MapClaims{"name": "Ann"}), "ann", "Ann"},
		{with(jwt.MapClaims{"preferred_username": "a.n"}), "ann", "a.n"},
		{with(jwt.MapClaims{"name": "Ann", "preferred_username": "a.n"}), "ann", "Ann"},
		{with(jwt.MapClaims{"name": "", "preferred_username": "a.n"}), "ann", "a.n"},
		{with(jwt.MapClaims{"name": longest + "é"}), "ann", "ann"},
		{with(jwt.MapClaims{"name": "A\nB"}), "ann", "ann"},
		{with(jwt.MapClaims{"name": 7, "preferred_username": []string{"x"}}), "ann", "ann"},
		{with(jwt.MapClaims{"sub": longest}), longest, longest},
		{with(jwt.MapClaims{"sub": hex}), "sub:" + hex, hex},
		{with(jwt.MapClaims{"sub": "sub:" + hex}), "sub:sub:" + hex, "sub:" + hex},
		{with(jwt.MapClaims{"sub": strings.ToUpper(hex)}), strings.ToUpper(hex), strings.ToUpper(hex)},
	} {
		token, err := v.Verify(ctx, bySecret(t, c.claims))
		if err != nil || token.UserID != c.id || token.Name != c.name || token.Rooms != nil {
			t.Errorf("%v: %+v, %v", c.claims, token, err)
		}
	}
	token, err := v.Verify(ctx, bySecret(t, with(jwt.MapClaims{"iat": now.Unix(), "exp": now.Unix() + 60, "rooms": []string{"general", "Ω"}})))
	if err != nil || !token.Rooms["general"] || !token.Rooms["Ω"] || token.Rooms["other"] ||
		!token.Issued.Equal(now.Add(-5*time.Second)) || !token.Expires.Equal(now.Add(65*time.Second)) {
		t.Errorf("%+v, %v", token, err)
	}
	token, err = v.Verify(ctx, bySecret(t, with(jwt.MapClaims{"iat": nil, "rooms": []string{}})))
	if err != nil || token.Rooms == nil || len(token.Rooms) != 0 || !token.Issued.IsZero() {
		t.Errorf("no rooms, no iat: %+v, %v", token, err)
	}
}

func TestIDsOfDifferentSubsDiffer(t *testing.T) {
	hex := strings.Repeat("a", 32)
	seen := map[string]string{}
	for _, sub := range []string{"a", hex, "sub:" + hex, "sub:sub:" + hex, "sub:", "sub", hex + "a", hex[1:], strings.ToUpper(hex)} {
		id := UserID(sub)
		if other, ok := seen[id]; ok || selfChosen(id) {
			t.Errorf("%q and %q: %q", sub, other, id)
		}
		seen[id] = sub
	}
}

func TestABadTokenIsRefused(t *testing.T) {
	v := verifier(t, config.Auth{Secret: secretFile(t, secret), Issuer: "https://id.example", Audience: "chat", Leeway: time.Second})
	good := func(more jwt.MapClaims) jwt.MapClaims {
		c := with(jwt.MapClaims{"iss": "https://id.example", "aud": []string{"other", "chat"}})
		for name, value := range more {
			if c[name] = value; value == nil {
				delete(c, name)
			}
		}
		return c
	}
	if _, err := v.Verify(ctx, bySecret(t, good(nil))); err != nil {
		t.Fatal(err)
	}
	now := time.Now().Unix()
	text := bySecret(t, good(nil))
	parts := strings.Split(text, ".")
	raw := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	for what, token := range map[string]string{
		"another's secret":       sign(t, jwt.SigningMethodHS256, []byte(secret+"x"), good(nil)),
		"no algorithm":           sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good(nil)),
		"no signature":           parts[0] + "." + parts[1] + ".",
		"an odd algorithm":       raw(`{"alg":"nOnE"}`) + "." + parts[1] + ".",
		"a number as algorithm":  raw(`{"alg":7}`) + "." + parts[1] + "." + parts[2],
		"HS384":                  sign(t, jwt.SigningMethodHS384, []byte(secret), good(nil)),
		"RS256 without a set":    sign(t, jwt.SigningMethodRS256, rsaKey, good(nil)),
		"ES256 without a set":    sign(t, jwt.SigningMethodES256, ecKey, good(nil)),
		"other claims":           parts[0] + "." + raw(`{"sub":"bob"}`) + "." + parts[2],
		"extensions":             sign(t, jwt.SigningMethodHS256, []byte(secret), good(nil), "crit", []string{"b64"}),
		"wrong issuer":           bySecret(t, good(jwt.MapClaims{"iss": "https://id.example/"})),
		"no issuer":              bySecret(t, good(jwt.MapClaims{"iss": nil})),
		"wrong audience":         bySecret(t, good(jwt.MapClaims{"aud": "chat2"})),
		"no audience":            bySecret(t, good(jwt.MapClaims{"aud": nil})),
		"not yet valid":          bySecret(t, good(jwt.MapClaims{"nbf": now + 60})),
		"issued in the future":   bySecret(t, good(jwt.MapClaims{"iat": now + 60})),
		"no expiry":              bySecret(t, good(jwt.MapClaims{"exp": nil})),
		"an expiry that is none": bySecret(t, good(jwt.MapClaims{"exp": "soon"})),
		"expired and of another": bySecret(t, good(jwt.MapClaims{"exp": now - 60, "iss": "x"})),
		"expired, wrong secret":  sign(t, jwt.SigningMethodHS256, []byte("x"+secret), good(jwt.MapClaims{"exp": now - 60})),
		"no sub":                 bySecret(t, good(jwt.MapClaims{"sub": nil})),
		"empty sub":              bySecret(t, good(jwt.MapClaims{"sub": ""})),
		"long sub":               bySecret(t, good(jwt.MapClaims{"sub": strings.Repeat("é", 65)})),
		"odd sub":                bySecret(t, good(jwt.MapClaims{"sub": "a\x00"})),
		"a number as sub":        bySecret(t, good(jwt.MapClaims{"sub": 7})),
		"rooms as a text":        bySecret(t, good(jwt.MapClaims{"rooms": "general"})),
		"rooms of numbers":       bySecret(t, good(jwt.MapClaims{"rooms": []int{1}})),
		"an empty room":          bySecret(t, good(jwt.MapClaims{"rooms": []string{""}})),
		"a long room":            bySecret(t, good(jwt.MapClaims{"rooms": []string{strings.Repeat("r", 129)}})),
		"a long token":           bySecret(t, good(jwt.MapClaims{"x": strings.Repeat("x", maxToken)})),
		"nothing":                "", "dots": "..", "more dots": "....", "rubbish": "x.y.z", "a null": raw("null") + "." + raw("null") + ".",
	} {
		if token, err := v.Verify(ctx, token); !errors.Is(err, ErrInvalid) || errors.Is(err, ErrExpired) || token.UserID != "" {
			t.Errorf("%s: %+v, %v", what, token, err)
		}
	}
	nullRooms := jwt.NewWithClaims(jwt.SigningMethodHS256, good(nil))
	nullRooms.Claims.(jwt.MapClaims)["rooms"] = nil
	text, err := nullRooms.SignedString([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(ctx, text); !errors.Is(err, ErrInvalid) {
		t.Errorf("null rooms: %v", err)
	}
	for what, exp := range map[string]any{"long ago": 1, "just now": now - 3, "when nobody counts any more": 1e300} {
		if _, err := v.Verify(ctx, bySecret(t, good(jwt.MapClaims{"exp": exp}))); !errors.Is(err, ErrExpired) || errors.Is(err, ErrInvalid) {
			t.Errorf("expired %s: %v", what, err)
		}
	}
}

// TestClaimsAreTakenByTheirExactNames and each only if it is there once: whoever may choose another claim of his
// token must not become somebody else by it.
func TestClaimsAreTakenByTheirExactNames(t *testing.T) {
	v := verifier(t, config.Auth{Secret: secretFile(t, secret), Issuer: "i", Audience: "a"})
	raw := func(claims string) string {
		text := "eyJhbGciOiJIUzI1NiJ9." + base64.RawURLEncoding.EncodeToString([]byte(claims)) // {"alg":"HS256"}
		signature, err := jwt.SigningMethodHS256.Sign(text, []byte(secret))
		if err != nil {
			t.Fatal(err)
		}
		return text + "." + base64.RawURLEncoding.EncodeToString(signature)
	}
	good := fmt.Sprintf(`"iss":"i","aud":"a","sub":"ann","rooms":["r"],"exp":%d`, time.Now().Unix()+60)
	for _, more := range []string{``, `,"Other":1,"other":2,"other":3`, `,"x":{"sub":"boss","Sub":"boss"}`, `,"subs":"boss","\u0000sub":"boss"`} {
		if token, err := v.Verify(ctx, raw("{"+good+more+"}")); err != nil || token.UserID != "ann" || len(token.Rooms) != 1 {
			t.Errorf("with %s: %+v, %v", more, token, err)
		}
	}
	for _, more := range []string{
		`"Sub":"boss"`, `"SUB":"boss"`, `"\u017fub":"boss"`, `"\u017fub":null`, `"\u0073ub":"boss"`, `"sub":"boss"`, `"sub":"ann"`,
		`"Rooms":null`, `"rooms":["r","secret"]`, `"room\u017f":["secret"]`, `"Exp":9999999999`, `"exp":9999999999`, `"Iss":"i"`, `"aud":"a"`,
		`"iat":1,"Iat":2`, `"nbf":1,"NBF":2`, `"Name":"boss"`, `"preferred_Username":"boss"`,
	} {
		for _, text := range []string{"{" + good + "," + more + "}", "{" + more + "," + good + "}"} {
			if token, err := v.Verify(ctx, raw(text)); !errors.Is(err, ErrInvalid) || token.UserID != "" {
				t.Errorf("%s: %+v, %v", text, token, err)
			}
		}
	}
	for _, text := range []string{`null`, `[]`, `7`, `"sub"`, `{`, ``, "{" + good, "{" + good + "}{}"} {
		if _, err := v.Verify(ctx, raw(text)); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestAPublicKeyIsNoSecret tries what is called algorithm confusion: the text of a
// public key as the secret of HS256.
func TestAPublicKeyIsNoSecret(t *testing.T) {
	s := serve(t, jwk("r", rsaKey.Public()), jwk("", rsaKey.Public()))
	for _, cfg := range []config.Auth{{JWKS: s.url(), Refresh: time.Hour}, {JWKS: s.url(), Secret: secretFile(t, secret), Refresh: time.Hour}} {
		v := verifier(t, cfg)
		der, err := x509.MarshalPKIXPublicKey(rsaKey.Public())
		if err != nil {
			t.Fatal(err)
		}
		pem := "-----BEGIN PUBLIC KEY-----\n" + base64.StdEncoding.EncodeToString(der) + "\n-----END PUBLIC KEY-----\n"
		for _, key := range [][]byte{der, []byte(pem), rsaKey.N.Bytes(), {}} {
			if _, err := v.Verify(ctx, sign(t, jwt.SigningMethodHS256, key, with(nil), "kid", "r")); !errors.Is(err, ErrInvalid) {
				t.Errorf("%v", err)
			}
		}
	}
}

func TestSettingsThatCannotWorkAreNamed(t *testing.T) {
	for _, c := range []struct {
		cfg config.Auth
		key string
	}{
		{config.Auth{Required: true}, "auth.required"},
		{config.Auth{Secret: secretFile(t, strings.Repeat("x", 31)+"\n")}, "auth.secret"},
		{config.Auth{Secret: filepath.Join(t.TempDir(), "none")}, "auth.secret"},
	} {
		_, err := New(c.cfg, quiet)
		if wrong := (*config.Error)(nil); !errors.As(err, &wrong) || wrong.Problems[0].Key != c.key {
			t.Errorf("%+v: %v", c.cfg, err)
		}
	}
	off := verifier(t, config.Auth{})
	if _, err := off.Verify(ctx, bySecret(t, with(nil))); off.Enabled() || !errors.Is(err, ErrInvalid) {
		t.Errorf("without any setting: %v", err)
	}
}

func TestTokensOfAKeySet(t *testing.T) {
	odd := []map[string]any{
		{"kty": "oct", "kid": "oct", "k": base64.RawURLEncoding.EncodeToString([]byte(secret))},
		{"kty": "unheard-of", "kid": "u"},
		with2(jwk("weak", weakRSA.Public()), nil), with2(jwk("large", largeEC.Public()), nil),
		with2(jwk("enc", otherRSA.Public()), map[string]any{"use": "enc"}), with2(jwk("ps", otherRSA.Public()), map[string]any{"alg": "PS256"}),
	}
	s := serve(t, slices.Concat(odd, []map[string]any{jwk("r", rsaKey.Public()), with2(jwk("e", ecKey.Public()), map[string]any{"use": "sig", "alg": "ES256"})})...)
	v := verifier(t, config.Auth{JWKS: s.url(), Refresh: time.Hour})
	rs, es := jwt.SigningMethodRS256, jwt.SigningMethodES256
	for what, token := range map[string]string{
		"RS256": sign(t, rs, rsaKey, with(nil), "kid", "r"), "ES256": sign(t, es, ecKey, with(nil), "kid", "e"),
		"RS256 without a kid": sign(t, rs, rsaKey, with(nil)), "ES256 without a kid": sign(t, es, ecKey, with(nil)),
	} {
		if got, err := v.Verify(ctx, token); err != nil || got.UserID != "ann" {
			t.Errorf("%s: %+v, %v", what, got, err)
		}
	}
	for what, token := range map[string]string{
		"another's key":              sign(t, rs, otherRSA, with(nil), "kid", "r"),
		"another's EC key":           sign(t, es, otherEC, with(nil), "kid", "e"),
		"another's without a kid":    sign(t, rs, otherRSA, with(nil)),
		"the key of another kid":     sign(t, rs, rsaKey, with(nil), "kid", "e"),
		"RS512":                      sign(t, jwt.SigningMethodRS512, rsaKey, with(nil), "kid", "r"),
		"PS256":                      sign(t, jwt.SigningMethodPS256, rsaKey, with(nil), "kid", "r"),
		"HS256 with a secret in it":  sign(t, jwt.SigningMethodHS256, []byte(secret), with(nil), "kid", "oct"),
		"a number as kid":            sign(t, rs, rsaKey, with(nil), "kid", 7),
		"expired with another's key": sign(t, rs, otherRSA, with(jwt.MapClaims{"exp": 1}), "kid", "r"),
	} {
		if _, err := v.Verify(ctx, token); !errors.Is(err, ErrInvalid) || errors.Is(err, ErrExpired) {
			t.Errorf("%s: %v", what, err)
		}
	}
	// Keys that are in the set and count for nothing are not known: the set is read
	// again, and then it is certain.
	for kid, key := range map[string]crypto.Signer{"weak": weakRSA, "enc": otherRSA, "ps": otherRSA} {
		fresh := verifier(t, config.Auth{JWKS: s.url(), Refresh: time.Hour})
		token := sign(t, rs, key, with(nil), "kid", kid)
		settled(t, fresh)
		if _, err := fresh.Verify(ctx, token); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", kid, err)
		}
	}
	if _, err := v.Verify(ctx, sign(t, rs, rsaKey, with(jwt.MapClaims{"exp": 1}), "kid", "r")); !errors.Is(err, ErrExpired) {
		t.Errorf("expired: %v", err)
	}
	if s.reads() > 10 {
		t.Errorf("the set was read %d times", s.reads())
	}
}

func with2(key, more map[string]any) map[string]any {
	for name, value := range more {
		key[name] = value
	}
	return key
}

// temporary fails the test unless an error is one that a retry may mend.
func temporary(t *testing.T, what string, err error) {
	t.Helper()
	if !fault.Is(err, fault.Temporary) || errors.Is(err, ErrInvalid) {
		t.Errorf("%s: %v, want a temporary error", what, err)
	}
}

func Example_userID() {
	fmt.Println(UserID("auth0|507f1f77bcf86cd799439011"), UserID("5b1c9a1e5b1c9a1e5b1c9a1e5b1c9a1e"))
	// Output: auth0|507f1f77bcf86cd799439011 sub:5b1c9a1e5b1c9a1e5b1c9a1e5b1c9a1e
}
