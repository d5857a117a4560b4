package tail

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

func room(i int) subject.Conversation {
	return subject.Conversation{Kind: subject.Room, Name: fmt.Sprint("room", i)}
}

func direct(offset uint64, from, to string) *event.Event {
	e := message(offset, subject.Conversation{Kind: subject.DM, Name: subject.PairName(from, to)})
	e.Sender, e.Recipient = from, to
	return e
}

func message(offset uint64, c subject.Conversation) *event.Event {
	return &event.Event{Offset: offset, At: time.Unix(int64(offset), 0), Conversation: c, Content: "hello"}
}

// TestAfterEqualsANaiveSearch compares the links with a plain list, over random
// logs with holes, skipped offsets, evictions, rooms, inboxes, cursors and limits.
func TestAfterEqualsANaiveSearch(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		start := uint64(rng.IntN(5000))
		one := cost(message(1, room(1)))
		tl := New(one*(1+rng.IntN(3000)), start)
		var all []*event.Event
		offset := start
		for range rng.IntN(4000) {
			offset++
			if rng.IntN(2000) == 0 {
				offset += uint64(1 + rng.IntN(3))
			}
			if rng.IntN(50) == 0 {
				tl.Skip(offset, time.Unix(int64(offset), 0))
				continue
			}
			e := message(offset, room(rng.IntN(1+rng.IntN(20))))
			if rng.IntN(3) == 0 {
				e = direct(offset, fmt.Sprint("user", rng.IntN(4)), fmt.Sprint("user", rng.IntN(4)))
			}
			tl.Append(e)
			all = append(all, e)
		}
		first, position, bytes := tl.Stats()
		if position != offset || bytes > tl.budget && first != position {
			t.Fatalf("seed %d: position %d, want %d; %d bytes of %d", seed, position, offset, bytes, tl.budget)
		}
		for range 50 {
			cursor := uint64(rng.IntN(int(offset) + 10))
			limit := 1 + rng.IntN(100)
			var rooms []subject.Conversation
			for i := range rng.IntN(5) {
				rooms = append(rooms, room(i*rng.IntN(4)))
			}
			for i := range rng.IntN(3) {
				rooms = append(rooms, subject.Inbox(fmt.Sprint("user", i)))
			}
			slices.SortFunc(rooms, func(a, b subject.Conversation) int { return len(a.Name) - len(b.Name) })
			rooms = slices.Compact(rooms)
			seen := map[subject.Conversation]bool{}
			rooms = slices.DeleteFunc(rooms, func(c subject.Conversation) bool { defer func() { seen[c] = true }(); return seen[c] })

			got, through, ok := tl.After(cursor, rooms, limit)
			if cursor+1 < first {
				if ok {
					t.Fatalf("seed %d: answered for cursor %d before first %d", seed, cursor, first)
				}
				continue
			}
			var want []*event.Event
			for _, e := range all {
				if e.Offset > cursor && slices.ContainsFunc(rooms, func(c subject.Conversation) bool { return inTopic(e, c) }) {
					want = append(want, e)
				}
			}
			wantThrough := max(cursor, position)
			if len(want) > limit {
				want = want[:limit]
				wantThrough = want[limit-1].Offset
			}
			if ok && through < wantThrough && through > cursor { // it may be cut short, having looked far
				wantThrough = through
				want = slices.DeleteFunc(want, func(e *event.Event) bool { return e.Offset > through })
			}
			if !ok || !slices.Equal(got, want) || through != wantThrough {
				t.Fatalf("seed %d: After(%d, %v, %d) = %d events through %d, %v; want %d through %d",
					seed, cursor, rooms, limit, len(got), through, ok, len(want), wantThrough)
			}
			before := max(1, cursor+uint64(rng.IntN(2000)))
			for _, topic := range rooms {
				after := cursor / 2 // which may be before the tail
				newest, reached := tl.Newest(topic, after, before, limit, even)
				want := newestOf(all, topic, max(after, first-1), before, limit)
				if !slices.Equal(newest, want) {
					t.Fatalf("seed %d: Newest(%v, %d, %d, %d) = %d events; want %d", seed, topic, after, before, limit, len(newest), len(want))
				}
				if len(want) == limit {
					after = want[limit-1].Offset - 1
				}
				if wantReached := min(max(after, first-1), before-1); reached != wantReached {
					t.Fatalf("seed %d: reached %d, want %d", seed, reached, wantReached)
				}
			}
		}
	}
}

// TestFarBehindInManyTopicsIsCheapAndComplete: what follows the cursor is looked
// through rather than walked back to from every topic's end, again and again.
func TestFarBehindInManyTopicsIsCheapAndComplete(t *testing.T) {
	const total, rooms = 50_000, 100
	tl := New(1<<30, 0)
	var topics []subject.Conversation
	for i := range rooms {
		topics = append(topics, room(i))
	}
	for o := range uint64(total) {
		tl.Append(message(o+1, room(int(o)%(rooms+50)))) // a third is of other rooms
	}
	next := uint64(1)
	for cursor := uint64(0); cursor < total; {
		events, through, ok := tl.After(cursor, topics, 128)
		if !ok || through <= cursor {
			t.Fatalf("after %d: through %d, %v", cursor, through, ok)
		}
		for _, e := range events {
			for (next-1)%(rooms+50) >= rooms {
				next++
			}
			if e.Offset != next {
				t.Fatalf("got %d, want %d", e.Offset, next)
			}
			next++
		}
		cursor = through
	}
	if next < total-50 {
		t.Errorf("the last one was %d", next)
	}
}

func even(e *event.Event) bool { return e.Offset%2 == 0 }

func newestOf(all []*event.Event, topic subject.Conversation, after, before uint64, limit int) (newest []*event.Event) {
	for _, e := range slices.Backward(all) {
		if len(newest) < limit && even(e) && e.Offset > after && e.Offset < before && inTopic(e, topic) {
			newest = append(newest, e)
		}
	}
	return newest
}

func TestAHoleLetsGoWhatWasBefore(t *testing.T) {
	tl := New(1<<20, 0)
	tl.Append(message(1, room(1)))
	tl.Append(message(2, room(1)))
	tl.Append(message(9, room(1)))
	if first, position, _ := tl.Stats(); first != 9 || position != 9 {
		t.Errorf("holds %d to %d, want 9 to 9", first, position)
	}
	if _, _, ok := tl.After(2, []subject.Conversation{room(1)}, 9); ok {
		t.Error("answered across the hole")
	}
	if got, _, ok := tl.After(8, []subject.Conversation{room(1)}, 9); !ok || len(got) != 1 {
		t.Errorf("after the hole: %d events, %v", len(got), ok)
	}
}

func TestKeysAreForgottenWithTheirEvents(t *testing.T) {
	keyed := func(offset uint64) *event.Event {
		e := message(offset, room(1))
		e.Scope, e.Key = "s", fmt.Sprint(offset)
		return e
	}
	tl := New(3*cost(keyed(10)), 0)
	for o := range uint64(10) {
		tl.Append(keyed(o + 1))
	}
	for o := range uint64(10) {
		e, ok := tl.Keyed(keyed(o + 1).MessageID())
		if want := o+1 >= 8; ok != want || ok && e.Offset != o+1 {
			t.Errorf("key %d: found %v", o+1, ok)
		}
	}
	if len(tl.keys) != 3 {
		t.Errorf("%d keys are kept for 3 events", len(tl.keys))
	}
	for offset, want := range map[uint64]bool{6: false, 7: true, 10: true} {
		if position, at, ok := tl.Since(offset); ok != want || ok && (position != 10 || at.Unix() != 10) {
			t.Errorf("Since(%d) = %d, %v, %v", offset, position, at, ok)
		}
	}
}

func TestGetAndNextAt(t *testing.T) {
	tl := New(1<<20, 4)
	tl.Append(message(5, room(1)))
	tl.Skip(6, time.Unix(6, 0))
	tl.Append(message(6, room(1))) // is here already
	for offset, want := range map[uint64]bool{4: false, 5: true, 6: false, 7: false} {
		if _, ok := tl.Get(offset); ok != want {
			t.Errorf("Get(%d) found %v", offset, ok)
		}
	}
	for offset, want := range map[uint64]int64{4: 5, 5: 6} {
		if at, ok := tl.NextAt(offset); !ok || at.Unix() != want {
			t.Errorf("NextAt(%d) = %v, %v", offset, at, ok)
		}
	}
	for _, offset := range []uint64{3, 6, 7} {
		if at, ok := tl.NextAt(offset); ok {
			t.Errorf("NextAt(%d) = %v, want none", offset, at)
		}
	}
}

func TestTheNewestEventIsKeptWhateverItsSize(t *testing.T) {
	tl := New(1, 0)
	for i := range uint64(5) {
		tl.Append(message(i+1, room(1)))
	}
	if first, position, _ := tl.Stats(); first != 5 || position != 5 {
		t.Errorf("holds %d to %d, want just 5", first, position)
	}
}

// BenchmarkAfter finds 100 missed events of one room among 100,000 kept.
func BenchmarkAfter(b *testing.B) {
	for _, rooms := range []int{1, 10, 1000} {
		b.Run(fmt.Sprintf("100-missed-of-100000-kept/%d-rooms", rooms), func(b *testing.B) {
			tl := New(1<<30, 0)
			for o := range uint64(100_000) {
				tl.Append(message(o+1, room(int(o)%rooms)))
			}
			cursor := uint64(max(0, 100_000-100*rooms))
			want := []subject.Conversation{room(0)}
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				if got, _, ok := tl.After(cursor, want, 256); !ok || len(got) != 100 {
					b.Fatal(len(got), ok)
				}
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	tl := New(64<<20, 0)
	b.ReportAllocs()
	for i := range b.N {
		tl.Append(message(uint64(i)+1, room(i%100)))
	}
}
