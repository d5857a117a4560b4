package gateway_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
)

// pair is a circle of alice, who speaks, and bob, each with sockets on two gateways,
// and two others.
type pair struct {
	*circle
	at         []string
	alice, bob *gatewaytest.Peer // the first socket of each, on the first gateway
}

func newPair(t testing.TB, change ...func(*config.Config)) pair {
	t.Helper()
	_, _, at := together(t, 2, change...)
	join := func(gateway int, a auth) *gatewaytest.Peer {
		return gatewaytest.Join(t, at[gateway], a.With(auth{"rooms": []string{markers}}))
	}
	p := pair{at: at, alice: join(0, auth{"username": "alice"}), bob: join(0, auth{"username": "bob"})}
	p.circle = newCircle(t, "alice", map[string]*gatewaytest.Peer{
		"alice": p.alice, "alice 2": join(0, auth{"sessionID": p.alice.SessionID}), "alice 3": join(1, auth{"sessionID": p.alice.SessionID}),
		"bob": p.bob, "bob 2": join(1, auth{"sessionID": p.bob.SessionID}),
		"eve": join(0, auth{"username": "eve"}), "guest": join(1, auth{}),
	})
	return p
}

// private is what the listed get when one private message is sent.
func private(names ...string) map[string][]string {
	reached := make(map[string][]string)
	for _, name := range names {
		reached[name] = []string{"private message"}
	}
	return reached
}

func TestAPrivateMessageReachesBothUsersButNotTheSocketItCameFrom(t *testing.T) {
	t.Parallel()
	c := newPair(t)
	for _, key := range []string{"", "a key", c.alice.SocketID + "-7", "019a7c34-7d4b-7c55-b1ef-7d7c5a1f0b11"} {
		ack := privately(t, c.alice, c.bob.UserID, "<b>hi</b> \u202e", slices.DeleteFunc([]string{key}, func(k string) bool { return k == "" })...)
		if !ack.OK || ack.Duplicate || ack.ID == "" {
			t.Errorf("key %q: ack %+v", key, ack)
		}
		events := c.heard("a private message", 1, private("alice 2", "alice 3", "bob", "bob 2"))
		for name, got := range events {
			for _, e := range got {
				want := gatewaytest.Post{
					Event: "private message", Content: "<b>hi</b> \u202e", From: c.alice.UserID, To: c.bob.UserID, Username: "alice",
					Offset: ack.Offset, ID: ack.ID, At: e.Post.At,
				}
				if strings.HasPrefix(name, "alice") {
					want.ClientOffset = key
				}
				if at, err := time.Parse("2006-01-02T15:04:05.000Z", e.Post.At); *e.Post != want || err != nil || time.Since(at).Abs() > time.Minute {
					t.Errorf("%s got %+v, want %+v; %v", name, *e.Post, want, err)
				}
			}
		}
	}
}

func TestAMessageToOneselfReachesEachOtherSocketOnce(t *testing.T) {
	t.Parallel()
	c := newPair(t)
	for _, key := range [][]string{nil, {"a key"}} {
		if ack := privately(t, c.alice, c.alice.UserID, "a note", key...); !ack.OK {
			t.Errorf("ack %+v", ack)
		}
		c.heard("a note", 1, private("alice 2", "alice 3"))
		again := gatewaytest.Join(t, c.at[1], auth{"sessionID": c.alice.SessionID})
		if l, _ := again.Listed(c.alice.UserID); len(l.Messages) == 0 || l.Messages[len(l.Messages)-1].Offset != c.offset-1 {
			t.Errorf("the note is listed as %+v", l.Messages)
		}
	}
	var page gatewaytest.Page
	if _, err := c.alice.Ask(testContext(t), &page, "history", map[string]any{"with": c.alice.UserID}); err != nil || len(page.Messages) != 2 || page.More {
		t.Errorf("her notes: %+v, %v", page, err)
	}
}

// TestHeavyTrafficDoesNotComeBack sends thousands of messages without waiting for
// acks, with and without keys.
func TestHeavyTrafficDoesNotComeBack(t *testing.T) {
	t.Parallel()
	const n = 1500
	c := newPair(t)
	ctx := testContext(t)
	var answers []<-chan gatewaytest.Answer
	for i := range n {
		message := map[string]any{"content": fmt.Sprint(i), "to": c.bob.UserID}
		if i%2 == 0 {
			message["clientOffset"] = fmt.Sprint("key ", i)
		}
		answer, err := c.alice.Start("private message", message)
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, answer)
	}
	for i, answer := range answers {
		var ack gatewaytest.Ack
		if _, err := c.alice.Await(ctx, answer, &ack); err != nil || !ack.OK || ack.Offset != c.offset+uint64(i)+1 {
			t.Fatalf("message %d: %+v, %v", i, ack, err)
		}
	}
	reached := private()
	for _, name := range []string{"alice 2", "alice 3", "bob", "bob 2"} {
		reached[name] = slices.Repeat([]string{"private message"}, n)
	}
	for name, events := range c.heard("heavy traffic", n, reached) {
		for i, p := range gatewaytest.Posts(events) {
			if p.Content != fmt.Sprint(i) {
				t.Fatalf("%s got %q as number %d", name, p.Content, i)
			}
		}
	}
}

// TestAUsersKeyIsOneMessageToEach sends one key from all sockets of a user at once,
// over two gateways, to two recipients and a room.
func TestAUsersKeyIsOneMessageToEach(t *testing.T) {
	t.Parallel()
	c := newPair(t)
	senders := []*gatewaytest.Peer{c.alice, c.peers["alice 2"], c.peers["alice 3"]}
	for range 2 {
		senders = append(senders, gatewaytest.Join(t, c.at[1], auth{"sessionID": c.alice.SessionID, "rooms": []string{markers}}))
	}
	send := func(event string, message map[string]any) (acks []gatewaytest.Ack) {
		acks = make([]gatewaytest.Ack, len(senders))
		var all sync.WaitGroup
		for i, p := range senders {
			all.Go(func() {
				var err error
				if acks[i], err = p.Send(testContext(t), event, message); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		return acks
	}
	used := map[uint64]bool{}
	for _, c := range []struct {
		event   string
		message map[string]any
	}{
		{"private message", map[string]any{"to": c.bob.UserID}}, {"private message", map[string]any{"to": c.peers["eve"].UserID}},
		{"private message", map[string]any{"to": c.alice.UserID}}, {"room message", map[string]any{"room": markers}},
	} {
		c.message["content"], c.message["clientOffset"] = "once", "the key"
		acks := send(c.event, c.message)
		fresh := 0
		for _, ack := range acks {
			if !ack.OK || ack.Offset != acks[0].Offset || ack.ID != acks[0].ID {
				t.Errorf("%v: %+v and %+v", c.message, acks[0], ack)
			}
			if !ack.Duplicate {
				fresh++
			}
		}
		if fresh != 1 || used[acks[0].Offset] {
			t.Errorf("%v: %d new, at %d", c.message, fresh, acks[0].Offset)
		}
		used[acks[0].Offset] = true
		for _, ack := range send(c.event, c.message) {
			if !ack.OK || !ack.Duplicate || ack.Offset != acks[0].Offset {
				t.Errorf("%v, later: %+v", c.message, ack)
			}
		}
		c.message["content"] = "twice"
		for _, ack := range send(c.event, c.message) {
			if ack.OK || ack.Error.Code != "key_conflict" {
				t.Errorf("%v with other content: %+v", c.message, ack)
			}
		}
	}
	// Another user's key of the same text is another key.
	if ack := privately(t, c.bob, c.alice.UserID, "once", "the key"); !ack.OK || ack.Duplicate || used[ack.Offset] {
		t.Errorf("bob's key: %+v", ack)
	}
	ack := c.ask("room message", map[string]any{"room": markers, "content": "mark"})
	if ack.Offset != c.offset+6 {
		t.Errorf("%d messages were stored, want 5", ack.Offset-c.offset-1)
	}
	for name, want := range map[string]int{"bob": 3, "bob 2": 3, "eve": 2, "guest": 1} {
		events, err := c.peers[name].Until(testContext(t), offsetIs(ack.Offset))
		if got := len(gatewaytest.Posts(events)) - 1; err != nil || name != "bob" && got != want || name == "bob" && got != want-1 {
			t.Errorf("%s was sent %d messages, want %d; %v", name, got, want, err)
		}
	}
}
