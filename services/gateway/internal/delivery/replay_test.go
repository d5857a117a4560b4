package delivery_test

import (
	"testing"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
	"github.com/tidemark-chat/tidemark/streams/feed"
)

// TestALongReplayIsAnnouncedBeforeItBegins has members begin near and far, in the tail
// and before it.
func TestALongReplayIsAnnouncedBeforeItBegins(t *testing.T) {
	const total, kept = 3000, 1500
	log := &past{}
	for o := range uint64(total) {
		log.add(message(o+1, room(int(o%100))))
	}
	h := start(t, 1<<20, total-kept, log)
	for o := uint64(total - kept); o < total; o++ {
		h.Apply(feed.Record{Event: log.events[o]})
	}
	log.add(message(total+1, room(0))) // not in this feed yet
	for _, c := range []struct {
		hello contract.Hello
		told  bool
		count int
	}{
		{from(0), true, 30},
		{from(1), true, 29},
		{from(total - kept - 1), true, 15},
		{from(total - 1001), true, 10},
		{from(total - 1000), false, 10},
		{from(total - 1), false, 0},
		{from(total), false, 0},
		{from(total + 1), false, 0},
		{from(total + 2), true, 30}, // ahead of the log
		{contract.Hello{Start: contract.Start{Latest: true}}, false, 0},
		{contract.Hello{Start: contract.Start{Offset: total}, Epoch: "another"}, true, 30},
		{contract.Hello{Start: contract.Start{Offset: total}, Epoch: "epoch"}, false, 0},
	} {
		o := newOutlet(100)
		m := join(h, o, topics(room(0)), c.hello)
		frames := []transport.Frame{o.take(t, 1)[0]}
		from, head, told := replay(frames[0])
		if told {
			frames[0] = o.take(t, 1)[0]
		}
		count := 0
		offset, r := parse(t, frames[0])
		for ; r == nil; offset, r = parse(t, o.take(t, 1)[0]) {
			if count++; offset <= from {
				t.Errorf("%+v: %d after %d", c.hello, offset, from)
			}
		}
		if told != c.told || told && (from != r.From || head != total) || count != c.count || r.Count != uint64(c.count) {
			t.Errorf("%+v: told %v, from %d to %d; %d messages, recovery %+v", c.hello, told, from, head, count, *r)
		}
		h.Leave(m)
	}
}

// TestAReplayIsAnnouncedOnceThereIsRoom finds an outlet full that holds but one frame.
func TestAReplayIsAnnouncedOnceThereIsRoom(t *testing.T) {
	const total = 1002
	h := start(t, 1<<20, 0, &past{})
	for o := uint64(1); o <= total; o++ {
		h.Apply(feed.Record{Event: message(o, room(int(o/(total-1))))}) // the last two are of room 1
	}
	o := newOutlet(1)
	before := transport.NewFrame([]byte(`2["users",[]]`))
	o.Send(before)
	m := join(h, o, topics(room(1)), from(1))
	if got := o.take(t, 1)[0]; string(got.Text()) != string(before.Text()) {
		t.Fatalf("first came %s", got.Text())
	}
	if from, head, ok := replay(o.take(t, 1)[0]); !ok || from != 1 || head != total {
		t.Errorf("no replay, or from %d to %d", from, head)
	}
	for want := uint64(total - 1); want <= total; want++ {
		if offset, _ := parse(t, o.take(t, 1)[0]); offset != want {
			t.Errorf("got offset %d, want %d", offset, want)
		}
	}
	if _, r := parse(t, o.take(t, 1)[0]); r == nil || r.Count != 2 {
		t.Errorf("recovery %+v", r)
	}
	// It falls behind again, and is not told again.
	for i := uint64(1); i <= 2000; i++ {
		h.Apply(feed.Record{Event: message(total+i, room(1))})
	}
	for i := uint64(1); i <= 2000; i++ {
		if offset, _ := parse(t, o.take(t, 1)[0]); offset != total+i {
			t.Fatalf("got offset %d, want %d", offset, total+i)
		}
	}
	h.Leave(m)
}
