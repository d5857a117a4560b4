package delivery_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/delivery"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/feed"
	"github.com/tidemark-chat/tidemark/streams/subject"
	"github.com/tidemark-chat/tidemark/streams/tail"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start runs a hub on a tail that begins at a position.
func start(t testing.TB, budget int, position uint64, history delivery.History) *delivery.Hub {
	h := delivery.New(tail.New(budget, position), history, delivery.Options{
		Epoch: "epoch", Readers: 3, WatermarkInterval: time.Hour,
		Metrics: delivery.NewMetrics(prometheus.NewRegistry()), Log: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); h.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return h
}

func topics(t ...subject.Conversation) []subject.Conversation { return t }

func join(h *delivery.Hub, o delivery.Outlet, topics []subject.Conversation, hello contract.Hello) *delivery.Member {
	m := h.Add(o, stranger{}, topics)
	h.Begin(m, hello.Start, hello.Epoch)
	return m
}

func from(offset uint64) contract.Hello { return contract.Hello{Start: contract.Start{Offset: offset}} }

// parse reads a frame: an event's offset, or a recovery.
func parse(t *testing.T, f transport.Frame) (offset uint64, r *contract.Recovery) {
	t.Helper()
	var parts []json.RawMessage
	if err := json.Unmarshal(f.Text()[1:], &parts); err != nil {
		t.Fatalf("%s: %v", f.Text(), err)
	}
	var err error
	switch string(parts[0]) {
	case `"recovery"`:
		err = json.Unmarshal(parts[1], &r)
	case `"chat message"`:
		err = json.Unmarshal(parts[2], &offset)
	default:
		var m struct{ Offset uint64 }
		err = json.Unmarshal(parts[1], &m)
		offset = m.Offset
	}
	if err != nil {
		t.Fatalf("%s: %v", f.Text(), err)
	}
	return offset, r
}

// TestEveryMemberGetsItsEventsOnceInOrder lets members with random rooms, starts,
// capacities and paces come while events of many rooms are applied, over a tail
// that reaches back only a little.
func TestEveryMemberGetsItsEventsOnceInOrder(t *testing.T) {
	const total, rooms, members = 4000, 6, 60
	rng := rand.New(rand.NewPCG(1, 2))
	log := &past{}
	var all []event.Event
	for o := range uint64(total) {
		all = append(all, message(o+1, room(rng.IntN(rooms))))
	}
	h := start(t, 60_000, 0, log)
	apply := func(e event.Event) { log.add(e); h.Apply(feed.Record{Event: e}) }

	var reading sync.WaitGroup
	for next := 0; next < total; {
		for range rng.IntN(200) {
			if next < total {
				apply(all[next])
				next++
			}
		}
		for range min(members/20, total) {
			mine := []subject.Conversation{room(rng.IntN(rooms))}
			if other := room(rng.IntN(rooms)); other != mine[0] {
				mine = append(mine, other)
			}
			begin := uint64(rng.IntN(next + 1))
			far := uint64(next) > begin+1000
			var want []uint64
			for _, e := range all[begin:] {
				if e.Conversation == mine[0] || len(mine) > 1 && e.Conversation == mine[1] {
					want = append(want, e.Offset)
				}
			}
			o, pace := newOutlet(1+rng.IntN(40)), 1+rng.IntN(20)
			join(h, o, topics(mine...), from(begin))
			reading.Go(func() { o.expect(t, begin, far, want, pace) })
		}
	}
	reading.Wait()
}

func TestAMemberThatCannotBeServedIsCut(t *testing.T) {
	log := &past{err: errors.New("nobody answers")}
	h := start(t, 1<<20, 100, log)
	far, near := newOutlet(10), newOutlet(10)
	join(h, far, topics(room(1)), from(50))
	join(h, near, topics(room(1)), from(100))
	select {
	case <-far.closed:
	case <-time.After(timeout):
		t.Fatal("it was kept")
	}
	if frames := near.take(t, 1); !strings.Contains(string(frames[0].Text()), "recovery") {
		t.Errorf("one that needs no history got %s", frames[0].Text())
	}
	if members, live := h.Count(); members != 1 || live != 1 {
		t.Errorf("%d members, %d live", members, live)
	}
}

func TestReasonsOfARecovery(t *testing.T) {
	log := &past{trimmed: 4}
	for o := range uint64(9) {
		log.add(message(o+1, room(1)))
	}
	h := start(t, 1<<20, 6, log)
	for o := range uint64(3) {
		h.Apply(feed.Record{Event: message(o+7, room(1))})
	}
	log.add(message(10, room(1))) // in the log, not in this feed yet
	for _, c := range []struct {
		hello contract.Hello
		want  contract.Recovery
	}{
		{from(6), contract.Recovery{Recovered: true, From: 6, Head: 9, Count: 3}},
		{from(9), contract.Recovery{Recovered: true, From: 9, Head: 9}},
		{from(4), contract.Recovery{Recovered: true, From: 4, Head: 9, Count: 5}},
		{from(0), contract.Recovery{From: 0, Head: 9, Count: 6, Reason: contract.Trimmed}},
		{from(10), contract.Recovery{Recovered: true, From: 10, Head: 10}},
		{from(11), contract.Recovery{From: 0, Head: 9, Count: 6, Reason: contract.Trimmed}}, // ahead, and then trimmed
		{contract.Hello{Start: contract.Start{Latest: true}}, contract.Recovery{Recovered: true, From: 9, Head: 9}},
		{contract.Hello{Start: contract.Start{Offset: 7}, Epoch: "epoch"}, contract.Recovery{Recovered: true, From: 7, Head: 9, Count: 2}},
	} {
		o := newOutlet(100)
		m := join(h, o, topics(room(1)), c.hello)
		c.want.Epoch = "epoch"
		for {
			_, r := parse(t, o.take(t, 1)[0])
			if r == nil {
				continue
			}
			if *r != c.want {
				t.Errorf("%+v: recovery %+v, want %+v", c.hello, *r, c.want)
			}
			break
		}
		h.Leave(m)
		h.Leave(m)
	}
	if members, _ := h.Count(); members != 0 {
		t.Errorf("%d members are left", members)
	}
}

// TestAMemberAheadOfThisFeedIsNotSentWhatItHas has come from a gateway whose
// feed was further.
func TestAMemberAheadOfThisFeedIsNotSentWhatItHas(t *testing.T) {
	log := &past{}
	for o := range uint64(5) {
		log.add(message(o+1, room(1)))
	}
	h := start(t, 1<<20, 3, log)
	o := newOutlet(10)
	join(h, o, topics(room(1)), from(5))
	if _, r := parse(t, o.take(t, 1)[0]); r == nil || !r.Recovered || r.From != 5 {
		t.Fatalf("recovery %+v", r)
	}
	for offset := uint64(4); offset <= 6; offset++ {
		h.Apply(feed.Record{Event: message(offset, room(1))})
	}
	if offset, _ := parse(t, o.take(t, 1)[0]); offset != 6 {
		t.Errorf("got offset %d, want 6", offset)
	}
}

func TestDamagedAndUnknownEventsAreNotDelivered(t *testing.T) {
	h := start(t, 1<<20, 0, &past{})
	o := newOutlet(10)
	join(h, o, topics(room(1)), from(0))
	o.take(t, 1) // recovery
	unknown := message(2, room(1))
	unknown.Type = "message.edited"
	h.Apply(feed.Record{Event: message(1, room(1)), Damaged: errors.New("digest")})
	h.Apply(feed.Record{Event: unknown})
	h.Apply(feed.Record{Event: message(3, room(1))})
	if offset, _ := parse(t, o.take(t, 1)[0]); offset != 3 {
		t.Errorf("got offset %d, want 3", offset)
	}
}

// TestAHoleInTheLogCutsEveryone lets them come back for what the history has.
func TestAHoleInTheLogCutsEveryone(t *testing.T) {
	log := &past{}
	for o := range uint64(5) {
		log.add(message(o+1, room(1)))
	}
	h := start(t, 1<<20, 2, log)
	o := newOutlet(10)
	join(h, o, topics(room(1)), from(2))
	o.take(t, 1) // recovery
	h.Apply(feed.Record{Event: message(5, room(1)), Missing: 2})
	select {
	case <-o.closed:
	case <-time.After(timeout):
		t.Fatal("a live member was taken past the hole")
	}
	again := newOutlet(10)
	join(h, again, topics(room(1)), from(2))
	for want := uint64(3); want <= 5; want++ {
		if offset, _ := parse(t, again.take(t, 1)[0]); offset != want {
			t.Errorf("got offset %d, want %d", offset, want)
		}
	}
}

func TestWatermarksAreToldToQuietMembersOnce(t *testing.T) {
	h := delivery.New(tail.New(1<<20, 0), &past{}, delivery.Options{
		Epoch: "e", Readers: 1, WatermarkInterval: 5 * time.Millisecond,
		Metrics: delivery.NewMetrics(prometheus.NewRegistry()), Log: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); h.Run(ctx) }()
	defer func() { cancel(); <-done }()
	quiet, busy, alone := newOutlet(100), newOutlet(100), newOutlet(100)
	join(h, quiet, topics(room(1)), from(0))
	join(h, busy, topics(room(2)), from(0))
	h.Begin(h.Add(alone, speaker{"ann", true}, topics(subject.Inbox("ann"))), contract.Start{}, "")
	quiet.take(t, 1)
	busy.take(t, 1)
	alone.take(t, 1)
	h.Apply(feed.Record{Event: message(1, room(2))})
	if got := string(quiet.take(t, 1)[0].Text()); got != `2["watermark",{"offset":1}]` {
		t.Errorf("the quiet one got %s", got)
	}
	h.Apply(feed.Record{Event: message(2, room(2))})
	if got := string(quiet.take(t, 1)[0].Text()); got != `2["watermark",{"offset":2}]` {
		t.Errorf("the quiet one then got %s", got)
	}
	for want := uint64(1); want <= 2; want++ {
		if offset, _ := parse(t, busy.take(t, 1)[0]); offset != want {
			t.Errorf("the busy one got offset %d, want %d and no watermark", offset, want)
		}
	}
	// One's own direct message is not sent to the connection it came over, so that nothing else tells its offset.
	h.Apply(feed.Record{Event: direct(3, "ann", "bob")})
	for text := ""; text != `2["watermark",{"offset":3}]`; {
		text = string(alone.take(t, 1)[0].Text())
		if !strings.HasPrefix(text, `2["watermark"`) {
			t.Fatalf("who said the last word got %s", text)
		}
	}
}

func TestTheEndCutsEveryone(t *testing.T) {
	h := delivery.New(tail.New(1<<20, 0), &past{}, delivery.Options{
		Epoch: "e", Readers: 2, WatermarkInterval: time.Hour,
		Metrics: delivery.NewMetrics(prometheus.NewRegistry()), Log: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); h.Run(ctx) }()
	outlets := []*outlet{newOutlet(1), newOutlet(100)}
	for _, o := range outlets {
		join(h, o, topics(room(1)), from(0))
	}
	cancel()
	<-done
	late := newOutlet(1)
	join(h, late, topics(room(1)), from(0))
	for i, o := range append(outlets, late) {
		select {
		case <-o.closed:
		default:
			t.Errorf("outlet %d was left open", i)
		}
	}
}
