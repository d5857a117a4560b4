package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

func TestWhereAClientBegins(t *testing.T) {
	s := logtest.Start(t)
	js := s.Provision(logtest.Config())
	logtest.Fill(t, js, 300, func(i int) event.Event { return logtest.Message(t, "general", fmt.Sprint(i+1)) })
	state, err := eventlog.Open(js).State(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	g := gatewaytest.Start(t, gatewaytest.Config(s.URL()))
	for _, c := range []struct {
		auth      any
		first     uint64 // offset of the first event replayed; 301: none
		recovered bool
		reason    string
	}{
		{nil, 1, true, ""},
		{map[string]any{}, 1, true, ""},
		{map[string]any{"serverOffset": nil}, 1, true, ""},
		{map[string]any{"serverOffset": ""}, 1, true, ""},
		{map[string]any{"serverOffset": 0}, 1, true, ""},
		{map[string]any{"serverOffset": 7}, 8, true, ""},
		{map[string]any{"serverOffset": "298"}, 299, true, ""},
		{map[string]any{"serverOffset": 300}, 301, true, ""},
		{map[string]any{"serverOffset": "latest"}, 301, true, ""},
		{map[string]any{"serverOffset": 7, "epoch": state.Epoch}, 8, true, ""},
		{map[string]any{"serverOffset": 7, "epoch": "another"}, 1, false, "epoch_changed"},
		{map[string]any{"serverOffset": 301}, 1, false, "ahead_of_log"},
		{map[string]any{"serverOffset": 1<<53 - 1}, 1, false, "ahead_of_log"},
		{map[string]any{"serverOffset": 7, "pid": "x", "offset": "y"}, 8, true, ""},
	} {
		client := gatewaytest.Connect(t, g.Address, c.auth)
		for offset := c.first; offset <= 300; offset++ {
			expectMessage(t, client, fmt.Sprint(offset), offset)
		}
		r, err := client.NextRecovery(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		want := gatewaytest.Recovery{
			Recovered: c.recovered, From: c.first - 1, Head: 300, Count: 301 - c.first, Epoch: state.Epoch, Reason: c.reason,
		}
		if r != want {
			t.Errorf("auth %v: recovery %+v, want %+v", c.auth, r, want)
		}
		client.Close()
	}
	for _, offset := range []any{-1, 1.5, "x", "-1", true, []int{1}, map[string]any{}, 1e300, "9007199254740993"} {
		_, err := gatewaytest.Dial(testContext(t), g.Address, map[string]any{"serverOffset": offset})
		if refused := (*gatewaytest.ErrRefused)(nil); !errors.As(err, &refused) || refused.Message != "invalid offset" {
			t.Errorf("serverOffset %v: %v, want connect_error invalid offset", offset, err)
		}
	}
}

// TestEveryOffsetExactlyOnceThroughRandomCuts cuts clients in the middle of
// replay and live traffic; they come back with the last offset they received.
func TestEveryOffsetExactlyOnceThroughRandomCuts(t *testing.T) {
	const cuts, clients, senders, perSender = 20, 5, 4, 400
	s := logtest.Start(t)
	g := gatewaytest.Start(t, gatewaytest.Config(s.URL()))
	ctx := testContext(t)
	var sending, receiving sync.WaitGroup
	for sender := range senders {
		c := gatewaytest.Connect(t, g.Address, map[string]any{"serverOffset": "latest"})
		sending.Go(func() {
			for i := range perSender {
				if ack, err := c.Send(ctx, "chat message", fmt.Sprintf("%d-%d", sender, i), fmt.Sprintf("%s-%d", c.SocketID, i)); err != nil || !ack.OK {
					t.Errorf("send: %+v, %v", ack, err)
					return
				}
			}
		})
	}
	const total = senders * perSender
	for seed := range clients {
		receiving.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(seed), 7))
			last, cut := uint64(0), 0
			for last < total {
				c, err := gatewaytest.Dial(ctx, g.Address, map[string]any{"serverOffset": last})
				if err != nil {
					t.Errorf("client %d: %v", seed, err)
					return
				}
				for stay := 1 + rng.IntN(total/cuts); last < total && stay > 0; stay-- {
					m, err := c.NextMessage(ctx)
					if err != nil {
						t.Errorf("client %d after offset %d: %v", seed, last, err)
						c.Close()
						return
					}
					if m.Offset != last+1 {
						t.Errorf("client %d: offset %d after %d", seed, m.Offset, last)
						c.Close()
						return
					}
					last = m.Offset
				}
				cut++
				c.Close()
			}
			if cut < cuts {
				t.Errorf("client %d was cut only %d times", seed, cut)
			}
		})
	}
	sending.Wait()
	receiving.Wait()
}

func TestOneKeyIsOneMessage(t *testing.T) {
	s := logtest.Start(t)
	g := gatewaytest.Start(t, gatewaytest.Config(s.URL()))
	first := gatewaytest.Connect(t, g.Address, nil)
	key := first.SocketID + "-0"

	// At the same time, from several sockets.
	var all sync.WaitGroup
	acks := make([]gatewaytest.Ack, 8)
	for i := range acks {
		c := gatewaytest.Connect(t, g.Address, nil)
		all.Go(func() {
			ack, err := c.Send(testContext(t), "chat message", "once", key)
			if err != nil {
				t.Error(err)
			}
			acks[i] = ack
		})
	}
	all.Wait()
	fresh := 0
	for _, ack := range acks {
		if !ack.OK || ack.Offset != 1 || ack.ID != acks[0].ID || ack.ID == "" {
			t.Errorf("ack %+v", ack)
		}
		if !ack.Duplicate {
			fresh++
		}
	}
	if fresh != 1 {
		t.Errorf("%d acks say it was new", fresh)
	}
	// From its own socket, after reconnecting, and with other content.
	want := acks[0]
	want.Duplicate = true
	if ack := send(t, first, "once", key); ack != want {
		t.Errorf("own socket: %+v", ack)
	}
	first.Close()
	again := gatewaytest.Connect(t, g.Address, nil)
	if ack := send(t, again, "once", key); ack != want {
		t.Errorf("after reconnecting: %+v", ack)
	}
	if ack := send(t, again, "other", key); ack.OK || ack.Error.Code != "key_conflict" {
		t.Errorf("other content: %+v, want key_conflict", ack)
	}
	// Through another gateway, after this one is gone.
	if err := g.Stop(); err != nil {
		t.Fatal(err)
	}
	other := gatewaytest.Start(t, gatewaytest.Config(s.URL()))
	c := gatewaytest.Connect(t, other.Address, nil)
	if ack := send(t, c, "once", key); ack != want {
		t.Errorf("through another gateway: %+v", ack)
	}
	if ack := send(t, c, "next"); ack.Offset != 2 {
		t.Errorf("the next message has offset %d: the key made more than one", ack.Offset)
	}
}

func TestAKeyWithoutASocketIDIsGoodForItsConnectionOnly(t *testing.T) {
	s := logtest.Start(t)
	g := gatewaytest.Start(t, gatewaytest.Config(s.URL()))
	a, b := gatewaytest.Connect(t, g.Address, nil), gatewaytest.Connect(t, g.Address, nil)
	for i, c := range []*gatewaytest.Client{a, b} {
		if ack := send(t, c, "typed before the first connect", "undefined-0"); !ack.OK || ack.Duplicate || ack.Offset != uint64(i+1) {
			t.Errorf("guest %d: %+v", i, ack)
		}
	}
	if ack := send(t, a, "typed before the first connect", "undefined-0"); !ack.OK || !ack.Duplicate || ack.Offset != 1 {
		t.Errorf("again on the same connection: %+v", ack)
	}
}
