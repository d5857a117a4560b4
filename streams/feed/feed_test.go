package feed_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/feed"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// follow runs a feed until the test ends; what it applied comes over the
// channel, and the error it ended with over the other.
func follow(t testing.TB, f feed.Feed, after uint64) (<-chan feed.Record, <-chan error) {
	records, ended := make(chan feed.Record, 100_000), make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		ended <- f.Run(ctx, after, func(r feed.Record) { records <- r })
	}()
	t.Cleanup(func() { cancel(); <-done })
	return records, ended
}

func next(t testing.TB, records <-chan feed.Record) feed.Record {
	t.Helper()
	select {
	case r := <-records:
		return r
	case <-time.After(20 * time.Second):
		t.Fatal("no record came")
		return feed.Record{}
	}
}

func expect(t testing.TB, records <-chan feed.Record, from, to uint64) {
	t.Helper()
	for o := from; o <= to; o++ {
		r := next(t, records)
		if r.Event.Offset != o || r.Missing != 0 || r.Damaged != nil || r.Event.Content != fmt.Sprint(o) {
			t.Fatalf("got %+v, want offset %d", r, o)
		}
	}
}

func TestEveryEventInOrderWhateverHappensToTheServer(t *testing.T) {
	s := logtest.Start(t)
	js := s.Provision(logtest.Config())
	publish := func(from, to int) {
		for i := from; i <= to; i++ {
			logtest.Publish(t, js, logtest.Message(t, "general", fmt.Sprint(i)))
		}
	}
	publish(1, 300)
	records, ended := follow(t, feed.NewOrdered(s.Connect(), slog.New(slog.DiscardHandler)), 100)
	expect(t, records, 101, 300)
	publish(301, 400)
	expect(t, records, 301, 400)
	for round := range 3 {
		s.Stop()
		s.Restart()
		js = s.Connect()
		from := 401 + 50*round
		publish(from, from+49)
		expect(t, records, uint64(from), uint64(from+49))
	}
	select {
	case err := <-ended:
		t.Errorf("the feed ended: %v", err)
	default:
	}
}

// A paused consumer is like one whose replica is behind and stays so: it lives,
// says so, and delivers nothing.
func TestAConsumerThatStandsStillIsReplaced(t *testing.T) {
	t.Parallel()
	s := logtest.Start(t)
	js := s.Provision(logtest.Config())
	records, _ := follow(t, feed.NewOrdered(s.Connect(), slog.New(slog.DiscardHandler)), 0)
	logtest.Publish(t, js, logtest.Message(t, "general", "1"))
	expect(t, records, 1, 1)
	stream, err := js.Stream(t.Context(), eventlog.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	for name := range stream.ConsumerNames(t.Context()).Name() {
		if _, err := stream.PauseConsumer(t.Context(), name, time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	logtest.Publish(t, js, logtest.Message(t, "general", "2"), logtest.Message(t, "general", "3"))
	expect(t, records, 2, 3)
}

func TestADamagedEventIsDeliveredAsSuch(t *testing.T) {
	s := logtest.Start(t)
	js := s.Provision(logtest.Config())
	if _, err := js.Publish(context.Background(), "chat.0.room.ngeneral", []byte("not ours")); err != nil {
		t.Fatal(err)
	}
	e := logtest.Message(t, "general", "hi")
	e.Content = "altered after it was sealed"
	logtest.Publish(t, js, e, logtest.Message(t, "general", "3"))
	records, _ := follow(t, feed.NewOrdered(s.Connect(), slog.New(slog.DiscardHandler)), 0)
	for range 2 {
		if r := next(t, records); r.Damaged == nil {
			t.Errorf("passed as intact: %+v", r)
		}
	}
	expect(t, records, 3, 3)
}

// TestALogThatIsNoLongerTheSameIsLost deletes the log behind a feed; in one case
// another one takes its name and grows beyond where the feed was.
func TestALogThatIsNoLongerTheSameIsLost(t *testing.T) {
	for name, then := range map[string]func(*logtest.Server){
		"deleted": func(*logtest.Server) {},
		"made anew": func(s *logtest.Server) {
			js := s.Provision(logtest.Config())
			logtest.Publish(t, js, logtest.Message(t, "general", "x"), logtest.Message(t, "general", "y"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := logtest.Start(t)
			js := s.Provision(logtest.Config())
			logtest.Publish(t, js, logtest.Message(t, "general", "1"))
			records, ended := follow(t, feed.NewOrdered(s.Connect(), slog.New(slog.DiscardHandler)), 0)
			expect(t, records, 1, 1)
			if err := js.DeleteStream(context.Background(), "CHAT"); err != nil {
				t.Fatal(err)
			}
			then(s)
			select {
			case err := <-ended:
				if !errors.Is(err, feed.ErrLost) {
					t.Errorf("ended with %v, want ErrLost", err)
				}
			case r := <-records:
				t.Errorf("delivered %+v of another log", r)
			case <-time.After(20 * time.Second):
				t.Error("went on")
			}
		})
	}
}

func TestStartingPastTheEndIsRefused(t *testing.T) {
	s := logtest.Start(t)
	js := s.Provision(logtest.Config())
	logtest.Publish(t, js, logtest.Message(t, "general", "1"))
	_, ended := follow(t, feed.NewOrdered(s.Connect(), slog.New(slog.DiscardHandler)), 2)
	if err := <-ended; !errors.Is(err, feed.ErrLost) {
		t.Errorf("got %v, want ErrLost", err)
	}
}

// BenchmarkFeed replays 200-byte events, as a starting gateway does.
func BenchmarkFeed(b *testing.B) {
	s := logtest.Start(b)
	config := logtest.Config()
	config.MaxBytes = 8 << 30
	js := s.Provision(config)
	e := logtest.Message(b, "general", strings.Repeat("x", 200))
	logtest.Fill(b, js, b.N, func(int) event.Event { return e })
	f := feed.NewOrdered(s.Connect(), slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.ReportAllocs()
	b.ResetTimer()
	err := f.Run(ctx, 0, func(r feed.Record) {
		if r.Event.Offset == uint64(b.N) {
			cancel()
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
