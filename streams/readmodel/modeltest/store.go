package modeltest

import (
	"errors"
	"testing"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

// OpenStore opens the test's store: a new one at first, the same again later.
type OpenStore func(t *testing.T) readmodel.Store

// Place is where a test's store is.
type Place struct {
	Open    OpenStore
	Reader  func(t *testing.T) readmodel.Reader  // of a store that has been opened once
	Execute func(t *testing.T, statement string) // does what no store would: SQL that each database understands
}

// TestStore exercises a store and its reader. newPlace makes a place for one.
func TestStore(t *testing.T, newPlace func(t *testing.T) Place) {
	for name, test := range map[string]func(*testing.T, OpenStore){
		"a batch moves the position":             testPosition,
		"a second writer is fenced":              testFence,
		"another epoch is fenced":                testFenceEpoch,
		"a taken key becomes a dead letter":      testTaken,
		"a refused direct message leaves none":   testDirectTaken,
		"a taken user becomes a dead letter":     testUserTaken,
		"a failed batch leaves nothing":          testAtomic,
		"what was appended is there when opened": testReopen,
		"two openings at once":                   testOpenTwice,
	} {
		t.Run(name, func(t *testing.T) { test(t, newPlace(t).Open) })
	}
	t.Run("reader", func(t *testing.T) { testReader(t, newPlace) })
	t.Run("model", func(t *testing.T) {
		TestModel(t, func(t *testing.T) (query.Model, func(...event.Event)) {
			s := newPlace(t).Open(t)
			return s, func(events ...event.Event) { Project(t, s, events...) }
		})
	})
}

func position(t *testing.T, s readmodel.Store) readmodel.Position {
	t.Helper()
	return must[readmodel.Position](t)(s.Position(t.Context()))
}

func testPosition(t *testing.T, open OpenStore) {
	s := open(t)
	if p := position(t, s); p != (readmodel.Position{}) {
		t.Errorf("new: %+v", p)
	}
	last := Event(2, Room("a"), "y")
	Project(t, s, Event(1, Room("a"), "x"), last)
	if p := position(t, s); p != (readmodel.Position{Offset: 2, At: last.At, Epoch: Epoch, Digest: last.Digest}) {
		t.Errorf("%+v", p)
	}
	// An event without a readable digest, and nothing to write: the position moves.
	next := readmodel.Position{Offset: 3, At: last.At, Epoch: Epoch}
	if _, err := s.Append(t.Context(), readmodel.Batch{Previous: position(t, s), Next: next}); err != nil {
		t.Fatal(err)
	}
	if p := position(t, s); p != next {
		t.Errorf("%+v, want %+v", p, next)
	}
}

func testFence(t *testing.T, open OpenStore) {
	one, two := open(t), open(t)
	Project(t, one, Event(1, Room("a"), "x"))
	stale := position(t, two)
	Project(t, one, Event(2, Room("a"), "x"))
	if _, err := two.Append(t.Context(), Batch(stale, Event(2, Room("a"), "y"), Event(3, Room("a"), "y"))); !errors.Is(err, readmodel.ErrFenced) {
		t.Fatalf("%v, want ErrFenced", err)
	}
	if p := position(t, two); p.Offset != 2 {
		t.Errorf("%+v", p)
	}
	Project(t, two, Event(3, Room("a"), "z"))
	page := must[query.PageReply](t)(one.Page(t.Context(), query.PageRequest{Conversation: Room("a")}))
	wantOffsets(t, page.Events, 3, 2, 1)
}

func testFenceEpoch(t *testing.T, open OpenStore) {
	s := open(t)
	Project(t, s, Event(1, Room("a"), "x"))
	other := position(t, s)
	other.Epoch = "other"
	if _, err := s.Append(t.Context(), Batch(other, Event(2, Room("a"), "y"))); !errors.Is(err, readmodel.ErrFenced) {
		t.Fatalf("%v, want ErrFenced", err)
	}
}

func testTaken(t *testing.T, open OpenStore) {
	s := open(t)
	first := Keyed(1, Room("a"), "first", "k")
	Project(t, s, first)
	var events []event.Event
	for i := uint64(2); i <= 100; i++ {
		events = append(events, Event(i, Room("a"), "x"))
	}
	events[40] = Keyed(42, Room("a"), "again", "k") // key of an earlier batch
	events[50] = Keyed(52, Room("a"), "one", "j")
	events[60] = Keyed(62, Room("a"), "two", "j") // key of this batch
	refused := Project(t, s, events...)
	if len(refused) != 2 || refused[0].Offset != 42 || refused[1].Offset != 62 || refused[0].Reason != readmodel.ReasonKeyTaken || string(refused[1].Stored.Content) != "two" {
		t.Errorf("refused: %+v", refused)
	}
	lookup := must[query.LookupReply](t)(s.Lookup(t.Context(), query.LookupRequest{Scope: first.Scope, Key: "k"}))
	if lookup.Event == nil || *lookup.Event != first || lookup.Checkpoint.Offset != 100 {
		t.Errorf("lookup: %+v", lookup)
	}
	page := must[query.PageReply](t)(s.Page(t.Context(), query.PageRequest{Conversation: Room("a"), Before: 63, Limit: 2}))
	wantOffsets(t, page.Events, 61, 60)
}

func testAtomic(t *testing.T, open OpenStore) {
	s := open(t)
	Project(t, s, Event(1, Room("a"), "x"), Keyed(2, Room("a"), "x", "j"), Registered(3, "u", "x"))
	before := position(t, s)
	// A row that is there already lies beyond the checkpoint or is written twice.
	for _, again := range []event.Event{Event(1, Room("a"), "x"), Keyed(2, Room("a"), "x", "j"), Registered(3, "u", "x")} {
		b := Batch(before, Keyed(4, Room("b"), "x", "k"), Direct(5, "u", "v", "x"), Registered(6, "v", "x"), again)
		b.Next = readmodel.Position{Offset: 7, Epoch: Epoch}
		if _, err := s.Append(t.Context(), b); !fault.Is(err, fault.Corrupt) {
			t.Fatalf("%v, want a corrupt error", err)
		}
		if p := position(t, s); p != before {
			t.Errorf("%+v, want %+v", p, before)
		}
	}
	page := must[query.PageReply](t)(s.Page(t.Context(), query.PageRequest{Conversation: Room("b")}))
	wantOffsets(t, page.Events)
	direct := must[query.DirectReply](t)(s.Direct(t.Context(), query.DirectRequest{User: "v", Conversations: 1, Messages: 1}))
	wantOffsets(t, direct.Events)
	wantUsers(t, must[query.UsersReply](t)(s.Users(t.Context(), query.UsersRequest{Newest: 9})), false, 3)
	Project(t, s, Keyed(4, Room("b"), "x", "k"))
}

func testReopen(t *testing.T, open OpenStore) {
	s := open(t)
	e := Keyed(1, Room("a"), "x", "k")
	Project(t, s, e)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t)
	page := must[query.PageReply](t)(s.Page(t.Context(), query.PageRequest{Conversation: Room("a")}))
	if len(page.Events) != 1 || page.Events[0] != e {
		t.Errorf("%+v", page.Events)
	}
	wantCheckpoint(t, page.Checkpoint, e)
}

func testOpenTwice(t *testing.T, open OpenStore) {
	opened := make(chan readmodel.Store, 4)
	for range cap(opened) {
		go func() { opened <- open(t) }()
	}
	for range cap(opened) {
		if p := position(t, <-opened); p != (readmodel.Position{}) {
			t.Errorf("%+v", p)
		}
	}
}
