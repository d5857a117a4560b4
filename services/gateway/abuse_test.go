package gateway_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// cast is a circle on two gateways: mallory, whose other socket is in the room
// vault, alice and bob, a guest, and two who are in every room that can be
// mistaken for something else.
type cast struct {
	*circle
	at                                 []string // addresses of the gateways
	mallory, second, alice, bob, guest *gatewaytest.Peer
	mistaken                           []string // that are no user's and of no room that mallory is in
}

func newCast(t testing.TB, speaker string) cast {
	_, _, at := together(t, 2)
	join := func(gateway int, a auth, rooms ...string) *gatewaytest.Peer {
		return gatewaytest.Join(t, at[gateway], a.With(auth{"rooms": append(rooms, markers)}))
	}
	c := cast{at: at}
	c.mallory = join(0, auth{"username": "mallory"})
	c.second = join(1, auth{"sessionID": c.mallory.SessionID}, "vault", "general")
	c.alice = join(1, auth{"username": "alice"}, "vault", "general")
	c.bob = join(0, auth{"username": "bob"}, "vault")
	c.guest = join(0, auth{}, "vault")
	c.mistaken = c.mistakable()
	everywhere := append([]string{"vault", c.alice.UserID, c.bob.UserID, c.mallory.UserID}, c.mistaken...)
	if len(everywhere) > 99 {
		t.Fatal("more rooms than one may be in")
	}
	c.circle = newCircle(t, speaker, map[string]*gatewaytest.Peer{
		"mallory": c.mallory, "mallory's other socket": c.second, "alice": c.alice, "bob": c.bob, "guest": c.guest,
		"a user in every room":  join(1, auth{"username": "u"}, everywhere...),
		"a guest in every room": join(0, auth{}, everywhere...),
	})
	return c
}

// mistakable are names that something careless could take for a user, a socket, a
// conversation, a subject, or the rooms vault and general.
func (c cast) mistakable() []string {
	conversations := []subject.Conversation{
		{Kind: subject.DM, Name: subject.PairName(c.alice.UserID, c.bob.UserID)},
		{Kind: subject.DM, Name: subject.PairName(c.alice.UserID, c.mallory.UserID)},
		{Kind: subject.Room, Name: "vault"}, {Kind: subject.Room, Name: markers}, {Kind: subject.User, Name: c.alice.UserID},
		subject.General, subject.Inbox(c.alice.UserID), subject.Inbox(c.mallory.UserID),
	}
	names := []string{
		c.mallory.SocketID, c.second.SocketID, c.alice.SocketID, c.guest.SocketID, c.alice.SessionID, c.mallory.SessionID,
		"alice", "mallory", conversations[0].Name,
	}
	for _, conversation := range conversations {
		names = append(names, conversation.String(), subject.Of(conversation), subject.Token(conversation.Name))
	}
	for _, name := range []string{"vault", c.alice.UserID} {
		names = append(names,
			strings.ToUpper(name), name+" ", " "+name, name+"\u00a0", name+"\x00", "\x00"+name, name+"\n", name+"\t", "\r\n"+name,
			"\ufeff"+name, "\u202e"+name, name[:1]+"\u200b"+name[1:], name+"\u0301", name+name, name[:len(name)-1],
			"v\u0430ult"+name[5:], "\uff56"+name[1:], "["+name+"]", `"`+name+`"`, name+",vault",
		)
	}
	return append(names,
		"General", "g\u0435neral", "*", ">", "chat.>", "chat.*.dm.>", "chat.0.room.*", "tidemark.signal.typing", "_INBOX.>", "#", "/",
		"/#"+c.alice.SocketID, "__proto__", "constructor", "undefined", "null", "0", "[object Object]", "../vault", "%76ault",
		"'; DROP TABLE messages; --", strings.Repeat("v", 128),
	)
}

// nothings are what is no name at all.
var nothings = []any{
	nil, "", 0, 7, -1.5, true, false, []any{}, []any{"vault"}, []any{[]any{}}, map[string]any{}, map[string]any{"room": "vault"},
	strings.Repeat("v", 129), strings.Repeat("é", 129), strings.Repeat("x", 10_000),
}

func TestAPrivateMessageToWhoIsNoUserReachesNobody(t *testing.T) {
	t.Parallel()
	c := newCast(t, "mallory")
	to := func(to any) map[string]any { return map[string]any{"content": "x", "to": to, "room": "vault"} }
	for _, name := range append(c.mistaken, "vault", "general", markers) {
		c.unheard("unknown_recipient", "private message", to(name))
	}
	for _, nothing := range nothings {
		c.unheard("invalid_payload", "private message", to(nothing))
	}
	for _, user := range []any{[]any{c.alice.UserID}, map[string]any{"userID": c.alice.UserID}} {
		c.unheard("invalid_payload", "private message", to(user))
		c.unheard("invalid_payload", "typing", map[string]any{"to": user})
	}
	for _, args := range [][]any{
		{}, {nil}, {"x"}, {c.alice.UserID, "x"}, {to(c.alice.UserID), to(c.alice.UserID)}, {[]any{to(c.alice.UserID)}},
		{map[string]any{"content": "x"}}, {map[string]any{"To": c.alice.UserID, "content": "x"}},
		{map[string]any{"__proto__": to(c.alice.UserID)}}, {map[string]any{"to": c.alice.UserID}},
		{map[string]any{"to": c.alice.UserID, "content": ""}}, {map[string]any{"to": c.alice.UserID, "content": []any{"x"}}},
		{map[string]any{"to": c.alice.UserID, "content": "x", "clientOffset": 7}},
		{map[string]any{"to": c.alice.UserID, "content": "x", "clientOffset": ""}},
		{map[string]any{"to": c.alice.UserID, "content": "x", "clientOffset": strings.Repeat("k", 129)}},
	} {
		c.unheard("invalid_payload", "private message", args...)
	}
	c.unheard("too_large", "private message", map[string]any{"to": c.alice.UserID, "content": strings.Repeat("x", 16<<10+1)})
}

// TestTypingToWhoIsNoUserReachesNobody is not refused: whether there is such a
// user is not looked up for it.
func TestTypingToWhoIsNoUserReachesNobody(t *testing.T) {
	t.Parallel()
	c := newCast(t, "mallory")
	for _, name := range append(c.mistaken, "vault", "general", markers) {
		c.ask("typing", map[string]any{"to": name})
		c.ask("stop typing", map[string]any{"to": name})
		c.heard(fmt.Sprintf("typing to %q", name), 0, nil)
	}
	for _, nothing := range nothings {
		c.unheard("invalid_payload", "typing", map[string]any{"to": nothing})
		c.unheard("invalid_payload", "typing", map[string]any{"room": nothing})
	}
	c.unheard("invalid_payload", "typing", map[string]any{"room": markers, "to": c.alice.UserID})
}

// TestARoomIsClosedToWhoIsNotInIt tries rooms that nobody let mallory into, the
// room that her other socket is in, and general, which users have to join too.
func TestARoomIsClosedToWhoIsNotInIt(t *testing.T) {
	t.Parallel()
	c := newCast(t, "mallory")
	for _, name := range append(c.mistaken, "vault", "general", c.alice.UserID, c.mallory.UserID) {
		room := map[string]any{"room": name, "content": "x", "limit": 1}
		for _, event := range []string{"room message", "typing", "stop typing", "history"} {
			c.refused("forbidden", event, room)
		}
		c.refused("forbidden", "history", map[string]any{"room": name, "after": 0})
		c.refused("forbidden", "history", map[string]any{"room": name, "at": "2100-01-01T00:00:00Z"})
		c.heard(fmt.Sprintf("what was sent to room %q", name), 0, nil)
	}
	c.unheard("forbidden", "chat message", "x")
	c.unheard("forbidden", "chat message", "x", c.mallory.SocketID+"-0")
	c.unheard("forbidden", "new message", "x")
	c.unheard("forbidden", "typing")
	c.unheard("forbidden", "stop typing", nil)
	for _, nothing := range nothings {
		room := map[string]any{"room": nothing, "content": "x"}
		for _, event := range []string{"room message", "history", "room join", "room leave"} {
			c.refused("invalid_payload", event, room)
		}
		c.heard(fmt.Sprintf("what was sent to room %.100v", nothing), 0, nil)
	}
	for _, event := range []string{"room message", "history", "room join", "room leave"} {
		for _, args := range [][]any{{}, {nil}, {markers}, {[]any{markers}}, {markers, "x"}, {map[string]any{"__proto__": map[string]any{"room": markers}}}} {
			c.unheard("invalid_payload", event, args...)
		}
	}
}

func TestARoomIsClosedToWhoHasLeftIt(t *testing.T) {
	t.Parallel()
	c := newCast(t, "mallory")
	vault := map[string]any{"room": "vault", "content": "x"}
	if ack := c.ask("room join", vault); !ack.OK {
		t.Fatalf("join: %+v", ack)
	}
	c.ask("room message", vault)
	inVault := map[string][]string{}
	for name := range c.peers {
		inVault[name] = []string{"room message"}
	}
	c.heard("a message of one who is in the room", 1, inVault)
	for range 2 { // leaving again changes nothing
		if ack := c.ask("room leave", vault); !ack.OK {
			t.Fatalf("leave: %+v", ack)
		}
		for _, event := range []string{"room message", "typing", "history"} {
			c.unheard("forbidden", event, vault)
		}
	}
	c.ask("room leave", map[string]any{"room": markers})
	if ack := c.ask("room message", map[string]any{"room": markers, "content": "x"}); ack.Error.Code != "forbidden" {
		t.Errorf("a room of the connect, left: %+v", ack)
	}
}

func TestGuestsSendNoDirectMessages(t *testing.T) {
	t.Parallel()
	c := newCast(t, "guest")
	for _, user := range []string{c.alice.UserID, c.mallory.UserID, c.guest.SocketID, "alice", "nobody"} {
		c.unheard("forbidden", "private message", map[string]any{"content": "x", "to": user})
		c.unheard("forbidden", "history", map[string]any{"with": user})
		c.unheard("forbidden", "typing", map[string]any{"to": user})
		c.unheard("forbidden", "stop typing", map[string]any{"to": user})
	}
}

// TestWhateverOneListensToDirectMessagesStayWithTheTwo has alice write, type and
// talk while everybody else is in rooms named like what she writes to, and guests
// claim to be her.
func TestWhateverOneListensToDirectMessagesStayWithTheTwo(t *testing.T) {
	t.Parallel()
	c := newCast(t, "alice")
	for i, a := range []auth{
		{"userID": c.bob.UserID}, {"from": c.bob.UserID, "id": c.bob.UserID, "to": c.bob.UserID}, {"sessionID": nil}, {"token": nil},
		{"user": auth{"userID": c.bob.UserID}}, {"session": c.bob.SessionID}, {"pid": c.bob.SessionID, "offset": "0"},
		{"__proto__": auth{"sessionID": c.bob.SessionID}}, {"rooms": []string{c.bob.UserID, "inbox:" + c.bob.UserID}},
	} {
		rooms, _ := a["rooms"].([]string)
		g := gatewaytest.Join(t, c.at[i%2], a.With(auth{"rooms": append(rooms, markers), "serverOffset": "latest"}))
		if g.UserID != "" || g.Users != nil {
			t.Errorf("auth %v made a user of a guest", a)
		}
		c.add(fmt.Sprint("guest ", a), g)
	}
	toBob := map[string]any{"to": c.bob.UserID, "content": "for bob", "clientOffset": "k"}
	for _, event := range []string{"private message", "typing", "stop typing"} {
		c.ask(event, toBob)
		stored := 0
		if event == "private message" {
			stored = 1
		}
		c.heard(event, stored, map[string][]string{"bob": {event}})
	}
	for _, kind := range []string{"room message", "typing", "stop typing"} {
		reached := map[string][]string{}
		for name, p := range c.peers {
			in := p == c.second || p == c.bob || p == c.guest || strings.HasSuffix(name, "in every room")
			if in || kind == "room message" && p == c.alice {
				reached[name] = []string{kind}
			}
		}
		c.ask(kind, map[string]any{"room": "vault", "content": "for the vault"})
		stored := 0
		if kind == "room message" {
			stored = 1
		}
		c.heard(kind, stored, reached)
	}
}

// TestHistoryWithSomebodyIsOnesOwnWithThem tries every name of the conversation of
// two others, in which there is something.
func TestHistoryWithSomebodyIsOnesOwnWithThem(t *testing.T) {
	t.Parallel()
	c := newCast(t, "alice")
	c.ask("private message", map[string]any{"to": c.bob.UserID, "content": "for bob"})
	c.heard("a private message", 1, map[string][]string{"bob": {"private message"}})
	// page asks in each of the ways there are, of which the answer must be the same.
	page := func(p *gatewaytest.Peer, of auth) (page gatewaytest.Page) {
		t.Helper()
		if _, err := p.Ask(testContext(t), &page, "history", of); err != nil {
			t.Fatal(err)
		}
		for _, place := range []auth{{"before": 1 << 40}, {"after": 0}, {"at": "9999-12-31T23:59:59Z"}} {
			var got gatewaytest.Page
			if _, err := p.Ask(testContext(t), &got, "history", of.With(place)); err != nil || got.OK != page.OK || !slices.Equal(got.Messages, page.Messages) {
				t.Errorf("%v %v: %+v, %v; otherwise %+v", of, place, got, err, page)
			}
		}
		return page
	}
	for _, with := range append(c.mistaken, c.alice.UserID, c.bob.UserID, c.mallory.UserID, c.alice.UserID+c.bob.UserID) {
		if got := page(c.mallory, map[string]any{"with": with}); !got.OK || len(got.Messages) > 0 || got.More {
			t.Errorf("mallory's history with %q: %+v", with, got)
		}
	}
	for p, with := range map[*gatewaytest.Peer]string{c.alice: c.bob.UserID, c.bob: c.alice.UserID} {
		if got := page(p, map[string]any{"with": with}); len(got.Messages) != 1 || got.Messages[0].Content != "for bob" || got.Messages[0].To != c.bob.UserID {
			t.Errorf("their own history: %+v", got)
		}
	}
	everywhere := c.peers["a user in every room"]
	for _, room := range c.mistaken {
		if got := page(everywhere, map[string]any{"room": room}); !got.OK || len(got.Messages) > 0 {
			t.Errorf("the history of room %q: %+v", room, got)
		}
	}
	for _, of := range []any{
		nil, "x", []any{}, map[string]any{}, map[string]any{"with": c.bob.UserID, "room": markers}, map[string]any{"with": []any{c.alice.UserID, c.bob.UserID}},
		map[string]any{"with": c.bob.UserID, "before": -1}, map[string]any{"with": c.bob.UserID, "limit": 0}, map[string]any{"with": c.bob.UserID, "after": 1, "before": 9},
		map[string]any{"with": c.bob.UserID, "after": -1}, map[string]any{"with": c.bob.UserID, "at": "now"}, map[string]any{"with": c.bob.UserID, "at": 1e12}, map[string]any{"with": strings.Repeat("v", 129)},
	} {
		c.unheard("invalid_payload", "history", of)
	}
}

// TestNoEventHarmsTheConnection sends every event, and events there are none, with
// everything that makes no sense.
func TestNoEventHarmsTheConnection(t *testing.T) {
	t.Parallel()
	c := newCast(t, "mallory")
	deep := any("x")
	for range 2000 {
		deep = []any{deep}
	}
	values := [][]any{
		{}, {nil, nil, nil, nil}, {map[string]any{}, map[string]any{}}, {deep}, {map[string]any{"_placeholder": true, "num": 0}},
		{map[string]any{"content": deep, "to": deep, "room": deep, "with": deep, "clientOffset": deep}}, {[]any{}, []any{}}, {"", ""},
		{nil}, {0}, {-1e308}, {true}, {[]any{nil}}, {map[string]any{"": ""}}, {map[string]any{"length": 1e9}}, {strings.Repeat("\x00", 3000)},
	}
	for _, event := range []string{
		"chat message", "room message", "private message", "new message", "room join", "room leave", "history", "typing", "stop typing", "add user",
		"connection", "error", "close", "session", "users", "recovery", "watermark", "user connected", "message", "", "__proto__", "constructor", "*",
	} {
		for _, args := range values {
			if ack := c.ask(event, args...); ack.OK || ack.Error.Code != "invalid_payload" && ack.Error.Code != "forbidden" {
				t.Errorf("%s: %+v", said(event, args), ack)
			}
			if err := c.mallory.Emit(event, args...); err != nil {
				t.Fatal(err)
			}
		}
		c.heard(fmt.Sprintf("%q", event), 0, nil)
	}
	// Names that Socket.IO keeps for itself are no events: its parser takes offence.
	for _, event := range []string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"} {
		own := gatewaytest.Join(t, c.at[0], auth{"sessionID": c.mallory.SessionID})
		if err := own.Emit(event, "x"); err != nil {
			t.Fatal(err)
		}
		<-own.Done()
		c.heard(fmt.Sprintf("%q", event), 0, nil)
	}
}
