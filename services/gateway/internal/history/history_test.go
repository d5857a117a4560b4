package history_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/delivery"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/history"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/subject"
	"github.com/tidemark-chat/tidemark/streams/tail"
)

const epoch = "this log's"

// past is a whole log, of which the read model knows the beginning, the tail the end
// and the log itself what was not trimmed.
type past struct {
	events     []event.Event // at index offset-1
	checkpoint uint64        // of the read model
	modelErr   error
	most       int    // events in one answer of the read model
	first      uint64 // of the log
	logErr     error
	tail       *tail.Tail
}

func (p *past) history() *history.History { return history.New(p, p, p.tail, epoch, nil) }

func find(events []event.Event, fits func(*event.Event) bool) (found []event.Event) {
	for _, e := range events {
		if fits(&e) {
			found = append(found, e)
		}
	}
	return found
}

func in(topics []subject.Conversation, e *event.Event) bool {
	of := e.Topics()
	return slices.Contains(topics, e.Conversation) || slices.Contains(topics, of[0]) || of[1].Name != "" && slices.Contains(topics, of[1])
}

func (p *past) Checkpoint(context.Context) (query.Checkpoint, error) {
	c := query.Checkpoint{Offset: p.checkpoint}
	if c.Offset > 0 {
		c.Epoch = epoch
	}
	return c, p.modelErr
}

func (p *past) After(ctx context.Context, r query.AfterRequest) (query.AfterReply, error) {
	c, err := p.Checkpoint(ctx)
	found := find(p.events[:c.Offset], func(e *event.Event) bool { return e.Offset > r.Offset && in(r.Conversations, e) })
	reply := query.AfterReply{Events: found, Through: c.Offset, Checkpoint: c}
	if n := min(r.Limit, p.most); len(found) > n {
		reply.Events, reply.Through = found[:n], found[n-1].Offset
	}
	return reply, err
}

func (p *past) Page(ctx context.Context, r query.PageRequest) (query.PageReply, error) {
	c, err := p.Checkpoint(ctx)
	found := find(p.events[:c.Offset], func(e *event.Event) bool {
		return e.Conversation == r.Conversation && (r.Before == 0 || e.Offset < r.Before)
	})
	slices.Reverse(found)
	n := min(r.Limit, p.most, len(found))
	return query.PageReply{Events: found[:n], More: n < len(found), Checkpoint: c}, err
}

func (p *past) Moment(ctx context.Context, r query.MomentRequest) (query.MomentReply, error) {
	c, err := p.Checkpoint(ctx)
	found := find(p.events[:c.Offset], func(e *event.Event) bool { return e.Conversation == r.Conversation })
	reply := query.MomentReply{Checkpoint: c}
	if n := sort.Search(len(found), func(i int) bool { return found[i].At.After(r.At) }); n > 0 {
		reply.Offset = found[n-1].Offset
	}
	return reply, err
}

func (p *past) Direct(ctx context.Context, r query.DirectRequest) (query.DirectReply, error) {
	c, err := p.Checkpoint(ctx)
	reply := query.DirectReply{Checkpoint: c}
	found := find(p.events[:c.Offset], func(e *event.Event) bool { return in([]subject.Conversation{subject.Inbox(r.User)}, e) })
	slices.Reverse(found)
	var order []subject.Conversation
	for _, e := range found {
		if !slices.Contains(order, e.Conversation) {
			order = append(order, e.Conversation)
		}
	}
	for _, conversation := range order {
		of := find(found, func(e *event.Event) bool { return e.Conversation == conversation })
		reply.Events = append(reply.Events, of[:min(len(of), r.Messages)]...)
	}
	return reply, err
}

func (p *past) Lookup(context.Context, query.LookupRequest) (query.LookupReply, error) {
	return query.LookupReply{}, errors.New("not asked")
}

func (p *past) Users(context.Context, query.UsersRequest) (query.UsersReply, error) {
	return query.UsersReply{}, errors.New("not asked")
}

func (p *past) State(context.Context) (eventlog.State, error) {
	return eventlog.State{First: p.first, Last: uint64(len(p.events)), Epoch: epoch}, p.logErr
}

func (p *past) Read(_ context.Context, topics []subject.Conversation, after, through uint64, limit int) ([]event.Event, uint64, error) {
	found := find(p.events, func(e *event.Event) bool { return e.Offset > after && e.Offset <= through && in(topics, e) })
	if len(found) > limit {
		return found[:limit], found[limit-1].Offset, p.logErr
	}
	return found, through, p.logErr
}

var (
	ann, ben, eve = "ann", "ben", "eve"
	rooms         = []subject.Conversation{{Kind: subject.Room, Name: "a"}, {Kind: subject.Room, Name: "b"}}
	away          = fault.Errorf("ask", fault.Temporary, "away")
)

func direct(from, to string) subject.Conversation {
	return subject.Conversation{Kind: subject.DM, Name: subject.PairName(from, to)}
}

// drawPast draws a log and where the read model ends and the tail begins in it.
func drawPast(t *rapid.T) *past {
	p := &past{first: 1}
	kinds := rapid.SliceOfN(rapid.IntRange(0, 5), 1, 60).Draw(t, "events")
	clock := 0 // seconds; more than one event in some
	for i, kind := range kinds {
		clock += rapid.IntRange(0, 2).Draw(t, "seconds between")
		e := event.Event{Offset: uint64(i + 1), At: time.Unix(int64(clock), 0), Schema: event.Schema, Type: event.Posted, Content: fmt.Sprint(i + 1)}
		switch kind {
		case 0, 1:
			e.Conversation = rooms[kind]
		case 2:
			e.Sender, e.Recipient = ann, ben
		case 3:
			e.Sender, e.Recipient = ben, ann
		case 4:
			e.Sender, e.Recipient = ann, ann
		case 5:
			e.Sender, e.Recipient = ben, eve
		}
		if e.Sender != "" {
			e.Conversation = direct(e.Sender, e.Recipient)
		}
		p.events = append(p.events, e)
	}
	n := uint64(len(kinds))
	p.checkpoint = rapid.Uint64Range(0, n).Draw(t, "checkpoint")
	p.most = rapid.IntRange(1, 10).Draw(t, "events in an answer")
	first := rapid.Uint64Range(1, n+1).Draw(t, "first of the tail")
	p.tail = tail.New(1<<20, first-1)
	for i := first - 1; i < n; i++ {
		p.tail.Append(&p.events[i])
	}
	if rapid.Bool().Draw(t, "read model away") {
		p.modelErr = away
	}
	if rapid.Bool().Draw(t, "log away") {
		p.logErr = away
	}
	return p
}

func offsets(events []*event.Event) []uint64 {
	list := make([]uint64, len(events))
	for i, e := range events {
		list[i] = e.Offset
	}
	return list
}

// drawConversation draws a conversation of ann, and where her tail has it.
func drawConversation(t *rapid.T) (topic, conversation subject.Conversation) {
	conversation = rapid.SampledFrom([]subject.Conversation{rooms[0], direct(ann, ben), direct(ann, ann)}).Draw(t, "conversation")
	if conversation.Kind == subject.DM {
		return subject.Inbox(ann), conversation
	}
	return conversation, conversation
}

// TestAPageIsTheNewestBeforeAnOffsetOrAnError asks for pages wherever the read model
// ends and the tail begins.
func TestAPageIsTheNewestBeforeAnOffsetOrAnError(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPast(t)
		topic, conversation := drawConversation(t)
		before := rapid.Uint64Range(0, uint64(len(p.events))+2).Draw(t, "before")
		limit := rapid.IntRange(1, 100).Draw(t, "limit")
		page, more, err := p.history().Page(t.Context(), topic, conversation, before, limit)
		if err != nil {
			if p.modelErr == nil && p.logErr == nil {
				t.Fatal(err)
			}
			return
		}
		var want []uint64
		for _, e := range p.events {
			if e.Conversation == conversation && (before == 0 || e.Offset < before) {
				want = append(want, e.Offset)
			}
		}
		got := offsets(page)
		if n := len(got); n > limit || n > len(want) || !slices.Equal(got, want[len(want)-n:]) || more != (n < len(want)) {
			t.Fatalf("%v, more: %v, of %v", got, more, want)
		}
		if len(got) < min(limit, len(want), p.most) {
			t.Fatalf("%v of %v is less than the read model gives alone", got, want)
		}
	})
}

// TestTheListOfDirectMessagesIsTheNewestOfEach leaves out nothing that both tail and
// read model are there for, and without the read model is what the tail has.
func TestTheListOfDirectMessagesIsTheNewestOfEach(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPast(t)
		through := rapid.Uint64Range(max(p.checkpoint, 1)-1, uint64(len(p.events))).Draw(t, "through")
		found, err := p.history().Direct(t.Context(), ann, through)
		if p.modelErr == nil && p.logErr == nil && err != nil || p.modelErr != nil && err == nil {
			t.Fatal(err)
		}
		first, _, _ := p.tail.Stats()
		for _, other := range []string{ann, ben, eve} {
			var want []uint64
			for _, e := range p.events {
				if e.Conversation == direct(ann, other) && e.Offset <= through && (err == nil || e.Offset >= first) {
					want = append(want, e.Offset)
				}
			}
			want = want[max(0, len(want)-20):]
			if got := offsets(found[other]); !slices.Equal(got, want) {
				t.Fatalf("with %s %v, want %v; error: %v", other, got, want, err)
			}
		}
	})
}

// TestWhatAMemberMissedIsCompleteUpToWhereItSays reads on and on until it has come to
// the tail.
func TestWhatAMemberMissedIsCompleteUpToWhereItSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPast(t)
		p.first = rapid.Uint64Range(1, uint64(len(p.events))).Draw(t, "first of the log")
		topics := rapid.SliceOfNDistinct(rapid.SampledFrom(append(rooms, subject.Inbox(ann), subject.Inbox(eve))), 1, 4, rapid.ID[subject.Conversation]).Draw(t, "topics")
		cursor := rapid.Uint64Range(0, uint64(len(p.events))).Draw(t, "cursor")
		limit := rapid.IntRange(1, 20).Draw(t, "limit")
		first, _, _ := p.tail.Stats()
		for cursor+1 < first {
			events, through, err := p.history().After(t.Context(), topics, cursor, first-1, limit)
			if trimmed := (*delivery.TrimmedError)(nil); errors.As(err, &trimmed) {
				if p.modelErr != nil || trimmed.First != p.first || p.checkpoint > cursor || p.first <= cursor+1 {
					t.Fatalf("%v after %d: the log begins at %d, the read model ends at %d", err, cursor, p.first, p.checkpoint)
				}
				return
			}
			if err != nil {
				if p.modelErr == nil && p.logErr == nil {
					t.Fatal(err)
				}
				return
			}
			want := find(p.events, func(e *event.Event) bool { return e.Offset > cursor && e.Offset <= through && in(topics, e) })
			if through <= cursor || len(events) > limit || !slices.EqualFunc(events, want, func(a, b event.Event) bool { return a.Offset == b.Offset }) {
				t.Fatalf("after %d up to %d: %v, want %v", cursor, through, events, want)
			}
			cursor = through
		}
	})
}

func TestAReadModelOfAnotherLogIsNotBelieved(t *testing.T) {
	p := &past{first: 1, most: 10, tail: tail.New(1<<20, 2), events: []event.Event{{Offset: 1}, {Offset: 2}}}
	h := history.New(p, p, p.tail, "another", nil)
	p.checkpoint = 2
	if _, _, err := h.Page(t.Context(), rooms[0], rooms[0], 0, 10); err == nil {
		t.Error("a page")
	}
	if _, err := h.Direct(t.Context(), ann, 2); err == nil {
		t.Error("direct messages")
	}
	if _, _, err := h.PageAt(t.Context(), rooms[0], rooms[0], time.Now(), 10); err == nil {
		t.Error("a page at a time")
	}
	if events, through, err := h.After(t.Context(), rooms, 0, 2, 10); err != nil || len(events) > 0 || through != 2 {
		t.Errorf("it was not the log that was read: %v, %d, %v", events, through, err)
	}
}
