package modeltest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

func testInbox(t *testing.T, open OpenModel) {
	model, project := open(t)
	project(
		Direct(1, "a", "b", "x"), Direct(2, "b", "a", "x"), Direct(3, "a", "c", "x"),
		Direct(4, "b", "c", "x"), Direct(5, "a", "a", "x"), Event(6, Room("r"), "x"),
	)
	a, b, r := subject.Inbox("a"), subject.Inbox("b"), Room("r")
	ab := subject.Conversation{Kind: subject.DM, Name: subject.PairName("a", "b")}
	for _, test := range []struct {
		topics []subject.Conversation
		after  uint64
		want   []uint64
	}{
		{[]subject.Conversation{a}, 0, []uint64{1, 2, 3, 5}},
		{[]subject.Conversation{a}, 2, []uint64{3, 5}},
		{[]subject.Conversation{a}, 5, nil},
		{[]subject.Conversation{b}, 0, []uint64{1, 2, 4}},
		{[]subject.Conversation{subject.Inbox("c")}, 0, []uint64{3, 4}},
		{[]subject.Conversation{subject.Inbox("nobody")}, 0, nil},
		{[]subject.Conversation{r, a}, 0, []uint64{1, 2, 3, 5, 6}},
		{[]subject.Conversation{a, ab}, 0, []uint64{1, 2, 3, 5}}, // none twice
		{[]subject.Conversation{ab, a, b}, 0, []uint64{1, 2, 3, 4, 5}},
	} {
		reply := must[query.AfterReply](t)(model.After(t.Context(), query.AfterRequest{Conversations: test.topics, Offset: test.after}))
		wantOffsets(t, reply.Events, test.want...)
		if reply.Through != 6 {
			t.Errorf("%v: through %d, want the checkpoint", test.topics, reply.Through)
		}
	}
}

// One inbox may be more conversations than can be named.
func testInboxMany(t *testing.T, open OpenModel) {
	model, project := open(t)
	const n = query.MaxConversations + 50
	var events []event.Event
	for o := uint64(1); o <= n; o++ {
		from, to := "u", fmt.Sprint("other-", o)
		if o%2 == 0 {
			from, to = to, from
		}
		events = append(events, Direct(o, from, to, "x"))
	}
	project(events...)
	r := query.AfterRequest{Conversations: []subject.Conversation{subject.Inbox("u"), Room("a")}}
	for r.Offset < n {
		reply := must[query.AfterReply](t)(model.After(t.Context(), r))
		wantOffsets(t, reply.Events, span(r.Offset+1, reply.Through)...)
		if reply.Through <= r.Offset {
			t.Fatalf("after %d: through %d", r.Offset, reply.Through)
		}
		r.Offset = reply.Through
	}
}

func testDirect(t *testing.T, open OpenModel) {
	model, project := open(t)
	project(
		Direct(1, "a", "b", "x"), Direct(2, "c", "a", "x"), Direct(3, "a", "a", "x"), Direct(4, "b", "c", "x"),
		Direct(5, "b", "a", "x"), Direct(6, "a", "a", "x"), Direct(7, "a", "b", "x"), Event(8, Room("r"), "x"),
	)
	for _, test := range []struct {
		user                    string
		conversations, messages int
		want                    []uint64
	}{
		{"a", 10, 10, []uint64{7, 5, 1, 6, 3, 2}},
		{"a", 10, 2, []uint64{7, 5, 6, 3, 2}},
		{"a", 2, 1, []uint64{7, 6}},
		{"b", query.MaxConversations, query.MaxEvents, []uint64{7, 5, 1, 4}},
		{"c", 1, 10, []uint64{4}},
		{"nobody", 10, 10, nil},
	} {
		reply := must[query.DirectReply](t)(model.Direct(t.Context(), query.DirectRequest{
			User: test.user, Conversations: test.conversations, Messages: test.messages,
		}))
		wantOffsets(t, reply.Events, test.want...)
		wantCheckpoint(t, reply.Checkpoint, Event(8, Room("r"), "x"))
	}
}

func testDirectBytes(t *testing.T, open OpenModel) {
	model, project := open(t)
	big := strings.Repeat("x", 60<<10)
	for o := uint64(1); o <= 6; o++ { // with b, c, b, c, ...
		project(Direct(o, "a", string(rune('b'+(o-1)%2)), big))
	}
	reply := must[query.DirectReply](t)(model.Direct(t.Context(), query.DirectRequest{User: "a", Conversations: 5, Messages: 5}))
	wantOffsets(t, reply.Events, 6, 4, 5, 3) // each has half of the bytes
}

// testDirectTaken: a conversation goes as far as the messages that are in it.
func testDirectTaken(t *testing.T, open OpenStore) {
	s := open(t)
	again := Direct(3, "a", "b", "again")
	again.Key = "key-1"
	again.Seal()
	if refused := Project(t, s, Direct(1, "a", "b", "x"), Direct(2, "a", "c", "x"), again); len(refused) != 1 {
		t.Errorf("refused: %+v", refused)
	}
	reply := must[query.DirectReply](t)(s.Direct(t.Context(), query.DirectRequest{User: "a", Conversations: 1, Messages: 1}))
	wantOffsets(t, reply.Events, 2)
	after := must[query.AfterReply](t)(s.After(t.Context(), query.AfterRequest{Conversations: []subject.Conversation{subject.Inbox("b")}, Offset: 1}))
	wantOffsets(t, after.Events)
	if after.Through != 3 {
		t.Errorf("through %d", after.Through)
	}
}
