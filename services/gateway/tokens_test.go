package gateway_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
)

const tokenSecret = "a secret of more than 32 bytes, for tests"

// bySecret has a gateway verify tokens of tokenSecret, with clocks that agree.
func bySecret(t testing.TB, change ...func(*config.Auth)) func(*config.Config) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(tokenSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(cfg *config.Config) {
		cfg.Auth.Secret, cfg.Auth.Leeway = path, 0
		for _, c := range change {
			c(&cfg.Auth)
		}
	}
}

// claims are those of a good token for a minute, and others; nil takes one away.
func claims(sub string, more ...jwt.MapClaims) jwt.MapClaims {
	now := time.Now().Unix()
	c := jwt.MapClaims{"sub": sub, "iat": now, "exp": now + 60}
	for _, m := range more {
		maps.Copy(c, m)
	}
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

func token(t testing.TB, c jwt.MapClaims) string {
	t.Helper()
	return signed(t, jwt.SigningMethodHS256, []byte(tokenSecret), "", c)
}

func signed(t testing.TB, method jwt.SigningMethod, key any, kid string, c jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(method, c)
	if kid != "" {
		token.Header["kid"] = kid
	}
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// refusedWith fails the test unless a connect is refused for good with just these words.
func refusedWith(t testing.TB, address, message string, a auth) {
	t.Helper()
	c, err := gatewaytest.Dial(testContext(t), address, a)
	if err == nil {
		c.Close()
	}
	if refused := (*gatewaytest.ErrRefused)(nil); !errors.As(err, &refused) || refused.Message != message {
		t.Errorf("auth %.150v: %v, want connect_error %s", a, err, message)
	}
}

// notNow fails the test unless a connect is neither let in nor refused for good.
func notNow(t testing.TB, address string, a auth) {
	t.Helper()
	c, err := gatewaytest.Dial(testContext(t), address, a)
	if err == nil {
		c.Close()
	}
	if refused := (*gatewaytest.ErrRefused)(nil); err == nil || errors.As(err, &refused) {
		t.Errorf("auth %.150v: %v, want a cut connection", a, err)
	}
}

// ended waits for the end of a connection, and fails if it was a Socket.IO disconnect,
// after which official clients do not come back.
func ended(t testing.TB, c *gatewaytest.Client) {
	t.Helper()
	select {
	case <-c.Done():
	case <-time.After(gatewaytest.Timeout):
		t.Fatal("the connection is still open")
	}
	if err := c.Gone(); err == nil || strings.Contains(err.Error(), "disconnect") {
		t.Errorf("it ended with %v", err)
	}
}

func TestATokenSaysWhoConnects(t *testing.T) {
	t.Parallel()
	server, _, at := together(t, 2, bySecret(t))
	ann := token(t, claims("auth0|ann", jwt.MapClaims{"name": "Ann"}))
	var peers []*gatewaytest.Peer
	var both sync.WaitGroup
	var mu sync.Mutex
	for i := range 6 { // at the same time, on two gateways: one registration
		both.Go(func() {
			p, err := gatewaytest.DialPeer(testContext(t), at[i%2], auth{"token": ann, "rooms": []string{"general"}})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			peers = append(peers, p)
			t.Cleanup(p.Close)
		})
	}
	both.Wait()
	if t.Failed() {
		return
	}
	for _, p := range peers {
		if said := string(p.Began[0].Args[0]); said != `{"sessionID":"","userID":"auth0|ann","username":"Ann"}` {
			t.Errorf("session %s", said)
		}
	}
	renamed := gatewaytest.Join(t, at[1], auth{"token": token(t, claims("auth0|ann", jwt.MapClaims{"name": "Anna"})), "username": "eve", "rooms": []string{"general"}})
	if me, ok := renamed.Listed("auth0|ann"); !ok || me.Username != "Ann" {
		t.Errorf("listed as %+v", me)
	}
	ack, err := renamed.Send(testContext(t), "chat message", "hi", "k")
	if err != nil || !ack.OK {
		t.Fatal(ack, err)
	}
	m, err := peers[0].NextMessage(testContext(t))
	if err != nil || m.Meta.From != "auth0|ann" || m.Meta.Username != "Anna" || m.Meta.ClientOffset != "k" {
		t.Errorf("%+v, %v", m, err)
	}
	if n := registrations(t, server.Connect(), "auth0|ann"); n != 1 {
		t.Errorf("registered %d times", n)
	}
}

func TestBadTokensAreRefusedForGood(t *testing.T) {
	t.Parallel()
	_, _, at := together(t, 1, bySecret(t, func(a *config.Auth) { a.Issuer, a.Audience = "https://id.example", "chat" }))
	of := func(more jwt.MapClaims) jwt.MapClaims {
		return claims("ann", jwt.MapClaims{"iss": "https://id.example", "aud": "chat"}, more)
	}
	now := time.Now().Unix()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []any{
		"", "x", 7, true, auth{}, []string{"x"},
		signed(t, jwt.SigningMethodHS256, []byte("another secret, which is as long as the other"), "", of(nil)),
		signed(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "", of(nil)),
		signed(t, jwt.SigningMethodHS512, []byte(tokenSecret), "", of(nil)),
		signed(t, jwt.SigningMethodES256, key, "k", of(nil)),
		token(t, of(jwt.MapClaims{"iss": "https://evil.example"})), token(t, of(jwt.MapClaims{"aud": "mail"})),
		token(t, of(jwt.MapClaims{"nbf": now + 60})), token(t, of(jwt.MapClaims{"exp": nil})), token(t, of(jwt.MapClaims{"sub": ""})),
	} {
		refusedWith(t, at[0], "invalid token", auth{"token": bad})
		refusedWith(t, at[0], "invalid token", auth{"token": bad, "username": "eve", "serverOffset": 0})
	}
	refusedWith(t, at[0], "token expired", auth{"token": token(t, of(jwt.MapClaims{"exp": now - 1})), "username": "eve"})
	// The token comes before all else that is wrong, and what is wrong after it.
	refusedWith(t, at[0], "invalid token", auth{"token": "x", "serverOffset": -1, "rooms": 7})
	refusedWith(t, at[0], "invalid offset", auth{"token": token(t, of(nil)), "serverOffset": -1})
	refusedWith(t, at[0], "invalid rooms", auth{"token": token(t, of(nil)), "rooms": 7})
	late := gatewaytest.Join(t, at[0], auth{"username": "zoe"}) // where tokens are not required
	if _, ok := late.Listed("ann"); ok || len(late.Users) != 1 {
		t.Errorf("who was refused is listed: %+v", late.Users)
	}
}

func TestWhereTokensAreRequiredNothingElseWillDo(t *testing.T) {
	t.Parallel()
	server, _, at := together(t, 1)
	zoe := gatewaytest.Join(t, at[0], auth{"username": "zoe"})
	cfg := gatewaytest.Config(server.URL())
	bySecret(t, func(a *config.Auth) { a.Required = true })(&cfg)
	strict := gatewaytest.Start(t, cfg).Address
	for _, a := range []auth{nil, {}, {"token": nil}, {"username": "zoe"}, {"sessionID": zoe.SessionID}, {"sessionID": zoe.SessionID, "username": "zoe"}, {"serverOffset": -1}} {
		refusedWith(t, strict, "token required", a)
	}
	refusedWith(t, strict, "invalid token", auth{"token": "x"})
	gatewaytest.Join(t, strict, auth{"token": token(t, claims("ann"))})
}

func TestASessionBesideATokenMustNotBeAnothers(t *testing.T) {
	t.Parallel()
	_, _, at := together(t, 1, bySecret(t))
	zoe := gatewaytest.Join(t, at[0], auth{"username": "zoe"})
	refusedWith(t, at[0], "invalid session", auth{"token": token(t, claims("ann")), "sessionID": zoe.SessionID})
	// Nor does a token that names her id make its user her.
	refusedWith(t, at[0], "invalid session", auth{"token": token(t, claims(zoe.UserID)), "sessionID": zoe.SessionID})
	like := gatewaytest.Join(t, at[0], auth{"token": token(t, claims(zoe.UserID))})
	if like.UserID != "sub:"+zoe.UserID {
		t.Errorf("user %q", like.UserID)
	}
	for _, unknown := range []any{"", "x", strings.Repeat("0", 32), 7, nil} {
		gatewaytest.Join(t, at[0], auth{"token": token(t, claims("ann")), "sessionID": unknown})
	}
}

func TestAConnectionEndsWithItsToken(t *testing.T) {
	t.Parallel()
	_, _, at := together(t, 1, bySecret(t))
	exp := time.Now().Unix() + 2
	brief := gatewaytest.Join(t, at[0], auth{"token": token(t, claims("ann", jwt.MapClaims{"exp": exp}))})
	long := gatewaytest.Join(t, at[0], auth{"token": token(t, claims("ann"))})
	ended(t, brief.Client)
	if early := time.Until(time.Unix(exp, 0)); early > 0 {
		t.Errorf("it ended %v too early", early)
	}
	if ack, err := long.Send(testContext(t), "private message", map[string]any{"to": "ann", "content": "still here"}); err != nil || !ack.OK {
		t.Errorf("the other connection: %+v, %v", ack, err)
	}
	refusedWith(t, at[0], "token expired", auth{"token": token(t, claims("ann", jwt.MapClaims{"exp": exp}))})
}

func TestATokensRoomsAreTheOnlyOnes(t *testing.T) {
	t.Parallel()
	_, _, at := together(t, 1, bySecret(t))
	free := gatewaytest.Join(t, at[0], auth{"token": token(t, claims("bob")), "rooms": []string{"general", "vault", "team"}})
	for _, said := range []string{"general", "vault", "team"} {
		if ack, err := free.Send(testContext(t), "room message", map[string]any{"room": said, "content": "secret of " + said}); err != nil || !ack.OK {
			t.Fatal(ack, err)
		}
	}
	for _, c := range []struct {
		rooms []string
		in    map[string]bool
	}{{[]string{"team"}, map[string]bool{"team": true}}, {[]string{}, nil}, {[]string{"general", "team"}, map[string]bool{"general": true, "team": true}}} {
		p := gatewaytest.Join(t, at[0], auth{
			"token": token(t, claims("ann", jwt.MapClaims{"rooms": c.rooms})), "rooms": []string{"general", "vault", "team"}, "serverOffset": 0,
		})
		replayed := map[string]bool{}
		for _, m := range p.Replayed {
			if m.Room != "" {
				replayed[m.Room] = true
			}
		}
		if !maps.Equal(replayed, c.in) {
			t.Errorf("rooms %q: replayed %+v", c.rooms, p.Replayed)
		}
		for _, room := range []string{"general", "vault", "team"} {
			for _, ask := range []struct {
				event string
				args  any
			}{
				{"room message", map[string]any{"room": room, "content": "x"}}, {"history", map[string]any{"room": room}},
				{"typing", map[string]any{"room": room}}, {"room join", map[string]any{"room": room}},
				{"room message", map[string]any{"room": room, "content": "once more"}},
			} {
				var ack gatewaytest.Ack
				if _, err := p.Ask(testContext(t), &ack, ask.event, ask.args); err != nil || ack.OK != c.in[room] || !ack.OK && ack.Error.Code != "forbidden" {
					t.Errorf("rooms %q: %s in %s: %+v, %v", c.rooms, ask.event, room, ack, err)
				}
			}
		}
		if ack, err := p.Send(testContext(t), "chat message", "x"); err != nil || ack.OK != c.in["general"] {
			t.Errorf("rooms %q: chat message: %+v, %v", c.rooms, ack, err)
		}
		if ack, err := p.Send(testContext(t), "new message", "x"); err != nil || ack.OK != c.in["general"] {
			t.Errorf("rooms %q: new message: %+v, %v", c.rooms, ack, err)
		}
		if ack, err := p.Send(testContext(t), "private message", map[string]any{"to": "bob", "content": "x"}); err != nil || !ack.OK {
			t.Errorf("rooms %q: private message: %+v, %v", c.rooms, ack, err)
		}
	}
}

// TestKeysOfAKeySetMayBeAwayAndChange also while the gateway starts.
func TestKeysOfAKeySetMayBeAwayAndChange(t *testing.T) {
	t.Parallel()
	var published atomic.Pointer[[]byte] // nil: down
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if body := published.Load(); body != nil {
			_, _ = w.Write(*body)
			return
		}
		http.Error(w, "down", http.StatusBadGateway)
	}))
	t.Cleanup(provider.Close)
	keys := map[string]*ecdsa.PrivateKey{}
	publish := func(kids ...string) {
		set := []map[string]any{}
		for _, kid := range kids {
			if keys[kid] == nil {
				key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
				if err != nil {
					t.Fatal(err)
				}
				keys[kid] = key
			}
			point, err := keys[kid].PublicKey.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			text := base64.RawURLEncoding.EncodeToString
			set = append(set, map[string]any{"kty": "EC", "crv": "P-256", "kid": kid, "x": text(point[1:33]), "y": text(point[33:])})
		}
		body, err := json.Marshal(map[string]any{"keys": set})
		if err != nil {
			t.Fatal(err)
		}
		published.Store(&body)
	}
	of := func(kid string) auth {
		return auth{"token": signed(t, jwt.SigningMethodES256, keys[kid], kid, claims("ann"))}
	}
	publish("old")
	published.Store(nil)
	_, _, at := together(t, 1, bySecret(t, func(a *config.Auth) {
		a.JWKS, a.Refresh = config.URL(provider.URL), time.Second
	}))
	notNow(t, at[0], of("old"))
	publish("old")
	eventuallyIn := func(a auth) {
		t.Helper()
		waitFor(t, func() bool {
			c, err := gatewaytest.Dial(testContext(t), at[0], a)
			if err == nil {
				c.Close()
			}
			return err == nil
		})
	}
	eventuallyIn(of("old"))
	publish("old", "new")
	eventuallyIn(of("new"))
	published.Store(nil)
	eventuallyIn(of("new")) // as it was known
	publish("new")
	waitFor(t, func() bool {
		c, err := gatewaytest.Dial(testContext(t), at[0], of("old"))
		if err == nil {
			c.Close()
		}
		refused := (*gatewaytest.ErrRefused)(nil)
		return errors.As(err, &refused) && refused.Message == "invalid token"
	})
	eventuallyIn(of("new"))
}

// waitFor waits until something holds that is asked for again and again.
func waitFor(t testing.TB, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(gatewaytest.Timeout); !holds(); {
		if time.Now().After(deadline) {
			t.Fatal("it did not come to hold")
		}
		<-time.After(20 * time.Millisecond)
	}
}

// registrations is how often a user has registered in the log.
func registrations(t testing.TB, js jetstream.JetStream, user string) (n int) {
	t.Helper()
	log := eventlog.Open(js)
	state, err := log.State(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	for offset := state.First; offset <= state.Last; offset++ {
		e, err := log.Get(testContext(t), offset)
		if err != nil {
			t.Fatal(err)
		}
		if e.Type == event.Registered && e.Sender == user {
			n++
		}
	}
	return n
}
