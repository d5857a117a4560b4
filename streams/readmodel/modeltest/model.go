package modeltest

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// OpenModel makes an empty model for a test; project adds events to it.
type OpenModel func(t *testing.T) (model query.Model, project func(events ...event.Event))

// TestModel asks a model everything that the contract of package query says.
func TestModel(t *testing.T, open OpenModel) {
	for name, test := range map[string]func(*testing.T, OpenModel){
		"empty model":                          testEmpty,
		"event comes back as it was":           testFidelity,
		"after: conversations are merged":      testAfterMerges,
		"after: limit and Through":             testAfterLimit,
		"after: bytes and Through":             testAfterBytes,
		"after: many conversations":            testAfterMany,
		"after: beyond the checkpoint":         testAfterBeyond,
		"page: walks back to the first":        testPageWalk,
		"page: bytes":                          testPageBytes,
		"moment: the last at a time":           testMoment,
		"moment: the clock was set back":       testMomentClock,
		"lookup":                               testLookup,
		"reply of escaped content fits":        testHostileContent,
		"inbox: a user's direct messages":      testInbox,
		"inbox: many conversations":            testInboxMany,
		"direct: newest conversation first":    testDirect,
		"direct: bytes":                        testDirectBytes,
		"users: by id and the newest":          testUsers,
		"users: more than an answer holds":     testUsersMany,
		"wrong questions are refused for good": testRefusals,
		"answers are those of the reference":   testReference,
	} {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
}

// must unwraps an answer.
func must[T any](t *testing.T) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func offsets(events []event.Event) []uint64 {
	list := make([]uint64, len(events))
	for i, e := range events {
		list[i] = e.Offset
	}
	return list
}

func wantOffsets(t *testing.T, events []event.Event, want ...uint64) {
	t.Helper()
	if got := offsets(events); !reflect.DeepEqual(got, append([]uint64{}, want...)) {
		t.Errorf("offsets %v, want %v", got, want)
	}
}

func span(from, to uint64) (list []uint64) {
	for ; from <= to; from++ {
		list = append(list, from)
	}
	return list
}

func testEmpty(t *testing.T, open OpenModel) {
	model, _ := open(t)
	if c := must[query.Checkpoint](t)(model.Checkpoint(t.Context())); c != (query.Checkpoint{}) {
		t.Errorf("checkpoint %+v", c)
	}
	after := must[query.AfterReply](t)(model.After(t.Context(), query.AfterRequest{Conversations: []subject.Conversation{subject.General}}))
	if len(after.Events) != 0 || after.Through != 0 {
		t.Errorf("after: %+v", after)
	}
	page := must[query.PageReply](t)(model.Page(t.Context(), query.PageRequest{Conversation: subject.General}))
	if len(page.Events) != 0 || page.More {
		t.Errorf("page: %+v", page)
	}
	moment := must[query.MomentReply](t)(model.Moment(t.Context(), query.MomentRequest{Conversation: subject.General, At: second(1)}))
	if moment != (query.MomentReply{}) {
		t.Errorf("moment: %+v", moment)
	}
	lookup := must[query.LookupReply](t)(model.Lookup(t.Context(), query.LookupRequest{Scope: "s", Key: "k"}))
	if lookup.Event != nil {
		t.Errorf("lookup: %+v", lookup)
	}
	direct := must[query.DirectReply](t)(model.Direct(t.Context(), query.DirectRequest{User: "u", Conversations: 1, Messages: 1}))
	if len(direct.Events) != 0 {
		t.Errorf("direct: %+v", direct)
	}
	wantUsers(t, must[query.UsersReply](t)(model.Users(t.Context(), query.UsersRequest{Newest: 1})), false)
}

func testFidelity(t *testing.T, open OpenModel) {
	model, project := open(t)
	plain := Event(1, Room("a b*>"), "")
	rich := Keyed(2, subject.Conversation{Kind: subject.DM, Name: subject.PairName("u1", "u2")}, "<b>\x00\u2028 日本 '\"\\", "k'\x00;--")
	rich.Recipient = "u2"
	rich.Seal()
	user := Event(3, subject.Conversation{Kind: subject.User, Name: "zoë:1"}, "x")
	project(plain, rich, user)
	for _, want := range []event.Event{plain, rich, user} {
		page := must[query.PageReply](t)(model.Page(t.Context(), query.PageRequest{Conversation: want.Conversation}))
		if len(page.Events) != 1 || page.Events[0] != want {
			t.Errorf("got %+v, want %+v", page.Events, want)
		} else if !page.Events[0].Intact() {
			t.Errorf("event %d does not fit its digest", want.Offset)
		}
		wantCheckpoint(t, page.Checkpoint, user)
	}
}

func wantCheckpoint(t *testing.T, got query.Checkpoint, last event.Event) {
	t.Helper()
	if want := (query.Checkpoint{Offset: last.Offset, At: last.At, Epoch: Epoch}); got != want {
		t.Errorf("checkpoint %+v, want %+v", got, want)
	}
}

func testAfterMerges(t *testing.T, open OpenModel) {
	model, project := open(t)
	a, b, c := Room("a"), Room("b"), Room("c")
	project(Event(1, a, "1"), Event(2, b, "2"), Event(3, c, "3"), Event(4, a, "4"), Event(5, b, "5"), Event(6, c, "6"))
	ask := func(offset uint64, conversations ...subject.Conversation) query.AfterReply {
		return must[query.AfterReply](t)(model.After(t.Context(), query.AfterRequest{Conversations: conversations, Offset: offset}))
	}
	all := ask(0, b, a, b)
	wantOffsets(t, all.Events, 1, 2, 4, 5)
	if all.Through != 6 {
		t.Errorf("through %d, want the checkpoint", all.Through)
	}
	wantOffsets(t, ask(2, a, b).Events, 4, 5)
	wantOffsets(t, ask(5, a, b).Events)
	wantOffsets(t, ask(0, Room("nobody")).Events)
	wantOffsets(t, ask(0).Events)
}

func testAfterLimit(t *testing.T, open OpenModel) {
	model, project := open(t)
	a, b := Room("a"), Room("b")
	var events []event.Event
	for i := uint64(1); i <= 2*query.MaxEvents+1; i++ {
		c := a
		if i%2 == 0 {
			c = b
		}
		events = append(events, Event(i, c, "x"))
	}
	project(events...)
	ask := func(offset uint64, limit int) query.AfterReply {
		return must[query.AfterReply](t)(model.After(t.Context(), query.AfterRequest{
			Conversations: []subject.Conversation{a, b}, Offset: offset, Limit: limit,
		}))
	}
	for _, test := range []struct {
		offset, limit, first, last, through uint64
	}{
		{0, 0, 1, 100, 100},
		{100, 0, 101, 200, 200},
		{101, 0, 102, 201, 201},
		{200, 0, 201, 201, 201},
		{7, 3, 8, 10, 10},
		{198, 3, 199, 201, 201},
	} {
		reply := ask(test.offset, int(test.limit))
		wantOffsets(t, reply.Events, span(test.first, test.last)...)
		if reply.Through != test.through {
			t.Errorf("%+v: through %d", test, reply.Through)
		}
	}
}

func testAfterBytes(t *testing.T, open OpenModel) {
	model, project := open(t)
	big := strings.Repeat("x", 60<<10)
	project(Event(1, Room("a"), big), Event(2, Room("b"), big), Event(3, Room("a"), big), Event(4, Room("a"), big), Event(5, Room("b"), big), Event(6, Room("c"), "x"))
	r := query.AfterRequest{Conversations: []subject.Conversation{Room("a"), Room("b")}}
	first := must[query.AfterReply](t)(model.After(t.Context(), r))
	wantOffsets(t, first.Events, 1, 2, 3, 4)
	if first.Through != 4 {
		t.Errorf("through %d", first.Through)
	}
	r.Offset = first.Through
	second := must[query.AfterReply](t)(model.After(t.Context(), r))
	wantOffsets(t, second.Events, 5)
	if second.Through != 6 {
		t.Errorf("through %d", second.Through)
	}
}

func testAfterMany(t *testing.T, open OpenModel) {
	model, project := open(t)
	r := query.AfterRequest{Limit: 10}
	var events []event.Event
	for i := range uint64(query.MaxConversations) { // the newest conversation is asked for first
		c := Room(strings.Repeat("x", int(i%60)+1) + string(rune('a'+i%26)))
		r.Conversations = append([]subject.Conversation{c}, r.Conversations...)
		events = append(events, Event(i+1, c, "x"))
	}
	project(events...)
	for range 3 {
		reply := must[query.AfterReply](t)(model.After(t.Context(), r))
		wantOffsets(t, reply.Events, span(r.Offset+1, r.Offset+10)...)
		r.Offset = reply.Through
	}
}

func testAfterBeyond(t *testing.T, open OpenModel) {
	model, project := open(t)
	project(Event(1, Room("a"), "x"))
	for _, offset := range []uint64{1, 2, 1 << 63, 1<<64 - 1} {
		reply := must[query.AfterReply](t)(model.After(t.Context(), query.AfterRequest{Conversations: []subject.Conversation{Room("a")}, Offset: offset}))
		if len(reply.Events) != 0 || reply.Through != 1 {
			t.Errorf("after %d: %+v", offset, reply)
		}
	}
}

func testPageWalk(t *testing.T, open OpenModel) {
	model, project := open(t)
	var events []event.Event
	for i := uint64(1); i <= 20; i += 2 {
		events = append(events, Event(i, Room("a"), "x"), Event(i+1, Room("b"), "x"))
	}
	project(events...)
	before := uint64(0)
	for _, want := range []struct {
		offsets []uint64
		more    bool
	}{
		{[]uint64{19, 17, 15, 13}, true}, {[]uint64{11, 9, 7, 5}, true}, {[]uint64{3, 1}, false},
	} {
		page := must[query.PageReply](t)(model.Page(t.Context(), query.PageRequest{Conversation: Room("a"), Before: before, Limit: 4}))
		wantOffsets(t, page.Events, want.offsets...)
		if page.More != want.more {
			t.Errorf("before %d: more is %v", before, page.More)
		}
		before = page.Events[len(page.Events)-1].Offset
	}
	if page := must[query.PageReply](t)(model.Page(t.Context(), query.PageRequest{Conversation: Room("a"), Before: 9, Limit: 4})); page.More {
		t.Error("the four oldest: more")
	}
	if page := must[query.PageReply](t)(model.Page(t.Context(), query.PageRequest{Conversation: Room("a"), Before: 1})); len(page.Events) != 0 || page.More {
		t.Errorf("before the first: %+v", page)
	}
}

func testPageBytes(t *testing.T, open OpenModel) {
	model, project := open(t)
	big := strings.Repeat("x", 60<<10)
	for i := uint64(1); i <= 6; i++ {
		project(Event(i, Room("a"), big))
	}
	page := must[query.PageReply](t)(model.Page(t.Context(), query.PageRequest{Conversation: Room("a")}))
	wantOffsets(t, page.Events, 6, 5, 4, 3)
	if !page.More {
		t.Error("no more")
	}
}

func testLookup(t *testing.T, open OpenModel) {
	model, project := open(t)
	first, second := Keyed(1, Room("a"), "x", "k1"), Keyed(2, Room("b"), "x", "k1")
	project(first, second, Event(3, Room("a"), "no key"))
	ask := func(scope, key string) *event.Event {
		reply := must[query.LookupReply](t)(model.Lookup(t.Context(), query.LookupRequest{Scope: scope, Key: key}))
		if reply.Checkpoint.Offset != 3 {
			t.Errorf("checkpoint %+v", reply.Checkpoint)
		}
		return reply.Event
	}
	for _, want := range []event.Event{first, second} {
		if got := ask(want.Scope, want.Key); got == nil || *got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if got := ask(first.Scope, "k2"); got != nil {
		t.Errorf("another key: %+v", got)
	}
	if got := ask("", "k1"); got != nil {
		t.Errorf("another scope: %+v", got)
	}
}

// A reply is JSON and at most 1 MiB, and there is content of which each byte
// becomes six.
func testHostileContent(t *testing.T, open OpenModel) {
	model, project := open(t)
	for _, content := range []string{strings.Repeat("<", 60<<10), strings.Repeat("\x01", 60<<10)} {
		checkpoint := must[query.Checkpoint](t)(model.Checkpoint(t.Context()))
		for i := uint64(1); i <= 5; i++ {
			project(Event(checkpoint.Offset+i, Room("a"), content))
		}
		r := query.AfterRequest{Conversations: []subject.Conversation{Room("a")}, Offset: checkpoint.Offset}
		for r.Offset < checkpoint.Offset+5 {
			reply := must[query.AfterReply](t)(model.After(t.Context(), r))
			if len(reply.Events) == 0 || reply.Events[0].Content != content {
				t.Fatalf("after %d: %d events", r.Offset, len(reply.Events))
			}
			r.Offset = reply.Through
		}
		if page := must[query.PageReply](t)(model.Page(t.Context(), query.PageRequest{Conversation: Room("a")})); len(page.Events) == 0 || !page.More {
			t.Errorf("page: %d events, more %v", len(page.Events), page.More)
		}
	}
}

func testRefusals(t *testing.T, open OpenModel) {
	model, project := open(t)
	project(Event(1, Room("a"), "x"))
	many := make([]subject.Conversation, query.MaxConversations+1)
	for i := range many {
		many[i] = Room("a")
	}
	rooms := []subject.Conversation{Room("a")}
	for name, ask := range map[string]func() error{
		"after: limit below": func() error {
			_, err := model.After(t.Context(), query.AfterRequest{Conversations: rooms, Limit: -1})
			return err
		},
		"after: limit above": func() error {
			_, err := model.After(t.Context(), query.AfterRequest{Conversations: rooms, Limit: query.MaxEvents + 1})
			return err
		},
		"after: many conversations": func() error { _, err := model.After(t.Context(), query.AfterRequest{Conversations: many}); return err },
		"after: no conversation": func() error {
			_, err := model.After(t.Context(), query.AfterRequest{Conversations: make([]subject.Conversation, 1)})
			return err
		},
		"after: nobody's inbox": func() error {
			_, err := model.After(t.Context(), query.AfterRequest{Conversations: []subject.Conversation{subject.Inbox("")}})
			return err
		},
		"page: an inbox": func() error {
			_, err := model.Page(t.Context(), query.PageRequest{Conversation: subject.Inbox("u")})
			return err
		},
		"direct: nobody": func() error {
			_, err := model.Direct(t.Context(), query.DirectRequest{Conversations: 1, Messages: 1})
			return err
		},
		"direct: no conversations": func() error {
			_, err := model.Direct(t.Context(), query.DirectRequest{User: "u", Messages: 1})
			return err
		},
		"direct: many conversations": func() error {
			_, err := model.Direct(t.Context(), query.DirectRequest{User: "u", Conversations: query.MaxConversations + 1, Messages: 1})
			return err
		},
		"direct: no messages": func() error {
			_, err := model.Direct(t.Context(), query.DirectRequest{User: "u", Conversations: 1})
			return err
		},
		"direct: many messages": func() error {
			_, err := model.Direct(t.Context(), query.DirectRequest{User: "u", Conversations: 1, Messages: query.MaxEvents + 1})
			return err
		},
		"users: none": func() error { _, err := model.Users(t.Context(), query.UsersRequest{}); return err },
		"users: many": func() error {
			_, err := model.Users(t.Context(), query.UsersRequest{Newest: query.MaxUsers + 1})
			return err
		},
		"users: many ids": func() error {
			_, err := model.Users(t.Context(), query.UsersRequest{IDs: make([]string, query.MaxUsers+1), Newest: 1})
			return err
		},
		"page: no conversation": func() error { _, err := model.Page(t.Context(), query.PageRequest{}); return err },
		"page: unknown kind": func() error {
			_, err := model.Page(t.Context(), query.PageRequest{Conversation: subject.Conversation{Kind: "x", Name: "y"}})
			return err
		},
		"page: limit": func() error {
			_, err := model.Page(t.Context(), query.PageRequest{Conversation: rooms[0], Limit: -1})
			return err
		},
		"moment: no conversation": func() error {
			_, err := model.Moment(t.Context(), query.MomentRequest{At: second(1)})
			return err
		},
		"moment: an inbox": func() error {
			_, err := model.Moment(t.Context(), query.MomentRequest{Conversation: subject.Inbox("u"), At: second(1)})
			return err
		},
		"moment: no time": func() error {
			_, err := model.Moment(t.Context(), query.MomentRequest{Conversation: rooms[0]})
			return err
		},
		"moment: before 1970": func() error {
			_, err := model.Moment(t.Context(), query.MomentRequest{Conversation: rooms[0], At: time.Unix(0, -1)})
			return err
		},
		"lookup: no key": func() error { _, err := model.Lookup(t.Context(), query.LookupRequest{Scope: "s"}); return err },
	} {
		if err := ask(); !fault.Is(err, fault.Permanent) {
			t.Errorf("%s: %v, want a permanent error", name, err)
		}
	}
}
