package gateway_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// page asks for a page of history.
func page(t testing.TB, p *gatewaytest.Peer, of map[string]any) (page gatewaytest.Page) {
	t.Helper()
	if _, err := p.Ask(testContext(t), &page, "history", of); err != nil || !page.OK {
		t.Fatalf("history %v: %+v, %v", of, page, err)
	}
	return page
}

// backwards reads a history, page by page, down to an offset, and returns it in
// ascending offset. between is called before each page but the first.
func backwards(t testing.TB, p *gatewaytest.Peer, of map[string]any, limit int, down uint64, between func()) (all []gatewaytest.Post) {
	t.Helper()
	ask := map[string]any{"limit": limit}
	for field, value := range of {
		ask[field] = value
	}
	for {
		got := page(t, p, ask)
		if len(got.Messages) > limit || got.More && len(got.Messages) < limit {
			t.Fatalf("%v: %d messages, more: %v", ask, len(got.Messages), got.More)
		}
		all = append(slices.Clone(got.Messages), all...)
		if !got.More || all[0].Offset < down {
			return all
		}
		ask["before"] = got.Messages[0].Offset
		between()
	}
}

// forwards is backwards the other way round: from after an offset to the end.
func forwards(t testing.TB, p *gatewaytest.Peer, of map[string]any, limit int, after uint64, between func()) (all []gatewaytest.Post) {
	t.Helper()
	ask := map[string]any{"limit": limit, "after": after}
	for field, value := range of {
		ask[field] = value
	}
	for {
		got := page(t, p, ask)
		if len(got.Messages) > limit || got.More && len(got.Messages) == 0 {
			t.Fatalf("%v: %d messages, more: %v", ask, len(got.Messages), got.More)
		}
		all = append(all, got.Messages...)
		if !got.More {
			return all
		}
		ask["after"] = got.Messages[len(got.Messages)-1].Offset
		between()
	}
}

// fill makes a log of a room and a direct conversation, in small pieces and among
// others, with more than the tail of a gateway holds, and returns what they are.
func fill(t testing.TB, js *logtest.Server, alice, bob *gatewaytest.Peer, n int) (room, direct []uint64) {
	t.Helper()
	padding := strings.Repeat("x", 500)
	offset := logtest.Fill(t, js.Connect(), n, func(i int) event.Event {
		switch {
		case i%3 == 0:
			return logtest.Message(t, "r", fmt.Sprint(i, padding))
		case i%5 == 0:
			return directMessage(t, alice, bob, i%2 == 0, fmt.Sprint(i, padding))
		case i%7 == 0:
			return directMessage(t, alice, alice, true, "to herself"+padding)
		}
		return logtest.Message(t, "other", padding)
	})
	first := offset - uint64(n) + 1
	for i := range n {
		switch {
		case i%3 == 0:
			room = append(room, first+uint64(i))
		case i%5 == 0:
			direct = append(direct, first+uint64(i))
		}
	}
	return room, direct
}

func directMessage(t testing.TB, a, b *gatewaytest.Peer, fromA bool, content string) event.Event {
	t.Helper()
	if !fromA {
		a, b = b, a
	}
	e := logtest.Message(t, "r", content)
	e.Conversation = subject.Conversation{Kind: subject.DM, Name: subject.PairName(a.UserID, b.UserID)}
	e.Sender, e.SenderName, e.Recipient = a.UserID, "name", b.UserID
	e.Seal()
	return e
}

// TestHistoryHasNoHolesAndNoDoubles reads a room and a direct conversation
// backwards and forwards: in pages of many sizes, with the read model at many places behind,
// within and before what the tail holds, while more is said.
func TestHistoryHasNoHolesAndNoDoubles(t *testing.T) {
	t.Parallel()
	const n = 450
	s, m, at := together(t, 1, func(c *config.Config) { c.Gateway.TailBytes = 64 << 10 })
	alice := gatewaytest.Join(t, at[0], auth{"username": "alice"})
	bob := gatewaytest.Join(t, at[0], auth{"username": "bob"})
	guest := gatewaytest.Join(t, at[0], auth{"rooms": []string{"r"}})
	room, direct := fill(t, s, alice, bob, n)
	end := room[len(room)-1]
	eventually(t, "the gateway has followed", func() bool { return metric(at[0], "tidemark_gateway_feed_offset") >= float64(end) })
	tailFrom := func() uint64 { return uint64(metric(at[0], "tidemark_gateway_tail_first_offset")) }
	said := 0
	say := func() {
		said++
		toRoom(t, guest, "r", fmt.Sprint("meanwhile ", said))
		privately(t, bob, alice.UserID, fmt.Sprint("meanwhile ", said))
	}
	for i, behind := range []int{-60, -2, -1, 0, 1, 10, 100, 1 << 40} {
		first := tailFrom()
		if first < end/4 || first > end-20 {
			t.Fatalf("the tail begins at %d, the last of the history is %d", first, end)
		}
		m.Hold(uint64(int(first) + behind))
		for _, limit := range []int{1, 7, 50} {
			down := uint64(0)
			if limit < 7 {
				down = first - 40 // the newest part, well across the boundary
			}
			for k, asker := range []*gatewaytest.Peer{guest, bob} {
				of, want := map[string]any{"room": "r"}, room
				if k == 1 {
					of, want = map[string]any{"with": alice.UserID}, direct
				}
				pages := 0
				between := func() {
					if pages++; pages == 2 && i%2 == 0 && limit > 1 {
						say()
					}
				}
				other := func(o uint64) bool { return o < down || o > end }
				want = slices.DeleteFunc(slices.Clone(want), other)
				for way, posts := range map[string][]gatewaytest.Post{
					"backwards": backwards(t, asker, of, limit, down, between), "forwards": forwards(t, asker, of, limit, max(down, 1)-1, between),
				} {
					if got := slices.DeleteFunc(gatewaytest.Offsets(posts), other); !slices.Equal(got, want) {
						t.Fatalf("%v %s in pages of %d, read model at the tail's %d and %d: %d messages, want %d\n got %v\nwant %v",
							of, way, limit, first, behind, len(got), len(want), got, want)
					}
				}
			}
		}
	}
	if said < 10 {
		t.Errorf("only %d messages were said meanwhile", said)
	}
}

// TestAPageHasWhatAnEventHas compares a page with what came as events, for the
// sender, who alone is told his keys, and for others.
func TestAPageHasWhatAnEventHas(t *testing.T) {
	t.Parallel()
	_, _, at := together(t, 2)
	alice := gatewaytest.Join(t, at[0], auth{"username": "alice", "rooms": []string{"r", "general"}})
	second := gatewaytest.Join(t, at[1], auth{"sessionID": alice.SessionID, "rooms": []string{"r", "general"}})
	bob := gatewaytest.Join(t, at[1], auth{"username": "bob", "rooms": []string{"r", "general"}})
	for i := range 3 {
		for _, message := range []map[string]any{{"room": "r"}, {"room": "general"}, {"to": bob.UserID}} {
			event := "room message"
			if message["to"] != nil {
				event = "private message"
			}
			message["content"] = fmt.Sprint("<i>\u2028", i)
			if i > 0 {
				message["clientOffset"] = fmt.Sprint("key ", i)
			}
			if ack, err := alice.Send(testContext(t), event, message); err != nil || !ack.OK {
				t.Fatalf("%v: %+v, %v", message, ack, err)
			}
		}
	}
	mark := toRoom(t, bob, "r", "mark").Offset
	for _, c := range []struct {
		p    *gatewaytest.Peer
		with string
	}{{second, bob.UserID}, {bob, alice.UserID}} {
		events, err := c.p.Until(testContext(t), offsetIs(mark))
		if err != nil {
			t.Fatal(err)
		}
		var got []gatewaytest.Post
		for _, of := range []map[string]any{{"room": "r"}, {"room": "general"}, {"with": c.with}} {
			got = append(got, page(t, c.p, of).Messages...)
		}
		want := gatewaytest.Posts(events)
		for i := range want {
			want[i].Event = ""
		}
		slices.SortFunc(got, func(a, b gatewaytest.Post) int { return int(a.Offset) - int(b.Offset) })
		if !slices.Equal(got, want) {
			t.Errorf("pages:\n%+v\nevents:\n%+v", got, want)
		}
	}
}

// TestAPageIsNeverBehindWhatWasAcked asks one gateway for what another has just
// acked.
func TestAPageIsNeverBehindWhatWasAcked(t *testing.T) {
	t.Parallel()
	_, _, at := together(t, 2)
	alice := gatewaytest.Join(t, at[0], auth{"username": "alice", "rooms": []string{"r"}})
	bob := gatewaytest.Join(t, at[1], auth{"username": "bob", "rooms": []string{"r"}})
	for i := range 50 {
		var ack gatewaytest.Ack
		var of map[string]any
		if i%2 == 0 {
			ack, of = toRoom(t, alice, "r", fmt.Sprint(i)), map[string]any{"room": "r", "limit": 1}
		} else {
			ack, of = privately(t, alice, bob.UserID, fmt.Sprint(i)), map[string]any{"with": alice.UserID, "limit": 1}
		}
		if got := page(t, bob, of); len(got.Messages) != 1 || got.Messages[0].Offset != ack.Offset || got.More != (i > 1) {
			t.Fatalf("round %d, acked at %d: %+v", i, ack.Offset, got)
		}
	}
}
