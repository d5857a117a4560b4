package feed_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/feed"
	"github.com/tidemark-chat/tidemark/streams/feed/feedtest"
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
	case <-time.After(40 * time.Second):
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

func newOrdered(js jetstream.JetStream) feed.Feed { return feed.NewOrdered(js, feedtest.Quiet) }

func newRepublish(js jetstream.JetStream) feed.Feed { return feed.NewRepublish(js, feedtest.Quiet) }

func TestOrdered(t *testing.T) { feedtest.Run(t, newOrdered, 0) }

func TestRepublish(t *testing.T) { feedtest.Run(t, newRepublish, 0) }

func TestRepublishOfWhichMessagesAreLost(t *testing.T) { feedtest.Run(t, newRepublish, 5) }

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

// It is as if the log had stopped to republish.
func TestWhereNothingThatIsRepublishedArrivesEverythingComesAllTheSame(t *testing.T) {
	t.Parallel()
	s := logtest.Start(t)
	config := logtest.Config()
	config.Republish = true
	js := s.Provision(config)
	records, _ := follow(t, newRepublish(feedtest.Connect(t, feedtest.NewWay(t, s.URL(), 1).URL())), 0)
	for o := uint64(1); o <= 100; o += 50 {
		logtest.Fill(t, js, 50, func(i int) event.Event { return logtest.Message(t, "general", fmt.Sprint(o+uint64(i))) })
		expect(t, records, o, o+49)
	}
}

func TestALogThatDoesNotRepublishIsAnErrorThatSaysWhatToDo(t *testing.T) {
	s := logtest.Start(t)
	s.Provision(logtest.Config())
	err := feed.NewRepublish(s.Connect(), feedtest.Quiet).Run(t.Context(), 0, func(feed.Record) {})
	if !fault.Is(err, fault.Permanent) || !strings.Contains(err.Error(), "stream.republish") || !strings.Contains(err.Error(), "streams provision") {
		t.Errorf("got %v", err)
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
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.ReportAllocs()
	b.ResetTimer()
	err := newOrdered(s.Connect()).Run(ctx, 0, func(r feed.Record) {
		if r.Event.Offset == uint64(b.N) {
			cancel()
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
