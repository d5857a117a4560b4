package eventlog_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

var (
	ctx   = context.Background()
	quiet = slog.New(slog.DiscardHandler)
)

func TestProvisionTwiceChangesNothing(t *testing.T) {
	js := logtest.Start(t).Provision(logtest.Config())
	logtest.Publish(t, js, logtest.Message(t, "general", "hi"))
	before, err := eventlog.Open(js).State(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := eventlog.Provision(ctx, js, logtest.Config(), quiet); err != nil {
		t.Fatal(err)
	}
	after, err := eventlog.Open(js).State(ctx)
	if after.Now = before.Now; err != nil || after != before {
		t.Errorf("state changed from %+v to %+v", before, after)
	}
}

func TestProvisionOnlyEverLetsTheLogGrow(t *testing.T) {
	js := logtest.Start(t).Provision(logtest.Config())
	logtest.Publish(t, js, logtest.Message(t, "general", "hi"))
	was := logtest.Config()
	for _, c := range []struct {
		config   eventlog.Config
		maxBytes int64
	}{
		{eventlog.Config{Replicas: 1, MaxBytes: 1 << 20, DedupWindow: time.Minute}, was.MaxBytes},
		{eventlog.Config{Replicas: 1, MaxBytes: 2 * was.MaxBytes, DedupWindow: 9 * time.Hour}, 2 * was.MaxBytes},
		{was, 2 * was.MaxBytes},
	} {
		if err := eventlog.Provision(ctx, js, c.config, quiet); err != nil {
			t.Fatal(err)
		}
		stream, err := js.Stream(ctx, eventlog.StreamName)
		if err != nil {
			t.Fatal(err)
		}
		if have := stream.CachedInfo().Config; have.MaxBytes != c.maxBytes || have.Duplicates != was.DedupWindow {
			t.Errorf("with %+v: %d bytes, window %v", c.config, have.MaxBytes, have.Duplicates)
		}
	}
}

// TestAnAnswerCutShortIsNotTheEnd cuts reads short, as a lost connection or a
// slow server does: what was not read must not pass for what is not there.
func TestAnAnswerCutShortIsNotTheEnd(t *testing.T) {
	js := logtest.Start(t).Provision(logtest.Config())
	logtest.Fill(t, js, 500, func(i int) event.Event { return logtest.Message(t, "general", fmt.Sprint(i)) })
	log := eventlog.Open(js)
	if _, err := log.State(ctx); err != nil {
		t.Fatal(err)
	}
	for wait := time.Microsecond; wait < 20*time.Millisecond; wait *= 2 {
		short, cancel := context.WithTimeout(ctx, wait)
		events, complete, err := log.Read(short, []subject.Conversation{subject.General}, 0, 500, 400)
		if err == nil && uint64(len(events)) != complete || err != nil && !fault.Is(err, fault.Temporary) {
			t.Errorf("after %v: %d events, complete through %d, %v", wait, len(events), complete, err)
		}
		if _, err := log.Get(short, 5); errors.Is(err, eventlog.ErrNotFound) {
			t.Errorf("after %v: an event that is there is reported missing", wait)
		}
		cancel()
	}
}

func TestProvisionRefusesAStreamThatMayLoseEvents(t *testing.T) {
	js := logtest.Start(t).Connect()
	_, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: eventlog.StreamName, Subjects: []string{subject.All}, MaxMsgs: 10})
	if err != nil {
		t.Fatal(err)
	}
	err = eventlog.Provision(ctx, js, logtest.Config(), quiet)
	if !fault.Is(err, fault.Permanent) || !strings.Contains(err.Error(), "max messages is 10") {
		t.Errorf("got %v, want a permanent error that names max messages", err)
	}
}

func TestNothingCanBeDeletedFromTheLog(t *testing.T) {
	js := logtest.Start(t).Provision(logtest.Config())
	offset := logtest.Publish(t, js, logtest.Message(t, "general", "hi"))
	stream, err := js.Stream(ctx, eventlog.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	if stream.DeleteMsg(ctx, offset) == nil || stream.Purge(ctx) == nil {
		t.Error("the log allowed a delete or a purge")
	}
}

func TestStateSaysHowLargeTheLogIsAndMayBecome(t *testing.T) {
	config := logtest.Config()
	config.MaxBytes = 1 << 20
	js := logtest.Start(t).Provision(config)
	before, err := eventlog.Open(js).State(t.Context())
	if err != nil || before.MaxBytes != 1<<20 || before.Bytes != 0 {
		t.Errorf("%d of %d: %v", before.Bytes, before.MaxBytes, err)
	}
	logtest.Publish(t, js, logtest.Message(t, "general", "one"))
	if after, err := eventlog.Open(js).State(t.Context()); err != nil || after.Bytes == 0 {
		t.Error(after, err)
	}
}

func TestEpochTellsLogsApart(t *testing.T) {
	a, b := logtest.Start(t).Provision(logtest.Config()), logtest.Start(t).Provision(logtest.Config())
	sa, _ := eventlog.Open(a).State(ctx)
	sb, _ := eventlog.Open(b).State(ctx)
	if sa.Epoch == "" || sa.Epoch == sb.Epoch {
		t.Errorf("epochs %q and %q", sa.Epoch, sb.Epoch)
	}
}

func TestGet(t *testing.T) {
	js := logtest.Start(t).Provision(logtest.Config())
	want := logtest.Keyed(t, "general", "hi", "k")
	offset := logtest.Publish(t, js, want)
	log := eventlog.Open(js)
	got, err := log.Get(ctx, offset)
	if err != nil || got.ID != want.ID || got.Content != "hi" || got.Offset != offset || got.At.IsZero() {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, missing := range []uint64{0, offset + 1} {
		if _, err := log.Get(ctx, missing); !errors.Is(err, eventlog.ErrNotFound) {
			t.Errorf("Get(%d): %v, want ErrNotFound", missing, err)
		}
	}
}

func TestWhatAMessageSaysOfItselfDoesNotHideIt(t *testing.T) {
	js := logtest.Start(t).Provision(logtest.Config())
	for _, header := range []string{"Nats-Sequence", "Nats-Stream", "Nats-Subject", "Nats-Time-Stamp", "Status"} {
		want := logtest.Message(t, "general", "hi")
		m := want.Encode()
		m.Header.Set(header, "404")
		ack, err := js.PublishMsg(ctx, m)
		if err != nil {
			t.Fatal(err)
		}
		got, err := eventlog.Open(js).Get(ctx, ack.Sequence)
		if err != nil || got.ID != want.ID || got.Offset != ack.Sequence || got.At.Year() < 2000 {
			t.Errorf("%s: got %+v, %v", header, got, err)
		}
	}
}

func TestReadMergesConversationsInOrder(t *testing.T) {
	js := logtest.Start(t).Provision(logtest.Config())
	room := func(name string) subject.Conversation { return subject.Conversation{Kind: subject.Room, Name: name} }
	for i := range 30 { // 1: a, 2: b, 3: c, 4: a, ...
		logtest.Publish(t, js, logtest.Message(t, string(rune('a'+i%3)), "x"))
	}
	log := eventlog.Open(js)
	for _, c := range []struct {
		rooms          []subject.Conversation
		after, through uint64
		limit          int
		want           string
		complete       uint64
	}{
		{[]subject.Conversation{room("a")}, 0, 30, 100, "[1 4 7 10 13 16 19 22 25 28]", 30},
		{[]subject.Conversation{room("a"), room("b")}, 4, 12, 100, "[5 7 8 10 11]", 12},
		{[]subject.Conversation{room("b"), room("a")}, 0, 30, 3, "[1 2 4]", 4},
		{[]subject.Conversation{room("a")}, 0, 30, 1, "[1]", 3},
		{[]subject.Conversation{room("nobody")}, 0, 30, 3, "[]", 30},
		{nil, 5, 30, 3, "[]", 30},
		{[]subject.Conversation{room("c")}, 30, 30, 3, "[]", 30},
	} {
		events, complete, err := log.Read(ctx, c.rooms, c.after, c.through, c.limit)
		offsets := []uint64{}
		for _, e := range events {
			offsets = append(offsets, e.Offset)
		}
		if fmt.Sprint(offsets) != c.want || complete != c.complete || err != nil {
			t.Errorf("Read(%v, %d, %d, %d) = %v, %d, %v; want %v, %d",
				c.rooms, c.after, c.through, c.limit, offsets, complete, err, c.want, c.complete)
		}
	}
	if _, _, err := log.Read(ctx, nil, 0, eventlog.MaxReadSpan+1, 1); !fault.Is(err, fault.Permanent) {
		t.Errorf("too long a span: %v", err)
	}
}

func TestReadOfAnInboxIsAUsersDirectMessages(t *testing.T) {
	js := logtest.Start(t).Provision(logtest.Config())
	direct := func(from, to string) event.Event {
		e := logtest.Message(t, "", "x")
		e.Conversation = subject.Conversation{Kind: subject.DM, Name: subject.PairName(from, to)}
		e.Sender, e.Recipient = from, to
		e.Seal()
		return e
	}
	registered, err := event.NewRegistered("a", "Ann")
	if err != nil {
		t.Fatal(err)
	}
	logtest.Publish(t, js,
		registered, direct("a", "b"), direct("b", "c"), direct("c", "b"), logtest.Message(t, "general", "x"), // 1 to 5
		direct("b", "a"), direct("a", "a"), direct("b", "c"), logtest.Message(t, "general", "x"), // 6 to 9
	)
	log := eventlog.Open(js)
	for _, c := range []struct {
		topics         []subject.Conversation
		after, through uint64
		limit          int
		want           string
		complete       uint64
	}{
		{[]subject.Conversation{subject.Inbox("a")}, 0, 9, 100, "[2 6 7]", 9},
		{[]subject.Conversation{subject.Inbox("a")}, 2, 6, 100, "[6]", 6},
		{[]subject.Conversation{subject.Inbox("c")}, 0, 9, 100, "[3 4 8]", 9},
		{[]subject.Conversation{subject.Inbox("nobody")}, 0, 9, 100, "[]", 9},
		{[]subject.Conversation{subject.General, subject.Inbox("a")}, 0, 9, 100, "[2 5 6 7 9]", 9},
		// The limit counts others' messages too, and what is beyond it is not known.
		{[]subject.Conversation{subject.Inbox("a")}, 2, 9, 2, "[]", 5},
		{[]subject.Conversation{subject.Inbox("a")}, 5, 9, 2, "[6 7]", 7},
		{[]subject.Conversation{subject.Inbox("a")}, 7, 9, 1, "[]", 9},
		{[]subject.Conversation{subject.General, subject.Inbox("a")}, 0, 9, 3, "[2 5]", 5},
	} {
		events, complete, err := log.Read(ctx, c.topics, c.after, c.through, c.limit)
		offsets := []uint64{}
		for _, e := range events {
			offsets = append(offsets, e.Offset)
		}
		if fmt.Sprint(offsets) != c.want || complete != c.complete || err != nil {
			t.Errorf("Read(%v, %d, %d, %d) = %v, %d, %v; want %v, %d",
				c.topics, c.after, c.through, c.limit, offsets, complete, err, c.want, c.complete)
		}
	}
}
