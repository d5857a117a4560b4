package gateway_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
)

// names are the names of events.
func names(events []gatewaytest.Event) (names []string) {
	for _, e := range events {
		names = append(names, e.Name)
	}
	return names
}

// until takes events up to the first of a name.
func until(t testing.TB, c *gatewaytest.Client, name string) []gatewaytest.Event {
	t.Helper()
	events, err := c.Until(testContext(t), func(e gatewaytest.Event) bool { return e.Name == name })
	if err != nil {
		t.Fatalf("before %q: %v, after %s", name, err, text(events))
	}
	return events
}

func TestAUsersConnectionBeginsWithSessionUsersRecovery(t *testing.T) {
	t.Parallel()
	_, _, at := together(t, 1)
	alice := gatewaytest.Connect(t, at[0], auth{"username": "alice"})
	events := until(t, alice, "recovery")
	if got := names(events); !slices.Equal(got, []string{"session", "users", "recovery"}) {
		t.Fatalf("got %s", text(events))
	}
	var session map[string]string
	var users []map[string]any
	if err := errors.Join(json.Unmarshal(events[0].Args[0], &session), json.Unmarshal(events[1].Args[0], &users)); err != nil {
		t.Fatal(err)
	}
	if len(session) != 2 || len(session["sessionID"]) < 32 || len(session["userID"]) < 32 || session["sessionID"] == session["userID"] {
		t.Errorf("session %v", session)
	}
	if len(users) != 1 || users[0]["userID"] != session["userID"] || users[0]["username"] != "alice" || users[0]["connected"] != true ||
		len(users[0]) != 4 || !slices.Equal(users[0]["messages"].([]any), []any{}) {
		t.Errorf("users %v, want alice herself, online, without messages", users)
	}
	// What there was before a user comes is not replayed, and neither does anything
	// come before users where she asks for it.
	bob := gatewaytest.Join(t, at[0], auth{"username": "bob"})
	for _, content := range []string{"one", "two"} {
		privately(t, bob, session["userID"], content)
	}
	again := gatewaytest.Connect(t, at[0], auth{"sessionID": session["sessionID"], "serverOffset": 0})
	events = until(t, again, "recovery")
	if got := names(events); !slices.Equal(got, []string{"session", "users", "private message", "private message", "recovery"}) {
		t.Errorf("with serverOffset 0: %s", text(events))
	}
}

// privately sends a direct message, with a key if one is given.
func privately(t testing.TB, p *gatewaytest.Peer, to, content string, key ...string) gatewaytest.Ack {
	t.Helper()
	message := map[string]any{"content": content, "to": to}
	if len(key) > 0 {
		message["clientOffset"] = key[0]
	}
	ack, err := p.Send(testContext(t), "private message", message)
	if err != nil {
		t.Fatalf("private message %q: %v", content, err)
	}
	return ack
}

func TestASessionKeepsItsUserAcrossConnectionsGatewaysAndNames(t *testing.T) {
	t.Parallel()
	_, _, at := together(t, 2)
	first := gatewaytest.Join(t, at[0], auth{"username": "alice"})
	same := func(p *gatewaytest.Peer) {
		t.Helper()
		entry, ok := p.Listed(first.UserID)
		if p.SessionID != first.SessionID || p.UserID != first.UserID || !ok || entry.Username != "alice" || len(p.Users) != 1 {
			t.Errorf("session %q, user %q, listed %+v", p.SessionID, p.UserID, p.Users)
		}
	}
	same(gatewaytest.Join(t, at[0], auth{"sessionID": first.SessionID}))
	same(gatewaytest.Join(t, at[1], auth{"sessionID": first.SessionID}))
	same(gatewaytest.Join(t, at[1], auth{"sessionID": first.SessionID, "username": "somebody else"}))
	first.Close()
	same(gatewaytest.Join(t, at[1], auth{"sessionID": first.SessionID, "username": ""}))
	other := gatewaytest.Join(t, at[0], auth{"username": "alice"})
	if other.UserID == first.UserID || other.SessionID == first.SessionID {
		t.Error("one who gives the same name is the same user")
	}
}

// TestNothingThatIsKeptCanBeUsedAsASession looks at all that the log's server
// keeps: the bucket of sessions and the log.
func TestNothingThatIsKeptCanBeUsedAsASession(t *testing.T) {
	t.Parallel()
	s, _, at := together(t, 1)
	alice := gatewaytest.Join(t, at[0], auth{"username": "alice"})
	privately(t, alice, alice.UserID, "a note")
	js := s.Connect()
	ctx := testContext(t)
	var kept []string
	streams := js.ListStreams(ctx)
	for info := range streams.Info() {
		stream, err := js.Stream(ctx, info.Config.Name)
		if err != nil {
			t.Fatal(err)
		}
		for offset := info.State.FirstSeq; offset <= info.State.LastSeq; offset++ {
			m, err := stream.GetMsg(ctx, offset)
			if err != nil {
				continue // removed meanwhile
			}
			kept = append(kept, m.Subject, string(m.Data))
			kept = append(kept, strings.Split(m.Subject, ".")...)
			for name, values := range m.Header {
				kept = append(append(kept, name), values...)
			}
			var fields map[string]string
			if json.Unmarshal(m.Data, &fields) == nil {
				for name, value := range fields {
					kept = append(kept, name, value)
				}
			}
		}
	}
	if err := streams.Err(); err != nil {
		t.Fatal(err)
	}
	if state, err := eventlog.Open(js).State(ctx); err != nil || state.Last != 2 || !slices.Contains(kept, alice.UserID) || !slices.Contains(kept, "a note") {
		t.Fatalf("the log was not looked at: %+v, %v", state, err)
	}
	slices.Sort(kept)
	for _, text := range slices.Compact(kept) {
		if strings.Contains(text, alice.SessionID) {
			t.Errorf("kept: %q", text)
		}
		if p, err := gatewaytest.DialPeer(ctx, at[0], auth{"sessionID": text}); err == nil && p.UserID != "" {
			t.Errorf("%q is as good as a session", text)
			p.Close()
		}
	}
}

// changes counts what somebody was told of others, "+name" and "-userID", up to when
// some others whom he does not know yet are there.
func changes(t testing.TB, p *gatewaytest.Peer, marks ...string) map[string]int {
	t.Helper()
	count := make(map[string]int)
	_, err := p.Until(testContext(t), func(e gatewaytest.Event) bool {
		var entry gatewaytest.Listed
		var id string
		switch e.Name {
		case "user connected":
			if err := json.Unmarshal(e.Args[0], &entry); err != nil || !entry.Connected || entry.Messages == nil || len(entry.Messages) > 0 {
				t.Errorf("user connected %s: %v", e.Args, err)
			}
			count["+"+entry.Username]++
		case "user disconnected":
			if err := json.Unmarshal(e.Args[0], &id); err != nil {
				t.Errorf("user disconnected %s: %v", e.Args, err)
			}
			count["-"+id]++
		}
		return !slices.ContainsFunc(marks, func(mark string) bool { return count["+"+mark] == 0 })
	})
	if err != nil {
		t.Fatalf("before %q are there: %v, after %v", marks, err, count)
	}
	for _, mark := range marks {
		delete(count, "+"+mark)
	}
	return count
}

// TestAUserComesAndGoesOnce connects one user three times over two gateways.
func TestAUserComesAndGoesOnce(t *testing.T) {
	t.Parallel()
	_, _, at := together(t, 2)
	witnesses := []*gatewaytest.Peer{gatewaytest.Join(t, at[0], auth{"username": "w0"}), gatewaytest.Join(t, at[1], auth{"username": "w1"})}
	changes(t, witnesses[0], "w1")
	marks := 0
	expect := func(want map[string]int) {
		t.Helper()
		marks++
		names := []string{fmt.Sprint("mark 0/", marks), fmt.Sprint("mark 1/", marks)}
		for i, name := range names {
			gatewaytest.Join(t, at[i], auth{"username": name})
		}
		for i, w := range witnesses {
			if got := changes(t, w, names...); !maps.Equal(got, want) {
				t.Errorf("witness %d was told %v, want %v", i, got, want)
			}
		}
	}
	bob := gatewaytest.Join(t, at[0], auth{"username": "bob"})
	second := gatewaytest.Join(t, at[1], auth{"sessionID": bob.SessionID})
	third := gatewaytest.Join(t, at[0], auth{"sessionID": bob.SessionID})
	expect(map[string]int{"+bob": 1})
	leave := func(gateway int, p *gatewaytest.Peer) {
		t.Helper()
		connected := metric(at[gateway], "tidemark_gateway_connected")
		p.Close()
		eventually(t, "the gateway sees that the connection is over", func() bool {
			return metric(at[gateway], "tidemark_gateway_connected") < connected
		})
	}
	leave(0, bob)
	leave(1, second)
	expect(nil)
	leave(0, third)
	expect(map[string]int{"-" + bob.UserID: 1})
	for i := range at {
		if entry, ok := gatewaytest.Join(t, at[i], auth{"username": "late"}).Listed(bob.UserID); !ok || entry.Connected || entry.Username != "bob" {
			t.Errorf("bob is listed as %+v, %v", entry, ok)
		}
	}
	gatewaytest.Join(t, at[1], auth{"sessionID": bob.SessionID})
	expect(map[string]int{"+bob": 1, "+late": 2})
}

// TestNobodyIsWrittenToByOneHeKnowsNothingOf has new users write at once, through
// another gateway: a page knows where to show what they say.
func TestNobodyIsWrittenToByOneHeKnowsNothingOf(t *testing.T) {
	t.Parallel()
	_, _, at := together(t, 2)
	alice := gatewaytest.Join(t, at[0], auth{"username": "alice"})
	for i := range 20 {
		name := fmt.Sprint("newcomer ", i)
		newcomer := gatewaytest.Join(t, at[1], auth{"username": name})
		privately(t, newcomer, alice.UserID, "hello")
		events := until(t, alice.Client, "private message")
		if !strings.Contains(text(events), `"username":"`+name+`","connected":true`) {
			t.Errorf("before what %s says came %s", name, text(events))
		}
	}
}
