package gateway_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
)

// nick has a connection send "add user".
func nick(t testing.TB, p *gatewaytest.Peer, name string) {
	t.Helper()
	if ack, err := p.Send(testContext(t), "add user", name); err != nil || !ack.OK {
		t.Fatalf("add user %q: %+v, %v", name, ack, err)
	}
}

// expect takes the next event, which must be a certain one.
func expect(t testing.TB, who string, p *gatewaytest.Peer, name, body string) {
	t.Helper()
	events, err := p.Until(testContext(t), func(gatewaytest.Event) bool { return true })
	if err != nil || events[0].Name != name || len(events[0].Args) != 1 || string(events[0].Args[0]) != body {
		t.Errorf("%s was sent %s, %v, want %s %s", who, text(events), err, name, body)
	}
}

// TestTheLoungeIsToldWhoComesAndGoes gives nicknames on two gateways.
func TestTheLoungeIsToldWhoComesAndGoes(t *testing.T) {
	t.Parallel()
	_, _, at := together(t, 2)
	ann, ben := gatewaytest.Join(t, at[0], auth{}), gatewaytest.Join(t, at[1], auth{})
	guest, user := gatewaytest.Join(t, at[0], auth{}), gatewaytest.Join(t, at[1], auth{"username": "uma", "rooms": []string{"general"}})
	nick(t, ann, "ann")
	expect(t, "ann", ann, "login", `{"numUsers":1}`)
	nick(t, ben, "<ben>")
	expect(t, "ann", ann, "user joined", `{"username":"<ben>","numUsers":2}`)
	// How many are there, ben is told as his gateway knows it then: ann he may still
	// have to be told of.
	e := until(t, ben.Client, "login")
	if body := string(e[0].Args[0]); body == `{"numUsers":1}` {
		expect(t, "ben", ben, "user joined", `{"username":"ann","numUsers":2}`)
	} else if body != `{"numUsers":2}` {
		t.Errorf("ben's login: %s", text(e))
	}
	nick(t, user, "another name") // a user has one
	expect(t, "uma", user, "login", `{"numUsers":3}`)
	expect(t, "ben", ben, "user joined", `{"username":"uma","numUsers":3}`)
	expect(t, "ann", ann, "user joined", `{"username":"uma","numUsers":3}`)
	nick(t, ann, "ann again") // only the first one counts
	nick(t, ben, "ben again")
	twin := gatewaytest.Join(t, at[0], auth{})
	nick(t, twin, "ann") // anybody may take any
	expect(t, "the twin", twin, "login", `{"numUsers":4}`)
	expect(t, "ann", ann, "user joined", `{"username":"ann","numUsers":4}`)
	expect(t, "ben", ben, "user joined", `{"username":"ann","numUsers":4}`)
	ben.Close()
	for name, p := range map[string]*gatewaytest.Peer{"ann": ann, "the twin": twin} {
		expect(t, name, p, "user left", `{"username":"<ben>","numUsers":3}`)
	}
	for _, name := range []any{"", nil, 7, []string{"x"}, fmt.Sprintf("%065d", 0)} {
		if ack, err := guest.Send(testContext(t), "add user", name); err != nil || ack.Error.Code != "invalid_payload" {
			t.Errorf("add user %v: %+v, %v", name, ack, err)
		}
	}
	send(t, guest.Client, "mark")
	if events := until(t, guest.Client, "chat message"); len(events) != 1 {
		t.Errorf("one without a nickname was sent %s", text(events))
	}
}

// TestTheLoungeGetsNewMessagesAndEverybodyChatMessages has people with and without
// nicknames talk in general, in each way.
func TestTheLoungeGetsNewMessagesAndEverybodyChatMessages(t *testing.T) {
	t.Parallel()
	_, _, at := together(t, 2)
	join := func(gateway int, a auth) *gatewaytest.Peer {
		return gatewaytest.Join(t, at[gateway], a.With(auth{"rooms": []string{markers, "general"}}))
	}
	ann, ben, guest := join(0, auth{}), join(1, auth{}), join(0, auth{})
	uma := join(1, auth{"username": "uma"})
	send(t, guest.Client, "before there was a nickname")
	nick(t, ann, "ann")
	nick(t, ben, "ben")
	until(t, ann.Client, "user joined")
	c := newCircle(t, "ann", map[string]*gatewaytest.Peer{
		"ann": ann, "ben": ben, "guest": guest, "uma": uma, "outside": gatewaytest.Join(t, at[0], auth{"username": "o", "rooms": []string{markers}}),
	})
	c.nicks = map[*gatewaytest.Peer]bool{ann: true, ben: true}
	chat, both := []string{"chat message"}, []string{"chat message", "new message"}
	for _, say := range []struct {
		speaker  *gatewaytest.Peer
		event    string
		as       string // empty: without a name, so there is no "new message"
		ann, ben []string
	}{
		{ann, "new message", "ann", chat, both},
		{ben, "new message", "ben", both, chat},
		{uma, "chat message", "uma", both, both},
		{uma, "new message", "uma", both, both}, // also without an "add user"
		{guest, "chat message", "", chat, chat},
		{guest, "new message", "", chat, chat},
		{ann, "chat message", "ann", chat, both},
	} {
		c.speaker = say.speaker
		ack := c.ask(say.event, "hi <b>")
		events := c.heard(say.event, 1, map[string][]string{"ann": say.ann, "ben": say.ben, "guest": chat, "uma": chat})
		for name, got := range events {
			for _, e := range got {
				var message map[string]string
				switch {
				case e.Post != nil && (e.Post.Offset != ack.Offset || e.Post.Content != "hi <b>" || e.Post.Username != say.as):
					t.Errorf("%s of %q: %s got %+v", say.event, say.as, name, e.Post)
				case e.Post == nil && (json.Unmarshal(e.Args[0], &message) != nil || len(message) != 2 || message["username"] != say.as || message["message"] != "hi <b>"):
					t.Errorf("%s of %q: %s got %s", say.event, say.as, name, text(got))
				}
			}
		}
	}
	// One who comes back catches up on chat messages, and hears new ones only after
	// his "add user".
	ben.Close()
	again := gatewaytest.Join(t, at[1], auth{"serverOffset": c.offset - 4})
	nick(t, again, "ben")
	if len(again.Replayed) != 2 {
		t.Errorf("replayed %+v", again.Replayed)
	}
	if ack, err := ann.Send(testContext(t), "new message", "welcome back"); err != nil || !ack.OK {
		t.Fatal(ack, err)
	}
	events := until(t, again.Client, "new message")
	if got := slices.DeleteFunc(names(events), func(name string) bool { return name != "new message" && name != "chat message" }); !slices.Equal(got, both) {
		t.Errorf("one who came back was sent %s", text(events))
	}
}

func TestTypingIsPassedOnToThoseItConcernsAndNeverStored(t *testing.T) {
	t.Parallel()
	_, _, at := together(t, 2)
	join := func(gateway int, a auth, rooms ...string) *gatewaytest.Peer {
		return gatewaytest.Join(t, at[gateway], a.With(auth{"rooms": append(rooms, markers)}))
	}
	alice, ann := join(0, auth{"username": "alice"}, "r", "general"), join(1, auth{})
	nick(t, ann, "ann")
	bob := join(0, auth{"username": "bob"})
	c := newCircle(t, "alice", map[string]*gatewaytest.Peer{
		"alice": alice, "alice 2": join(1, auth{"sessionID": alice.SessionID}, "r"), "bob": bob, "bob 2": join(1, auth{"sessionID": bob.SessionID}, "r"),
		"ann": ann, "guest": join(0, auth{}, "r"), "eve": join(1, auth{"username": "eve"}, "general"),
	})
	c.nicks = map[*gatewaytest.Peer]bool{ann: true}
	alices := `"username":"alice","userID":"` + alice.UserID + `"`
	for _, typing := range []struct {
		speaker *gatewaytest.Peer
		args    []any
		body    string
		reached []string
	}{
		{alice, nil, `{` + alices + `}`, []string{"ann", "guest", "eve"}},
		{alice, []any{nil}, ``, []string{"ann", "guest", "eve"}},
		{alice, []any{map[string]any{"room": "general"}}, `{` + alices + `,"room":"general"}`, []string{"ann", "guest", "eve"}},
		{alice, []any{map[string]any{"room": "r"}}, `{` + alices + `,"room":"r"}`, []string{"alice 2", "bob 2", "guest"}},
		{alice, []any{map[string]any{"to": bob.UserID}}, `{` + alices + `}`, []string{"bob", "bob 2"}},
		{alice, []any{map[string]any{"to": alice.UserID}}, `{` + alices + `}`, []string{"alice 2"}},
		{ann, nil, `{"username":"ann"}`, []string{"alice", "guest", "eve"}},
	} {
		for _, event := range []string{"typing", "stop typing"} {
			c.speaker = typing.speaker
			if ack := c.ask(event, typing.args...); !ack.OK {
				t.Errorf("%s: %+v", said(event, typing.args), ack)
			}
			want := map[string][]string{}
			for _, name := range typing.reached {
				want[name] = []string{event}
			}
			for name, events := range c.heard(said(event, typing.args), 0, want) {
				for _, e := range events {
					if typing.body != "" && string(e.Args[0]) != typing.body {
						t.Errorf("%s: %s was sent %s, want %s", said(event, typing.args), name, text(events), typing.body)
					}
				}
			}
		}
	}
	// One without a name types, and nobody is told.
	c.speaker = c.peers["guest"]
	c.ask("typing")
	c.ask("typing", map[string]any{"room": "r"})
	c.heard("a guest types", 0, nil)
}
