package gateway_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

// contents are what messages say.
func contents(posts []gatewaytest.Post) []string {
	var all []string
	for _, p := range posts {
		all = append(all, p.Content)
	}
	return all
}

// with is what somebody's list of users says he exchanged with another.
func with(t testing.TB, p *gatewaytest.Peer, user string) []gatewaytest.Post {
	t.Helper()
	entry, ok := p.Listed(user)
	if !ok {
		t.Errorf("user %s is not in the list %+v", user, p.Users)
	}
	return entry.Messages
}

func TestWhatCameWhileOneWasAwayIsInTheListAndDoesNotComeAgain(t *testing.T) {
	t.Parallel()
	_, _, at := together(t, 2)
	alice, bob := gatewaytest.Join(t, at[0], auth{"username": "alice"}), gatewaytest.Join(t, at[0], auth{"username": "bob"})
	carol := gatewaytest.Join(t, at[1], auth{"username": "carol"})
	privately(t, bob, alice.UserID, "0")
	bob.Close()
	var want []string
	for i := range 60 { // more than are listed
		if want = append(want, fmt.Sprint(i)); i > 0 {
			privately(t, alice, bob.UserID, fmt.Sprint(i))
		}
	}
	last := privately(t, carol, bob.UserID, "from carol")
	for gateway := range at {
		again := gatewaytest.Join(t, at[gateway], auth{"sessionID": bob.SessionID})
		got := with(t, again, alice.UserID)
		if n := len(got); n < 10 || n == len(want) || !slices.Equal(contents(got), want[len(want)-n:]) {
			t.Errorf("with alice: %v", contents(got))
		}
		for _, p := range got {
			from, to := alice.UserID, bob.UserID
			if p.Content == "0" {
				from, to = to, from
			}
			if p.From != from || p.To != to || p.Offset == 0 {
				t.Errorf("listed: %+v", p)
			}
		}
		if got := with(t, again, carol.UserID); len(got) != 1 || got[0].Offset != last.Offset || got[0].Content != "from carol" {
			t.Errorf("with carol: %+v", got)
		}
		if own := with(t, again, bob.UserID); len(own) > 0 || len(again.Replayed) > 0 || again.Recovery.From < last.Offset || again.Recovery.Count > 0 {
			t.Errorf("with himself %v, replayed %v, recovery %+v", own, again.Replayed, again.Recovery)
		}
		live := privately(t, alice, bob.UserID, "live")
		want = append(want[1:], "live")
		e, err := again.Next(testContext(t), "private message")
		if err != nil || e.Post.Offset != live.Offset {
			t.Errorf("the first event is %+v, %v", e.Post, err)
		}
	}
}

// TestAnOffsetBringsEverythingAfterItOnesOwnIncluded comes back at each gateway with
// each offset.
func TestAnOffsetBringsEverythingAfterItOnesOwnIncluded(t *testing.T) {
	t.Parallel()
	_, _, at := together(t, 2)
	alice, bob := gatewaytest.Join(t, at[0], auth{"username": "alice"}), gatewaytest.Join(t, at[1], auth{"username": "bob"})
	carol := gatewaytest.Join(t, at[1], auth{"username": "carol"})
	var all []uint64
	for i := range 4 {
		all = append(all, privately(t, alice, bob.UserID, "to bob").Offset, privately(t, bob, alice.UserID, "to alice", fmt.Sprint(i)).Offset)
		privately(t, bob, carol.UserID, "to carol")
		all = append(all, privately(t, alice, alice.UserID, "to herself", fmt.Sprint(i)).Offset)
	}
	alice.Close()
	for offset := range all[len(all)-1] + 1 {
		var want []uint64
		for _, o := range all {
			if o > offset {
				want = append(want, o)
			}
		}
		again := gatewaytest.Join(t, at[offset%2], auth{"sessionID": alice.SessionID, "serverOffset": offset})
		if got := gatewaytest.Offsets(again.Replayed); !slices.Equal(got, want) || again.Recovery.Count != uint64(len(want)) || !again.Recovery.Recovered {
			t.Errorf("after %d came %v, want %v; recovery %+v", offset, got, want, again.Recovery)
		}
		for _, p := range again.Replayed {
			if (p.ClientOffset != "") != (p.Content == "to herself") {
				t.Errorf("replayed with a key, or without: %+v", p)
			}
		}
		again.Close()
	}
}

// TestWithoutAReadModelWhatTheTailHoldsIsListedAndNothingIsLost starts again with
// a tail that holds little, while nobody answers for the rest; then somebody does.
func TestWithoutAReadModelWhatTheTailHoldsIsListedAndNothingIsLost(t *testing.T) {
	t.Parallel()
	s := logtest.Start(t)
	cfg := gatewaytest.Config(s.URL())
	before := gatewaytest.Start(t, cfg)
	alice, bob := gatewaytest.Join(t, before.Address, auth{"username": "alice"}), gatewaytest.Join(t, before.Address, auth{"username": "bob"})
	var want []string
	var offsets []uint64
	for i := range 15 {
		ack := privately(t, alice, bob.UserID, fmt.Sprint(i), fmt.Sprint("key ", i))
		if !ack.OK {
			t.Fatalf("ack %+v", ack)
		}
		want, offsets = append(want, fmt.Sprint(i)), append(offsets, ack.Offset)
		if e, err := bob.Next(testContext(t), "private message"); err != nil || e.Post.Offset != ack.Offset {
			t.Fatalf("delivered: %+v, %v", e.Post, err)
		}
	}
	if got := with(t, gatewaytest.Join(t, before.Address, auth{"sessionID": bob.SessionID}), alice.UserID); !slices.Equal(contents(got), want) {
		t.Errorf("of a tail that holds everything: %v", contents(got))
	}
	if err := before.Stop(); err != nil {
		t.Fatal(err)
	}

	cfg.Gateway.WarmEvents = 4
	after := gatewaytest.Start(t, cfg)
	join := func(more auth) *gatewaytest.Peer {
		return gatewaytest.Join(t, after.Address, more.With(auth{"sessionID": bob.SessionID}))
	}
	if got := with(t, join(auth{}), alice.UserID); !slices.Equal(contents(got), want[11:]) {
		t.Errorf("of a tail that holds four: %v", contents(got))
	}
	if p := join(auth{"serverOffset": 0}); !slices.Equal(gatewaytest.Offsets(p.Replayed), offsets) {
		t.Errorf("replayed: %v, want %v", gatewaytest.Offsets(p.Replayed), offsets)
	}
	carol := gatewaytest.Join(t, after.Address, auth{"username": "carol"})
	if ack := privately(t, carol, alice.UserID, "to one the tail does not know"); !ack.OK {
		t.Errorf("to alice: %+v", ack)
	}
	gatewaytest.ServeReadModel(t, s)
	eventually(t, "the list is complete again", func() bool {
		p := join(auth{})
		entry, _ := p.Listed(alice.UserID)
		return len(p.Users) == 3 && entry.Username == "alice" && slices.Equal(contents(entry.Messages), want)
	})
}

// TestTheListIsNeverBehindWhatWasAcked connects at one gateway at once when another
// has acked a message, or let in a new user.
func TestTheListIsNeverBehindWhatWasAcked(t *testing.T) {
	t.Parallel()
	_, _, at := together(t, 2)
	alice, bob := gatewaytest.Join(t, at[0], auth{"username": "alice"}), gatewaytest.Join(t, at[0], auth{"username": "bob"})
	for i := range 200 {
		if i%20 == 0 {
			newcomer := gatewaytest.Join(t, at[0], auth{"username": fmt.Sprint("newcomer ", i)})
			again := gatewaytest.Join(t, at[1], auth{"sessionID": bob.SessionID})
			if entry, ok := again.Listed(newcomer.UserID); !ok || entry.Username != fmt.Sprint("newcomer ", i) {
				t.Fatalf("round %d: the newcomer is listed as %+v, %v", i, entry, ok)
			}
			again.Close()
		}
		ack := privately(t, alice, bob.UserID, fmt.Sprint(i))
		again := gatewaytest.Join(t, at[1], auth{"sessionID": bob.SessionID})
		got := with(t, again, alice.UserID)
		if len(got) == 0 || got[len(got)-1].Offset != ack.Offset || len(again.Replayed) > 0 {
			t.Fatalf("round %d: listed %v, replayed %v, acked %d", i, gatewaytest.Offsets(got), again.Replayed, ack.Offset)
		}
		again.Close()
	}
}

// TestAnAnswerOfAReadModelThatLagsIsMadeUpForByTheTail holds the read model back at
// every offset in turn.
func TestAnAnswerOfAReadModelThatLagsIsMadeUpForByTheTail(t *testing.T) {
	t.Parallel()
	s, m, at := together(t, 1)
	alice, bob := gatewaytest.Join(t, at[0], auth{"username": "alice"}), gatewaytest.Join(t, at[0], auth{"username": "bob"})
	var want []string
	last := uint64(0)
	for i := range 12 {
		from, to := alice, bob
		if i%3 == 0 {
			from, to = to, from
		}
		privately(t, from, to.UserID, fmt.Sprint(i))
		want = append(want, fmt.Sprint(i))
		last = logtest.Publish(t, s.Connect(), logtest.Message(t, "general", "in between"))
	}
	if err := m.WaitFor(testContext(t), last); err != nil {
		t.Fatal(err)
	}
	for hold := range last + 1 {
		m.Hold(hold)
		if got := with(t, gatewaytest.Join(t, at[0], auth{"sessionID": bob.SessionID}), alice.UserID); !slices.Equal(contents(got), want) {
			t.Errorf("with a read model at %d: %v", hold, contents(got))
		}
	}
}
