package gateway_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

// toRoom sends a message to a room.
func toRoom(t testing.TB, p *gatewaytest.Peer, room, content string) gatewaytest.Ack {
	t.Helper()
	ack, err := p.Send(testContext(t), "room message", map[string]any{"room": room, "content": content})
	if err != nil || !ack.OK {
		t.Fatalf("room message %q to %q: %+v, %v", content, room, ack, err)
	}
	return ack
}

// enter and leave have a client join and leave a room. after is how many events had
// come before the ack.
func enter(t testing.TB, p *gatewaytest.Peer, room string) (head uint64) {
	t.Helper()
	var ack gatewaytest.Joined
	if _, err := p.Ask(testContext(t), &ack, "room join", map[string]any{"room": room}); err != nil || !ack.OK || ack.Room != room {
		t.Fatalf("join %q: %+v, %v", room, ack, err)
	}
	return ack.Head
}

func leave(t testing.TB, p *gatewaytest.Peer, room string) (after int) {
	t.Helper()
	var ack gatewaytest.Joined
	after, err := p.Ask(testContext(t), &ack, "room leave", map[string]any{"room": room})
	if err != nil || !ack.OK || ack.Room != room {
		t.Fatalf("leave %q: %+v, %v", room, ack, err)
	}
	return after
}

// TestOneIsSentWhatARoomHasBetweenJoinAndLeave joins and leaves again and again, at
// another gateway, while others talk in the room.
func TestOneIsSentWhatARoomHasBetweenJoinAndLeave(t *testing.T) {
	t.Parallel()
	_, _, at := together(t, 2)
	guest := gatewaytest.Join(t, at[1], auth{})
	const began = 1 // event, which Join took: "recovery"
	talker := gatewaytest.Join(t, at[0], auth{"username": "talker", "rooms": []string{"r"}})
	talking, stop := make(chan []uint64), make(chan struct{})
	go func() { talking <- talk(t, talker, "r", stop) }()
	type stay struct {
		head  uint64
		after int // events
	}
	var stays []stay
	var events []gatewaytest.Event
	take := func(last func(gatewaytest.Event) bool) {
		t.Helper()
		some, err := guest.Until(testContext(t), last)
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, some...)
	}
	for i := range 60 {
		head := enter(t, guest, "r")
		if i%3 > 0 {
			take(func(gatewaytest.Event) bool { return true })
		}
		if again := enter(t, guest, "r"); again < head {
			t.Errorf("joined again, at %d after %d", again, head)
		}
		stays = append(stays, stay{head, leave(t, guest, "r")})
	}
	head := enter(t, guest, "r")
	close(stop)
	offsets := <-talking
	mark := toRoom(t, talker, "r", "mark").Offset
	take(offsetIs(mark))
	offsets = append(offsets, mark)
	// Of each stay the room's messages right after its head, up to its last ack, and
	// nothing else.
	check := func(head uint64, events []gatewaytest.Event) (got []uint64) {
		t.Helper()
		i, _ := slices.BinarySearch(offsets, head+1)
		if got = gatewaytest.Offsets(gatewaytest.Posts(events)); len(got) > len(offsets)-i || !slices.Equal(got, offsets[i:i+len(got)]) {
			t.Errorf("after joining at %d came %v", head, got)
		}
		return got
	}
	from := 0
	for _, s := range stays {
		check(s.head, events[from:s.after-began])
		from = s.after - began
	}
	if got := check(head, events[from:]); got[len(got)-1] != mark {
		t.Errorf("the last stay ended with %v, want %d", got, mark)
	}
}

// talk sends to a room, a few messages at a time, until it is told to stop, and
// returns their offsets.
func talk(t testing.TB, p *gatewaytest.Peer, room string, stop <-chan struct{}) (offsets []uint64) {
	for i := 0; ; i++ {
		var answers []<-chan gatewaytest.Answer
		for j := range 4 {
			answer, err := p.Start("room message", map[string]any{"room": room, "content": fmt.Sprint(i, j)})
			if err != nil {
				t.Error(err)
				return offsets
			}
			answers = append(answers, answer)
		}
		for _, answer := range answers {
			var ack gatewaytest.Ack
			if _, err := p.Await(testContext(t), answer, &ack); err != nil || !ack.OK {
				t.Errorf("talking: %+v, %v", ack, err)
				return offsets
			}
			offsets = append(offsets, ack.Offset)
		}
		select {
		case <-stop:
			return offsets
		default:
		}
	}
}

func TestARoomMessageReachesThoseInTheRoom(t *testing.T) {
	t.Parallel()
	_, _, at := together(t, 2)
	join := func(gateway int, a auth, rooms ...string) *gatewaytest.Peer {
		return gatewaytest.Join(t, at[gateway], a.With(auth{"rooms": append(rooms, markers)}))
	}
	alice := join(0, auth{"username": "alice"}, "r")
	c := newCircle(t, "alice", map[string]*gatewaytest.Peer{
		"alice": alice, "alice in it too": join(1, auth{"sessionID": alice.SessionID}, "r"), "alice outside": join(0, auth{"sessionID": alice.SessionID}),
		"bob": join(1, auth{"username": "bob"}, "r"), "eve": join(0, auth{"username": "eve"}, "R"), "guest": join(0, auth{}, "r"), "guest outside": join(1, auth{}),
	})
	inside := func(event string, names ...string) map[string][]string {
		reached := map[string][]string{}
		for _, name := range names {
			reached[name] = []string{event}
		}
		return reached
	}
	for _, key := range []any{nil, "a key"} {
		ack := c.ask("room message", map[string]any{"room": "r", "content": "hi", "clientOffset": key})
		for name, events := range c.heard("a room message", 1, inside("room message", "alice", "alice in it too", "bob", "guest")) {
			for _, e := range events {
				want := gatewaytest.Post{Event: "room message", Room: "r", Content: "hi", From: alice.UserID, Username: "alice", Offset: ack.Offset, ID: ack.ID, At: e.Post.At}
				if strings.HasPrefix(name, "alice") {
					want.ClientOffset, _ = key.(string)
				}
				if *e.Post != want {
					t.Errorf("%s got %+v, want %+v", name, *e.Post, want)
				}
			}
		}
	}
	// What guests say has no sender, and general is a room like any other: only the
	// event by which its messages come has another name.
	c.speaker = c.peers["guest"]
	c.ask("room message", map[string]any{"room": "r", "content": "hi"})
	for _, e := range c.heard("a guest's message", 1, inside("room message", "alice", "alice in it too", "bob", "guest"))["bob"] {
		if e.Post.From != "" || e.Post.Username != "" {
			t.Errorf("a guest's message: %+v", e.Post)
		}
	}
	c.speaker = alice
	enter(t, alice, "general")
	for _, ask := range []func() gatewaytest.Ack{
		func() gatewaytest.Ack {
			return c.ask("room message", map[string]any{"room": "general", "content": "hi"})
		},
		func() gatewaytest.Ack { return c.ask("chat message", "hi") },
		func() gatewaytest.Ack { return c.ask("chat message", "hi", "key") },
	} {
		ack := ask()
		for name, events := range c.heard("a message to general", 1, inside("chat message", "alice", "guest", "guest outside")) {
			for _, e := range events {
				want := gatewaytest.Post{Event: "chat message", Room: "general", Content: "hi", From: alice.UserID, Username: "alice", Offset: ack.Offset, ID: ack.ID, At: e.Post.At}
				if e.Post.ClientOffset = ""; *e.Post != want {
					t.Errorf("%s got %+v, want %+v", name, *e.Post, want)
				}
			}
		}
	}
}

// TestOneOffsetBringsRoomsAndDirectMessagesInOrder comes back with offsets all over
// a log of two rooms, direct messages, and what is none of one's business.
func TestOneOffsetBringsRoomsAndDirectMessagesInOrder(t *testing.T) {
	t.Parallel()
	s, _, at := together(t, 2)
	alice, bob := gatewaytest.Join(t, at[0], auth{"username": "alice"}), gatewaytest.Join(t, at[0], auth{"username": "bob"})
	rooms := []string{"r", strings.Repeat("é", 128), "general"}
	talker := gatewaytest.Join(t, at[1], auth{"username": "talker", "rooms": append(rooms, "other")})
	js := s.Connect()
	var all []uint64
	for i := range 10 {
		for _, room := range rooms {
			all = append(all, toRoom(t, talker, room, fmt.Sprint(i)).Offset)
		}
		all = append(all, privately(t, alice, bob.UserID, "to bob").Offset, privately(t, bob, alice.UserID, "to alice").Offset)
		toRoom(t, talker, "other", "of no interest")
		privately(t, talker, bob.UserID, "of no interest")
		logtest.Fill(t, js, 20, func(int) event.Event { return logtest.Message(t, "elsewhere", "of no interest") })
	}
	mark := privately(t, alice, alice.UserID, "mark").Offset
	all = append(all, mark)
	for offset := uint64(0); offset <= mark; offset += 7 {
		p := gatewaytest.Join(t, at[offset%2], auth{"sessionID": alice.SessionID, "serverOffset": offset, "rooms": rooms})
		i, _ := slices.BinarySearch(all, offset+1)
		if got := gatewaytest.Offsets(p.Replayed); !slices.Equal(got, all[i:]) || p.Recovery.From != offset || p.Recovery.Head < mark || p.Recovery.Count != uint64(len(got)) {
			t.Errorf("after %d came %v, want %v; %+v", offset, got, all[i:], p.Recovery)
		}
		p.Close()
	}
}

// TestRoomsWhoseNamesAreAlikeAreApart joins one guest to each, and has each talk.
func TestRoomsWhoseNamesAreAlikeAreApart(t *testing.T) {
	t.Parallel()
	_, _, at := together(t, 2)
	long := strings.Repeat("n", 127)
	rooms := []string{
		"a", "A", "b", "é", "e\u0301", " ", "\x00", "\n", ".", "*", ">", "a ", " a", "a\x00", "/", "\u2028", "😀", "\U0001F468\u200d\U0001F469",
		long + "a", long + "b", long, "a" + long, strings.Repeat("é", 128), strings.Repeat("é", 127), strings.Repeat("é", 127) + "e",
		strings.Repeat("\U0001F600", 128), strings.Repeat("n", 62), strings.Repeat("n", 63), strings.Repeat("n", 64), strings.Repeat(" ", 38), strings.Repeat(" ", 39), strings.Repeat(" ", 40),
	}
	var guests []*gatewaytest.Peer
	for i, room := range rooms {
		guests = append(guests, gatewaytest.Join(t, at[i%2], auth{"rooms": []string{markers}}))
		enter(t, guests[i], room)
	}
	for i, room := range rooms {
		toRoom(t, guests[i], room, room)
	}
	mark := toRoom(t, guests[0], markers, "mark")
	for i, room := range rooms {
		events, err := guests[i].Until(testContext(t), offsetIs(mark.Offset))
		if got := gatewaytest.Posts(events); err != nil || len(got) != 2 || got[0].Room != room || got[0].Content != room {
			t.Errorf("in %q came %s, %v", room, text(events), err)
		}
	}
}
