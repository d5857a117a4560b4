package gateway_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), gatewaytest.Timeout)
	t.Cleanup(cancel)
	return ctx
}

func send(t testing.TB, c *gatewaytest.Client, args ...any) gatewaytest.Ack {
	t.Helper()
	ack, err := c.Send(testContext(t), "chat message", args...)
	if err != nil {
		t.Fatal(err)
	}
	return ack
}

func expectMessage(t testing.TB, c *gatewaytest.Client, content string, offset uint64) gatewaytest.Message {
	t.Helper()
	m, err := c.NextMessage(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	if m.Content != content || m.Offset != offset {
		t.Fatalf("got %q at %d, want %q at %d", m.Content, m.Offset, content, offset)
	}
	return m
}

func TestEveryArityReachesEveryoneInTheLogsOrder(t *testing.T) {
	s := logtest.Start(t)
	g := gatewaytest.Start(t, gatewaytest.Config(s.URL()))
	a, b := gatewaytest.Connect(t, g.Address, nil), gatewaytest.Connect(t, g.Address, map[string]any{"serverOffset": 0})

	if err := a.Emit("chat message", "one"); err != nil { // (msg)
		t.Fatal(err)
	}
	expectMessage(t, b, "one", 1)
	if ack := send(t, a, "two"); !ack.OK || ack.Offset != 2 || ack.Duplicate || ack.ID == "" { // (msg, ack)
		t.Errorf("ack %+v", ack)
	}
	if err := a.Emit("chat message", "three", a.SocketID+"-0"); err != nil { // (msg, key)
		t.Fatal(err)
	}
	if ack := send(t, a, "four", a.SocketID+"-1"); !ack.OK || ack.Offset != 4 || ack.Duplicate { // (msg, key, ack)
		t.Errorf("ack %+v", ack)
	}
	for i, content := range []string{"one", "two", "three", "four"} {
		m := expectMessage(t, a, content, uint64(i+1))
		if at, err := time.Parse(time.RFC3339, m.Meta.At); err != nil || !strings.HasSuffix(m.Meta.At, "Z") || time.Since(at) > time.Minute {
			t.Errorf("at %q", m.Meta.At)
		}
		if want := map[int]string{2: a.SocketID + "-0", 3: a.SocketID + "-1"}[i]; m.Meta.ClientOffset != want {
			t.Errorf("the sender was told clientOffset %q, want %q", m.Meta.ClientOffset, want)
		}
		if i > 0 {
			if m := expectMessage(t, b, content, uint64(i+1)); m.Meta.ClientOffset != "" {
				t.Errorf("another was told clientOffset %q", m.Meta.ClientOffset)
			}
		}
	}
}

func TestRefusalsAreAckedWithTheirCode(t *testing.T) {
	s := logtest.Start(t)
	g := gatewaytest.Start(t, gatewaytest.Config(s.URL()))
	c := gatewaytest.Connect(t, g.Address, nil)
	for _, r := range []struct {
		args []any
		code string
	}{
		{[]any{}, "invalid_payload"},
		{[]any{""}, "invalid_payload"},
		{[]any{nil}, "invalid_payload"},
		{[]any{map[string]any{"a": 1}}, "invalid_payload"},
		{[]any{[]any{1, 2}}, "invalid_payload"},
		{[]any{7}, "invalid_payload"},
		{[]any{"hi", 7}, "invalid_payload"},
		{[]any{"hi", ""}, "invalid_payload"},
		{[]any{"hi", strings.Repeat("k", 129)}, "invalid_payload"},
		{[]any{"hi", "k", "more"}, "invalid_payload"},
		{[]any{strings.Repeat("x", 16<<10+1)}, "too_large"},
		{[]any{strings.Repeat("x", 100<<10)}, "too_large"},
	} {
		if ack := send(t, c, r.args...); ack.OK || ack.Error.Code != r.code || ack.Error.Message == "" {
			t.Errorf("%.40q: %+v, want %s", fmt.Sprint(r.args), ack, r.code)
		}
	}
	if ack := send(t, c, strings.Repeat("x", 16<<10)); !ack.OK || ack.Offset != 1 {
		t.Errorf("after all that, the largest message: %+v", ack)
	}
}

func TestARateLimitedMessageIsRefusedAndLaterTaken(t *testing.T) {
	s := logtest.Start(t)
	cfg := gatewaytest.Config(s.URL())
	cfg.Gateway.RateLimit = 5
	g := gatewaytest.Start(t, cfg)
	c, other := gatewaytest.Connect(t, g.Address, nil), gatewaytest.Connect(t, g.Address, nil)
	refused := gatewaytest.Ack{}
	for range 6 {
		refused = send(t, c, "x")
	}
	if refused.OK || refused.Error.Code != "rate_limited" || refused.Error.RetryAfterMs < 1 || refused.Error.RetryAfterMs > 200 {
		t.Fatalf("the sixth at once: %+v", refused)
	}
	if ack := send(t, other, "x"); !ack.OK {
		t.Errorf("another socket: %+v", ack)
	}
	<-time.After(time.Duration(refused.Error.RetryAfterMs) * time.Millisecond)
	if ack := send(t, c, "x"); !ack.OK {
		t.Errorf("after the time it was told: %+v", ack)
	}
}

// TestWhatWasTypedOfflineIsSlowedDownNotRefused sends, one by one as official
// clients do, more than the rate allows.
func TestWhatWasTypedOfflineIsSlowedDownNotRefused(t *testing.T) {
	cfg := gatewaytest.Config(logtest.Start(t).URL())
	cfg.Gateway.RateLimit = 20
	g := gatewaytest.Start(t, cfg)
	c := gatewaytest.Connect(t, g.Address, nil)
	for i := range 30 {
		if ack := send(t, c, "typed offline", fmt.Sprint("undefined-", i)); !ack.OK {
			t.Fatalf("message %d: %+v", i, ack)
		}
	}
	refused := 0
	for i := range 30 {
		if ack := send(t, c, "typed now", fmt.Sprintf("%s-%d", c.SocketID, i)); !ack.OK {
			refused++
		}
	}
	if refused == 0 {
		t.Error("one that types too fast is never refused")
	}
}

func TestASilenceIsMadeUpFor(t *testing.T) {
	cfg := gatewaytest.Config(logtest.Start(t).URL())
	cfg.Gateway.RateLimit = 10
	g := gatewaytest.Start(t, cfg)
	c := gatewaytest.Connect(t, g.Address, nil)
	<-time.After(2 * time.Second)
	for i := range 25 { // ten at once, and what was not used in two seconds
		if ack := send(t, c, "x"); !ack.OK {
			t.Fatalf("message %d: %+v", i, ack)
		}
	}
}

func TestAnUnknownEventIsAnsweredIfItWantsToBe(t *testing.T) {
	g := gatewaytest.Start(t, gatewaytest.Config(logtest.Start(t).URL()))
	c := gatewaytest.Connect(t, g.Address, nil)
	if err := c.Emit("nobody knows", 1); err != nil {
		t.Fatal(err)
	}
	if ack, err := c.Send(testContext(t), "nobody knows", 1); err != nil || ack.OK || ack.Error.Code != "invalid_payload" {
		t.Errorf("%+v, %v", ack, err)
	}
}
