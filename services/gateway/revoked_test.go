package gateway_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/services/gateway"
	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/revocation"
	"github.com/tidemark-chat/tidemark/streams/session"
)

// revoke revokes as the command does.
func revoke(t testing.TB, js jetstream.JetStream, r revocation.Revocation) revocation.Revocation {
	t.Helper()
	r, err := revocation.Revoke(testContext(t), js, r)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestARevokedUserIsCutEverywhereAndNotLetInAgain(t *testing.T) {
	t.Parallel()
	server, _, at := together(t, 2)
	operator := server.Connect()
	zoe := gatewaytest.Join(t, at[0], auth{"username": "zoe"})
	there := gatewaytest.Join(t, at[1], auth{"sessionID": zoe.SessionID})
	bystander := gatewaytest.Join(t, at[1], auth{"username": "zoe"}) // of the same name
	began := time.Now()
	revoke(t, operator, revocation.Revocation{Target: revocation.Target{User: zoe.UserID}, Reason: "spam"})
	ended(t, zoe.Client)
	ended(t, there.Client)
	t.Logf("cut after %v", time.Since(began).Round(time.Millisecond))
	for _, address := range at {
		refusedWith(t, address, "invalid username", auth{"sessionID": zoe.SessionID})
	}
	other := gatewaytest.Join(t, at[0], auth{"sessionID": zoe.SessionID, "username": "zoe"})
	if other.UserID == zoe.UserID || other.SessionID == zoe.SessionID {
		t.Errorf("she is back as %q", other.UserID)
	}
	if ack, err := bystander.Send(testContext(t), "private message", map[string]any{"to": bystander.UserID, "content": "fine"}); err != nil || !ack.OK {
		t.Errorf("the bystander: %+v, %v", ack, err)
	}
	later := gatewaytest.Start(t, gatewaytest.Config(server.URL())) // knows it too
	refusedWith(t, later.Address, "invalid username", auth{"sessionID": zoe.SessionID})
	if _, err := revocation.Lift(testContext(t), operator, revocation.Target{User: zoe.UserID}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool {
		c, err := gatewaytest.Dial(testContext(t), at[0], auth{"sessionID": zoe.SessionID})
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func TestARevokedSessionIsCutEverywhere(t *testing.T) {
	t.Parallel()
	server, _, at := together(t, 2)
	operator := server.Connect()
	zoe := gatewaytest.Join(t, at[0], auth{"username": "zoe"})
	there := gatewaytest.Join(t, at[1], auth{"sessionID": zoe.SessionID})
	hash := session.Hash(zoe.SessionID)
	sessions := session.Open(operator, session.Config{})
	owner, err := sessions.Owner(testContext(t), hash)
	if err != nil || owner.ID != zoe.UserID {
		t.Fatal(owner, err)
	}
	revoke(t, operator, revocation.Revocation{Target: revocation.Target{Session: hash}, Of: owner.ID})
	ended(t, zoe.Client)
	ended(t, there.Client)
	for _, address := range at { // though it is not yet removed
		refusedWith(t, address, "invalid username", auth{"sessionID": zoe.SessionID})
	}
	if err := sessions.Remove(testContext(t), hash); err != nil {
		t.Fatal(err)
	}
	refusedWith(t, at[0], "invalid username", auth{"sessionID": zoe.SessionID})
}

func TestARevocationEndsTheTokensIssuedBefore(t *testing.T) {
	t.Parallel()
	server, _, at := together(t, 2, bySecret(t))
	now := time.Now().Unix()
	old := claims("ann", jwt.MapClaims{"iat": now - 2})
	dateless := claims("ann", jwt.MapClaims{"iat": nil})
	first, second := gatewaytest.Join(t, at[0], auth{"token": token(t, old)}), gatewaytest.Join(t, at[1], auth{"token": token(t, dateless)})
	bob := gatewaytest.Join(t, at[1], auth{"token": token(t, claims("bob"))})
	r := revoke(t, server.Connect(), revocation.Revocation{Target: revocation.Target{User: "ann"}})
	ended(t, first.Client)
	ended(t, second.Client)
	for _, address := range at {
		refusedWith(t, address, "invalid token", auth{"token": token(t, old)})
		refusedWith(t, address, "invalid token", auth{"token": token(t, dateless)})
	}
	// One issued in a later second is good, also after the revocations were read anew.
	waitFor(t, func() bool { return time.Now().Unix() > r.At.Unix() })
	fresh := gatewaytest.Join(t, at[0], auth{"token": token(t, claims("ann"))})
	late := gatewaytest.Config(server.URL())
	bySecret(t)(&late)
	gatewaytest.Join(t, gatewaytest.Start(t, late).Address, auth{"token": token(t, claims("ann"))})
	for _, p := range []*gatewaytest.Peer{fresh, bob} {
		if ack, err := p.Send(testContext(t), "private message", map[string]any{"to": "bob", "content": "still here"}); err != nil || !ack.OK {
			t.Errorf("%s: %+v, %v", p.UserID, ack, err)
		}
	}
}

// TestWithoutTheRevocationsNobodyIsLetInAndNobodyCut takes the bucket away from a
// gateway, which neither makes another nor takes one, until it is started again.
func TestWithoutTheRevocationsNobodyIsLetInAndNobodyCut(t *testing.T) {
	t.Parallel()
	server := logtest.Start(t)
	cfg := gatewaytest.Config(server.URL())
	bySecret(t)(&cfg)
	g, js := gatewaytest.Start(t, cfg), server.Connect()
	address := g.Address
	zoe := gatewaytest.Join(t, address, auth{"username": "zoe"})
	ann := gatewaytest.Join(t, address, auth{"token": token(t, claims("ann"))})
	if err := js.DeleteStream(testContext(t), "KV_REVOCATIONS"); err != nil {
		t.Fatal(err)
	}
	letIn := func() bool {
		c, err := gatewaytest.Dial(testContext(t), address, auth{"sessionID": zoe.SessionID})
		if err == nil {
			c.Close()
		}
		return err == nil
	}
	waitFor(t, func() bool { return !letIn() })
	notNow(t, address, auth{"sessionID": zoe.SessionID})
	notNow(t, address, auth{"token": token(t, claims("ann"))})
	gatewaytest.Join(t, address, nil) // a guest is nobody
	for _, p := range []*gatewaytest.Peer{zoe, ann} {
		if ack, err := p.Send(testContext(t), "private message", map[string]any{"to": zoe.UserID, "content": "still here"}); err != nil || !ack.OK {
			t.Errorf("%s: %+v, %v", p.UserID, ack, err)
		}
	}
	if err := revocation.Provision(testContext(t), js, 1, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	notNow(t, address, auth{"sessionID": zoe.SessionID}) // an empty one is not what was lost
	if err := g.Stop(); err != nil {
		t.Fatal(err)
	}
	address = gatewaytest.Start(t, cfg).Address
	waitFor(t, letIn)
}

func TestAGatewayThatNeverKnewTheRevocationsIsNotReady(t *testing.T) {
	t.Parallel()
	server, _, _ := together(t, 1)
	js := server.Connect()
	if err := js.DeleteStream(testContext(t), "KV_REVOCATIONS"); err != nil {
		t.Fatal(err)
	}
	cfg := gatewaytest.Config(server.URL())
	cfg.NATS.Provision = false
	g, err := gateway.New(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	is := func(status int, current, text string) bool {
		code, body := gatewaytest.Get(g.Address(), "/readyz")
		_, metrics := gatewaytest.Get(g.Address(), "/metrics")
		return code == status && strings.Contains(body, text) && strings.Contains(metrics, "tidemark_gateway_revocations_current "+current)
	}
	waitFor(t, func() bool { return is(503, "0", "REVOCATIONS") })
	if err := revocation.Provision(testContext(t), js, 1, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return is(200, "1", "ready") })
}

func TestWhoseSessionHasGoneIsCut(t *testing.T) {
	t.Parallel()
	server := logtest.Start(t)
	cfg := gatewaytest.Config(server.URL())
	cfg.Gateway.SessionTTL = 5 * time.Second
	address := gatewaytest.Start(t, cfg).Address
	zoe, other := gatewaytest.Join(t, address, auth{"username": "zoe"}), gatewaytest.Join(t, address, auth{"username": "zoe"})
	if err := session.Open(server.Connect(), session.Config{}).Remove(testContext(t), session.Hash(zoe.SessionID)); err != nil {
		t.Fatal(err)
	}
	ended(t, zoe.Client)
	if ack, err := other.Send(testContext(t), "private message", map[string]any{"to": other.UserID, "content": "still here"}); err != nil || !ack.OK {
		t.Errorf("%+v, %v", ack, err)
	}
}
