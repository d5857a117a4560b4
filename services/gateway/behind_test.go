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

// flooded messages of floodSize bytes in the room flood are more than all buffers
// on the way hold: one who does not read falls behind.
const flooded, floodSize = 300, 16 << 10

func flood(t testing.TB, s *logtest.Server) (last uint64) {
	t.Helper()
	content := strings.Repeat("x", floodSize)
	return logtest.Fill(t, s.Connect(), flooded, func(int) event.Event { return logtest.Message(t, "flood", content) })
}

// TestASocketThatIsBehindIsNotSentItsOwnPrivateMessages floods a socket that does
// not read, or has much to catch up with: what it says meanwhile, with a key or
// without, comes to it neither then nor later.
func TestASocketThatIsBehindIsNotSentItsOwnPrivateMessages(t *testing.T) {
	t.Parallel()
	s, _, at := together(t, 1)
	alice := gatewaytest.Join(t, at[0], auth{"username": "alice"})
	bob := gatewaytest.Join(t, at[0], auth{"username": "bob"})
	behind := func() bool { return metric(at[0], "tidemark_gateway_catching_up") > 0 }
	for _, begins := range []string{"live", "with its past"} {
		rooms := auth{"sessionID": alice.SessionID, "rooms": []string{"flood"}}
		first := uint64(0)
		var socket *gatewaytest.Client
		if begins == "live" {
			p := gatewaytest.Join(t, at[0], rooms)
			first, socket = p.Recovery.From, p.Client
			socket.Pause()
			flood(t, s)
		} else {
			first = flood(t, s) - flooded
			socket = gatewaytest.Connect(t, at[0], rooms.With(auth{"serverOffset": first}))
			socket.Pause()
		}
		eventually(t, "the socket is behind", behind)
		var acks []<-chan gatewaytest.Answer
		for i := range 20 {
			message := map[string]any{"content": fmt.Sprint(begins, i), "to": bob.UserID}
			if i%2 == 0 {
				message["clientOffset"] = fmt.Sprint(begins, i)
			}
			answer, err := socket.Start("private message", message)
			if err != nil {
				t.Fatal(err)
			}
			acks = append(acks, answer)
		}
		var last gatewaytest.Event
		for _, other := range []*gatewaytest.Peer{alice, bob} {
			for i := range 20 {
				e, err := other.Next(testContext(t), "private message")
				if err != nil || e.Post.Content != fmt.Sprint(begins, i) {
					t.Fatalf("%s, message %d: %+v, %v", begins, i, e.Post, err)
				}
				last = e
			}
		}
		if !behind() {
			t.Fatal("the socket was no longer behind when its messages were delivered")
		}
		mark := logtest.Publish(t, s.Connect(), logtest.Message(t, "flood", "mark"))
		socket.Resume()
		events, err := socket.Until(testContext(t), offsetIs(mark))
		if err != nil {
			t.Fatal(err)
		}
		got := gatewaytest.Posts(events)
		if len(got) != flooded+1 || got[0].Offset <= first || slices.ContainsFunc(got, func(p gatewaytest.Post) bool { return p.Room != "flood" }) {
			t.Errorf("%s: %d messages, want the %d of the flood and the mark", begins, len(got), flooded)
		}
		for i, answer := range acks {
			var ack gatewaytest.Ack
			if _, err := socket.Await(testContext(t), answer, &ack); err != nil || !ack.OK || ack.Offset > last.Post.Offset {
				t.Errorf("ack %d: %+v, %v", i, ack, err)
			}
		}
		socket.Close()
	}
}

// TestOneWhoIsBehindJoinsAndLeavesLikeAnybody joins a room in which something was said
// meanwhile, and leaves another.
func TestOneWhoIsBehindJoinsAndLeavesLikeAnybody(t *testing.T) {
	t.Parallel()
	s, _, at := together(t, 1)
	talker := gatewaytest.Join(t, at[0], auth{"rooms": []string{"joined", "left"}})
	talk := func(room string) (offsets []uint64) {
		for i := range 5 {
			offsets = append(offsets, toRoom(t, talker, room, fmt.Sprint(i)).Offset)
		}
		return offsets
	}
	p := gatewaytest.Join(t, at[0], auth{"rooms": []string{"flood", "left"}})
	p.Pause()
	flood(t, s)
	eventually(t, "the socket is behind", func() bool { return metric(at[0], "tidemark_gateway_catching_up") > 0 })
	before := talk("left")
	said := talk("joined")
	eventually(t, "the gateway has heard of it", func() bool { return metric(at[0], "tidemark_gateway_feed_offset") >= float64(said[4]) })
	join, err := p.Start("room join", map[string]any{"room": "joined"})
	if err != nil {
		t.Fatal(err)
	}
	leave, err := p.Start("room leave", map[string]any{"room": "left"})
	if err != nil {
		t.Fatal(err)
	}
	// The acks wait in front of the socket. That it has left, history shows.
	eventually(t, "the socket is in the one room and not in the other", func() bool {
		_, page := gatewaytest.Get(at[0], "/metrics")
		if err := p.Emit("history", map[string]any{"room": "left"}); err != nil {
			t.Fatal(err)
		}
		return strings.Contains(page, `tidemark_gateway_messages_refused_total{code="forbidden"}`)
	})
	talk("left")
	after := talk("joined")
	mark := logtest.Publish(t, s.Connect(), logtest.Message(t, "flood", "mark"))
	p.Resume()
	events, err := p.Until(testContext(t), offsetIs(mark))
	if err != nil {
		t.Fatal(err)
	}
	var joined gatewaytest.Joined
	if _, err := p.Await(testContext(t), join, &joined); err != nil || !joined.OK || joined.Head < said[4] {
		t.Fatalf("join: %+v, %v", joined, err)
	}
	var left gatewaytest.Joined
	n, err := p.Await(testContext(t), leave, &left)
	if err != nil || !left.OK {
		t.Fatalf("leave: %+v, %v", left, err)
	}
	got := map[string][]uint64{}
	for i, e := range events {
		if e.Post != nil {
			got[e.Post.Room] = append(got[e.Post.Room], e.Post.Offset)
			if e.Post.Room == "left" && i+1 >= n { // recovery was the first event
				t.Errorf("after the ack of its leave came %+v", e.Post)
			}
		}
	}
	if !slices.Equal(got["joined"], after) {
		t.Errorf("of the room it joined at %d came %v, want %v", joined.Head, got["joined"], after)
	}
	if l := got["left"]; len(l) > len(before) || !slices.Equal(l, before[:len(l)]) || len(got["flood"]) != flooded+1 {
		t.Errorf("of the room it left came %v of %v; of the flood %d", l, before, len(got["flood"]))
	}
}
