package history_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
	"github.com/tidemark-chat/tidemark/streams/tail"
)

// TestAPageAfterIsTheOldestAfterAnOffsetOrAnError asks for pages wherever the read
// model ends and the tail begins, of a log that may have lost its beginning.
func TestAPageAfterIsTheOldestAfterAnOffsetOrAnError(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPast(t)
		topic, conversation := drawConversation(t)
		after := rapid.Uint64Range(0, uint64(len(p.events))+2).Draw(t, "after")
		limit := rapid.IntRange(1, 100).Draw(t, "limit")
		first, position, _ := p.tail.Stats()
		p.first = rapid.Uint64Range(1, max(1, first-1)).Draw(t, "first of the log")
		page, more, err := p.history().PageAfter(t.Context(), topic, conversation, after, limit)
		inTail := after+1 >= first
		if err != nil {
			if inTail || p.logErr == nil && (p.modelErr == nil || p.first <= after+1) {
				t.Fatal(err)
			}
			return
		}
		gone := p.modelErr == nil && p.checkpoint < p.first // what lies between them, if the read model does not go on at all
		var want []uint64
		for _, e := range p.events {
			lost := gone && !inTail && e.Offset > p.checkpoint && e.Offset < p.first
			if e.Conversation == conversation && e.Offset > after && e.Offset <= position && !lost {
				want = append(want, e.Offset)
			}
		}
		got := offsets(page)
		if n := len(got); n > limit || n > len(want) || !slices.Equal(got, want[:n]) || more != (n < len(want)) {
			t.Fatalf("%v, more: %v, of %v", got, more, want)
		}
		if len(got) < min(limit, len(want), p.most) {
			t.Fatalf("%v of %v is less than the read model gives alone", got, want)
		}
	})
}

// TestPagesGoForwardThroughAWholeConversation asks for each page after the last one.
func TestPagesGoForwardThroughAWholeConversation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPast(t)
		p.modelErr, p.logErr = nil, nil
		topic, conversation := drawConversation(t)
		limit := rapid.IntRange(1, 20).Draw(t, "limit")
		var want, got []uint64
		for _, e := range p.events {
			if e.Conversation == conversation {
				want = append(want, e.Offset)
			}
		}
		for after, more := uint64(0), true; more; {
			var page []*event.Event
			var err error
			if page, more, err = p.history().PageAfter(t.Context(), topic, conversation, after, limit); err != nil || more && len(page) == 0 {
				t.Fatalf("after %d: %v, more: %v, %v", after, offsets(page), more, err)
			}
			if len(page) > 0 {
				after = page[len(page)-1].Offset
			}
			got = append(got, offsets(page)...)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}

// TestAPageAtATimeIsTheConversationAsItWas asks for times before, at, between and
// after those of the log, and also of one whose clock was set back.
func TestAPageAtATimeIsTheConversationAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPast(t)
		steady := rapid.Bool().Draw(t, "the clock was never set back")
		if !steady {
			p.setBack(t)
		}
		topic, conversation := drawConversation(t)
		at := time.Unix(int64(rapid.IntRange(-1, 2*len(p.events)+1).Draw(t, "at")), int64(rapid.IntRange(0, 1).Draw(t, "nanosecond")))
		limit := rapid.IntRange(1, 100).Draw(t, "limit")
		page, more, err := p.history().PageAt(t.Context(), topic, conversation, at, limit)
		if err != nil {
			if p.modelErr == nil && p.logErr == nil {
				t.Fatal(err)
			}
			return
		}
		all := find(p.events, func(e *event.Event) bool { return e.Conversation == conversation })
		n := 0 // messages up to the page's end
		if len(page) > 0 {
			last := page[len(page)-1].Offset
			n = 1 + slices.IndexFunc(all, func(e event.Event) bool { return e.Offset == last })
		}
		if n > 0 && all[n-1].At.After(at) || n < len(all) && !all[n].At.After(at) {
			t.Fatalf("at %v: %d of %d messages: %v", at.Unix(), n, len(all), times(all))
		}
		if steady && slices.ContainsFunc(page, func(e *event.Event) bool { return e.At.After(at) }) {
			t.Fatalf("at %v: %v", at.Unix(), times(all))
		}
		if k := len(page); k > limit || more != (k < n) || k < min(limit, n, p.most) {
			t.Fatalf("%d messages, more: %v, of %d; limit %d", k, more, n, limit)
		}
		for i, e := range page {
			if e.Offset != all[n-len(page)+i].Offset {
				t.Fatalf("%v of %v", offsets(page), all)
			}
		}
	})
}

// setBack sets the clock back once or more.
func (p *past) setBack(t *rapid.T) {
	seconds := rapid.SliceOfN(rapid.IntRange(0, 2*len(p.events)), len(p.events), len(p.events)).Draw(t, "times")
	first, position, _ := p.tail.Stats()
	for i := range p.events {
		p.events[i].At = time.Unix(int64(seconds[i]), 0)
	}
	p.tail = tail.New(1<<20, first-1)
	for i := first - 1; i < position; i++ {
		p.tail.Append(&p.events[i])
	}
}

func times(events []event.Event) (seconds []int64) {
	for _, e := range events {
		seconds = append(seconds, e.At.Unix())
	}
	return seconds
}

// TestAPageThatTheTailHoldsTakesNothingElse has nobody who could be asked.
func TestAPageThatTheTailHoldsTakesNothingElse(t *testing.T) {
	room := rooms[0]
	p := &past{first: 1, most: 10, modelErr: away, logErr: away, tail: tail.New(1<<20, 4)}
	for o := uint64(1); o <= 9; o++ {
		p.events = append(p.events, event.Event{
			Offset: o, At: time.Unix(int64(o), 0), Schema: event.Schema, Type: event.Posted, Conversation: room, Content: fmt.Sprint(o),
		})
		if o > 4 {
			p.tail.Append(&p.events[o-1])
		}
	}
	h := p.history()
	for _, c := range []struct {
		page func() ([]*event.Event, bool, error)
		want []uint64 // nil: an error
		more bool
	}{
		{func() ([]*event.Event, bool, error) { return h.PageAfter(t.Context(), room, room, 4, 3) }, []uint64{5, 6, 7}, true},
		{func() ([]*event.Event, bool, error) { return h.PageAfter(t.Context(), room, room, 6, 3) }, []uint64{7, 8, 9}, false},
		{func() ([]*event.Event, bool, error) { return h.PageAfter(t.Context(), room, room, 9, 3) }, []uint64{}, false},
		{func() ([]*event.Event, bool, error) { return h.PageAfter(t.Context(), room, room, 1<<53, 3) }, []uint64{}, false},
		{func() ([]*event.Event, bool, error) { return h.PageAfter(t.Context(), room, room, 3, 3) }, nil, false},
		{func() ([]*event.Event, bool, error) { return h.PageAt(t.Context(), room, room, time.Unix(8, 0), 3) }, []uint64{6, 7, 8}, true},
		{func() ([]*event.Event, bool, error) { return h.PageAt(t.Context(), room, room, time.Unix(99, 0), 2) }, []uint64{8, 9}, true},
		{func() ([]*event.Event, bool, error) { return h.PageAt(t.Context(), room, room, time.Unix(5, 0), 3) }, nil, false},
		{func() ([]*event.Event, bool, error) { return h.PageAt(t.Context(), room, room, time.Unix(4, 0), 3) }, nil, false},
	} {
		page, more, err := c.page()
		if got := offsets(page); (err == nil) != (c.want != nil) || err == nil && (!slices.Equal(got, c.want) || more != c.more) {
			t.Errorf("%v, more: %v, %v; want %v", got, more, err, c.want)
		}
	}
	p.modelErr, p.logErr = away, nil // the log makes up for a read model that is away
	if page, more, err := h.PageAfter(t.Context(), room, room, 0, 6); err != nil || !more || !slices.Equal(offsets(page), []uint64{1, 2, 3, 4, 5, 6}) {
		t.Errorf("%v, more: %v, %v", offsets(page), more, err)
	}
}

// TestAPageAfterAnOffsetOfAnInboxIsNotOthers has the one message of a conversation
// behind thousands of another.
func TestAPageAfterAnOffsetOfAnInboxIsNotOthers(t *testing.T) {
	p := &past{first: 1, most: 10, modelErr: away, logErr: away, tail: tail.New(64<<20, 0)}
	const n = 10_000
	for o := uint64(1); o <= n; o++ {
		other := eve
		if o == n {
			other = ben
		}
		p.tail.Append(&event.Event{
			Offset: o, Schema: event.Schema, Type: event.Posted, Conversation: direct(ann, other), Sender: ann, Recipient: other,
		})
	}
	page, more, err := p.history().PageAfter(t.Context(), subject.Inbox(ann), direct(ann, ben), 0, 1)
	if err != nil || more || !slices.Equal(offsets(page), []uint64{n}) {
		t.Errorf("%v, more: %v, %v", offsets(page), more, err)
	}
}
