package logview

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/feed"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

func shownOf(t *testing.T, m received) (s shown) {
	t.Helper()
	if err := json.Unmarshal([]byte(m.data), &s); err != nil || m.event != "event" || m.id != fmt.Sprint(s.Offset) {
		t.Fatalf("%+v: %v", m, err)
	}
	return s
}

func TestAViewerIsSentTheStateThenTheNewestThenWhatComes(t *testing.T) {
	w := newWorld(t, nil)
	w.apply(300)
	s := w.watch(nil, "")
	begin := s.events(1)[0]
	var got state
	if err := json.Unmarshal([]byte(begin.data), &got); err != nil || begin.event != "state" || got.Epoch != "e1" || got.First != 1 || got.Last != 300 || got.Position != 300 {
		t.Errorf("begins with %+v, %v", begin, err)
	}
	for i, m := range s.events(newest) {
		if want := fmt.Sprint(101 + i); m.id != want {
			t.Fatalf("%+v, want offset %s", m, want)
		}
	}
	w.apply(302)
	for i, m := range s.events(2) {
		if e := shownOf(t, m); e.Offset != uint64(301+i) || e.Conversation != "room/general" || e.Bytes != len("secret words") || len(e.Digest) != 64 {
			t.Errorf("shows %+v", e)
		}
	}
}

func TestOnesPlaceInTheStreamIsKept(t *testing.T) {
	for name, c := range map[string]struct {
		header http.Header
		query  string
		want   string // the second message
	}{
		"a browser comes back": {http.Header{"Last-Event-Id": {"297"}}, "", "298"},
		"a page comes back":    {nil, "?after=298", "299"},
		"the header is newer":  {http.Header{"Last-Event-Id": {"299"}}, "?after=290", "300"},
		"no number":            {http.Header{"Last-Event-Id": {"-1"}}, "", "101"},
		"ahead of the feed":    {nil, "?after=301", "101"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.apply(300)
			if got := w.watch(c.header, c.query).events(2)[1]; got.id != c.want {
				t.Errorf("goes on with %+v, want %s", got, c.want)
			}
		})
	}
}

func TestWhatIsNoLongerThereIsSkippedAndSaidToBe(t *testing.T) {
	ten := uint64(10)
	for _, c := range []struct {
		first, position uint64
		after           *uint64
		from, skipped   uint64
	}{
		{1, 0, nil, 1, 0},
		{1, 5, nil, 1, 0},
		{1, 500, nil, 301, 0},
		{400, 500, nil, 400, 0},
		{1, 500, &ten, 11, 0},
		{11, 500, &ten, 11, 0},
		{12, 500, &ten, 12, 1},
		{501, 500, &ten, 501, 490},
		{1, 10, &ten, 11, 0},
		{1, 9, &ten, 1, 0},
		{1, 2000, &ten, 2000 - queueLength + 1, 2000 - queueLength - 10},
		{16, 15, &ten, 16, 5}, // of an empty tail
		{20, 15, &ten, 16, 5}, // what is behind the position comes by push
		{20, 15, nil, 16, 0},
	} {
		if from, skipped := span(c.first, c.position, c.after); from != c.from || skipped != c.skipped {
			t.Errorf("%+v: from %d, skipped %d", c, from, skipped)
		}
	}
	w := newWorld(t, nil)
	w.apply(3000)
	got := w.watch(nil, "?after=10").events(3)
	if got[1].event != "skipped" || got[1].data != fmt.Sprintf(`{"count":%d}`, 3000-10-queueLength) || got[2].id != fmt.Sprint(3000-queueLength+1) {
		t.Errorf("goes on with %+v", got)
	}
}

func TestAllThatIsAtAnOffsetIsShown(t *testing.T) {
	w := newWorld(t, nil)
	dm := message(1, "x")
	dm.Conversation = subject.Conversation{Kind: subject.DM, Name: subject.PairName("a", "b")}
	user, err := event.NewRegistered("a", "Ana")
	if err != nil {
		t.Fatal(err)
	}
	user.Offset = 2
	edited := message(3, "general")
	edited.Type = "message.edited"
	long := message(7, strings.Repeat("ü", 10_000))
	records := []feed.Record{
		{Event: dm}, {Event: user}, {Event: edited},
		{Event: event.Event{Offset: 4, Content: "secret words", Sender: "Ana"}, Damaged: errors.New("secret words")},
		{Event: message(7, "after a hole"), Missing: 2},
	}
	s := w.watch(nil, "")
	s.events(1)
	for _, r := range append(records, feed.Record{Event: long}) {
		w.view.Apply(r)
	}
	var got []shown
	for _, m := range s.events(6) {
		if strings.Contains(m.data, "secret") || strings.Contains(m.data, "Ana") {
			t.Errorf("tells %s", m.data)
		}
		got = append(got, shownOf(t, m))
	}
	for i, ok := range []bool{
		got[0].Conversation == "direct/"+dm.Conversation.Name && got[0].Type == "message.posted" && !got[0].Unknown,
		got[1].Conversation == "user" && got[1].Type == "user.registered" && got[1].Bytes == 0,
		got[2].Type == "message.edited" && got[2].Unknown && got[2].Digest != "",
		got[3].Damaged && got[3].Type == "" && got[3].Digest == "" && got[3].Bytes == len("secret words"),
		got[4].Missing == 2,
		len(got[5].Conversation) < 600 && strings.HasSuffix(got[5].Conversation, "ü…"),
	} {
		if !ok {
			t.Errorf("record %d is shown as %+v", i, got[i])
		}
	}
}

func TestWhatTheTailHasNotKeptIsReadFromTheLog(t *testing.T) {
	w := newWorld(t, nil)
	w.tail.Skip(1, time.Unix(1, 0))
	w.tail.Skip(2, time.Unix(2, 0))
	w.tail.Skip(3, time.Unix(3, 0))
	user, err := event.NewRegistered("a", "Ana")
	if err != nil {
		t.Fatal(err)
	}
	user.Offset = 1
	w.log[1], w.log[2] = user, event.Event{Offset: 2}
	got := w.watch(nil, "").events(4)[1:]
	if e := shownOf(t, got[0]); e.Type != "user.registered" {
		t.Errorf("a registration is shown as %+v", e)
	}
	if e := shownOf(t, got[1]); !e.Damaged {
		t.Errorf("a damaged event is shown as %+v", e)
	}
	if e := shownOf(t, got[2]); !e.Unread || e.Offset != 3 || e.At.Unix() != 3 {
		t.Errorf("one that cannot be read is shown as %+v", e)
	}
}

func TestAStreamBeginsBeforeTheLogAnswers(t *testing.T) {
	w := newWorld(t, nil)
	w.tail.Skip(1, time.Unix(1, 0))
	answer := make(chan struct{})
	w.read = func(uint64) { <-answer }
	answered := sync.OnceFunc(func() { close(answer) })
	s := w.watch(nil, "")
	t.Cleanup(answered) // before the server waits for its streams
	if m := s.events(1)[0]; m.event != "state" {
		t.Errorf("begins with %+v", m)
	}
	answered()
	if e := shownOf(t, s.events(1)[0]); !e.Unread {
		t.Errorf("then %+v", e)
	}
}

func TestOnlyTheNewestOfABacklogAreReadFromTheLog(t *testing.T) {
	w := newWorld(t, nil)
	var read []uint64
	w.read = func(offset uint64) { read = append(read, offset) }
	for o := uint64(1); o <= 300; o++ {
		e := message(o, "general")
		if o%2 == 0 {
			w.tail.Append(&e)
			continue
		}
		w.tail.Skip(o, e.At)
		w.log[o] = e
	}
	got := w.watch(nil, "").events(1 + newest)[1:]
	if len(read) != maxReads || read[0] != 201 || read[maxReads-1] != 299 {
		t.Errorf("%d are read: %v", len(read), read)
	}
	for _, m := range got {
		if e := shownOf(t, m); e.Unread != (e.Offset%2 == 1 && e.Offset < 201) {
			t.Errorf("shows %+v", e)
		}
	}
}

func TestAQueueKeepsTheNewestAndCountsTheRest(t *testing.T) {
	x := newViewer(t.Context())
	defer x.end()
	x.position = 3
	for o := uint64(1); o <= 3+queueLength+5; o++ {
		x.push(line{o, fmt.Append(nil, o)})
	}
	x.show(headStatus, frame("old head"))
	x.show(headStatus, frame("head"))
	got := x.take()
	if !strings.Contains(string(got[0]), `{"count":5}`) || string(got[1]) != "9" || string(got[queueLength]) != fmt.Sprint(3+queueLength+5) ||
		string(got[queueLength+1]) != "head" || len(got) != queueLength+2 {
		t.Errorf("%d frames: %s, %s ... %s", len(got), got[0], got[1], got[len(got)-1])
	}
	if x.push(line{9999, frame("next")}); len(x.lines) != 1 {
		t.Errorf("%d lines are kept after they were taken", len(x.lines))
	}
	if got := x.take(); len(got) != 1 || string(got[0]) != "next" {
		t.Errorf("then %q", got)
	}
}

func TestWhileNobodyWatchesNothingIsAsked(t *testing.T) {
	w := newWorld(t, nil)
	w.asked = make(chan struct{}, 1)
	w.apply(10)
	if w.view.stopPoll != nil || w.view.Watching() != 0 {
		t.Error("something runs before anybody watches")
	}
	ctx, cancel := context.WithCancel(context.Background())
	first, err := w.view.join(ctx)
	if err != nil {
		t.Fatal(err)
	}
	second, err := w.view.join(ctx)
	if err != nil {
		t.Fatal(err)
	}
	<-w.asked
	w.view.leave(first)
	if w.view.stopPoll == nil {
		t.Error("the poller has ended although somebody watches")
	}
	w.view.leave(second)
	w.view.polling.Wait() // it ends
	cancel()
	if w.view.latest[persisterStatus] != nil {
		t.Error("what was found out is kept")
	}
}

func TestAStreamWithoutNewsIsKeptAlive(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.keepAlive = time.Millisecond })
	w.model = func() (query.Checkpoint, error) { <-t.Context().Done(); return query.Checkpoint{}, nil }
	s := w.watch(nil, "")
	if m, _ := s.next("state", "head", "checkpoint", "persister"); m.event != "comment" {
		t.Errorf("got %+v", m)
	}
}

func TestAViewThatClosesEndsItsStreams(t *testing.T) {
	w := newWorld(t, nil)
	s := w.watch(nil, "")
	s.events(1)
	w.view.Close()
	for {
		if _, ok := s.next(); !ok {
			break
		}
	}
	if again := w.watch(nil, ""); again.request.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a closed view answers %d", again.request.StatusCode)
	}
}
