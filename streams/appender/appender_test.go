package appender_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/tidemark-chat/tidemark/streams/appender"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

const timeout = 5 * time.Second

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(run{m})
}

type run struct{ m *testing.M }

func (r run) Run() int { return logtest.Main(r.m) }

// start runs an appender until the test ends.
func start(t testing.TB, js jetstream.JetStream, group bool, timeout time.Duration) *appender.Appender {
	a := appender.New(js, group, timeout)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); a.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return a
}

type result struct {
	receipt appender.Receipt
	err     error
}

// appendAll hands over events in order, without waiting, and returns how each ended.
func appendAll(t testing.TB, a *appender.Appender, events []event.Event) []result {
	t.Helper()
	results := make([]result, len(events))
	var all sync.WaitGroup
	for i, e := range events {
		all.Add(1)
		err := a.Append(context.Background(), e, func(r appender.Receipt, err error) {
			results[i] = result{r, err}
			all.Done()
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	all.Wait()
	return results
}

func messages(t testing.TB, n int) []event.Event {
	events := make([]event.Event, n)
	for i := range events {
		events[i] = logtest.Message(t, "general", fmt.Sprint(i))
	}
	return events
}

func TestOrderIsKept(t *testing.T) {
	for _, group := range []bool{false, true} {
		t.Run(fmt.Sprintf("group commit %v", group), func(t *testing.T) {
			js := logtest.Start(t).Provision(logtest.Config())
			events := messages(t, 3000)
			for i, r := range appendAll(t, start(t, js, group, timeout), events) {
				if r.err != nil || r.receipt != (appender.Receipt{Offset: uint64(i + 1)}) {
					t.Fatalf("event %d: %+v", i, r)
				}
			}
			log := eventlog.Open(js)
			for _, i := range []int{0, 1, 31, 32, 33, 300, 2999} {
				if e, err := log.Get(context.Background(), uint64(i+1)); err != nil || e.ID != events[i].ID {
					t.Errorf("offset %d holds %q, %v; want %q", i+1, e.Content, err, events[i].Content)
				}
			}
		})
	}
}

func TestOneKeyIsOneEventHoweverOften(t *testing.T) {
	for _, group := range []bool{false, true} {
		t.Run(fmt.Sprintf("group commit %v", group), func(t *testing.T) {
			js := logtest.Start(t).Provision(logtest.Config())
			a := start(t, js, group, timeout)
			var events []event.Event
			for i := range 1000 { // every key four times, many of them in one batch
				events = append(events, logtest.Keyed(t, "general", "x", fmt.Sprint(i%250)))
			}
			offsets := map[string]uint64{}
			fresh := 0
			for i, r := range appendAll(t, a, events) {
				if r.err != nil {
					t.Fatalf("event %d: %v", i, r.err)
				}
				key := events[i].Key
				if known, seen := offsets[key]; seen && known != r.receipt.Offset {
					t.Fatalf("key %s has offsets %d and %d", key, known, r.receipt.Offset)
				}
				offsets[key] = r.receipt.Offset
				if !r.receipt.Duplicate {
					fresh++
				}
			}
			state, err := eventlog.Open(js).State(context.Background())
			if err != nil || state.Last != 250 || fresh != 250 {
				t.Errorf("the log has %d events, %d appends were fresh, %v; want 250", state.Last, fresh, err)
			}
		})
	}
}

func TestAFullLogIsATemporaryFailureThatLosesNothing(t *testing.T) {
	for _, group := range []bool{false, true} {
		t.Run(fmt.Sprintf("group commit %v", group), func(t *testing.T) {
			config := logtest.Config()
			config.MaxBytes = 256 << 10
			js := logtest.Start(t).Provision(config)
			a := start(t, js, group, timeout)
			var events []event.Event
			for i := range 600 {
				events = append(events, logtest.Message(t, "general", strings.Repeat("x", 1000)+fmt.Sprint(i)))
			}
			stored := uint64(0)
			full := 0
			for _, r := range appendAll(t, a, events) {
				switch {
				case r.err == nil:
					stored = max(stored, r.receipt.Offset)
				case errors.Is(r.err, appender.ErrLogFull) && fault.Is(r.err, fault.Temporary):
					full++
				default:
					t.Fatalf("unexpected: %v", r.err)
				}
			}
			state, err := eventlog.Open(js).State(context.Background())
			if err != nil || full == 0 || state.First != 1 || state.Last != stored {
				t.Errorf("%d refused; log is %+v, newest ack %d, %v", full, state, stored, err)
			}
		})
	}
}

func TestABatchThatIsRefusedIsPublishedSingly(t *testing.T) {
	js := logtest.Start(t).Provision(logtest.Config())
	stream, err := js.Stream(context.Background(), eventlog.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	config := stream.CachedInfo().Config
	config.AllowAtomicPublish = false // by an operator, while gateways run
	if _, err := js.UpdateStream(context.Background(), config); err != nil {
		t.Fatal(err)
	}
	for i, r := range appendAll(t, start(t, js, true, timeout), messages(t, 300)) {
		if r.err != nil || r.receipt.Offset != uint64(i+1) {
			t.Fatalf("event %d: %+v", i, r)
		}
	}
}

func TestTooLargeIsPermanentAndConcernsNobodyElse(t *testing.T) {
	js := logtest.Start(t).Provision(logtest.Config())
	events := messages(t, 200)
	events[100] = logtest.Message(t, "general", strings.Repeat("x", eventlog.MaxMessageSize))
	for i, r := range appendAll(t, start(t, js, true, timeout), events) {
		if i == 100 && !fault.Is(r.err, fault.Permanent) || i != 100 && r.err != nil {
			t.Errorf("event %d: %+v", i, r)
		}
	}
}

func TestWithoutTheLogAppendsFailAndLaterGoOn(t *testing.T) {
	s := logtest.Start(t)
	js := s.Provision(logtest.Config())
	a := start(t, js, true, 300*time.Millisecond)
	s.Stop()
	for _, r := range appendAll(t, a, messages(t, 100)) {
		if !fault.Is(r.err, fault.Temporary) {
			t.Fatalf("without the log: %+v", r)
		}
	}
	s.Restart()
	e := logtest.Keyed(t, "general", "again", "k")
	deadline := time.Now().Add(30 * time.Second)
	for {
		r := appendAll(t, a, []event.Event{e})[0]
		if r.err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("after the log came back: %v", r.err)
		}
	}
	if state, err := eventlog.Open(js).State(context.Background()); err != nil || state.Last != 1 {
		t.Errorf("log %+v, %v; want just the one event", state, err)
	}
}

// TestWhatWaitedTooLongIsNotPublished stops the server from answering: what is
// in flight times out, and what waited behind it has then waited too long.
func TestWhatWaitedTooLongIsNotPublished(t *testing.T) {
	server := logtest.StartProcess(t)
	nc, js, err := eventlog.Connect(server.URL, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	config := logtest.Config()
	if err := eventlog.Provision(context.Background(), js, config, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	a := start(t, js, true, 200*time.Millisecond)
	server.Pause()
	overloaded := 0
	for _, r := range appendAll(t, a, messages(t, 600)) {
		if !fault.Is(r.err, fault.Temporary) {
			t.Fatalf("acked by a server that stands still: %+v", r)
		}
		if errors.Is(r.err, appender.ErrOverloaded) {
			overloaded++
		}
	}
	server.Resume()
	if overloaded == 0 {
		t.Error("everything was published")
	}
	if r := appendAll(t, a, messages(t, 1))[0]; r.err != nil && !fault.Is(r.err, fault.Temporary) {
		t.Errorf("afterwards: %v", r.err)
	}
	state, err := eventlog.Open(js).State(context.Background())
	if err != nil || state.Last > uint64(601-overloaded) {
		t.Errorf("the log has %d events, %v; %d of 600 were never to be published", state.Last, err, overloaded)
	}
}

func TestStoppingAnswersEveryAppend(t *testing.T) {
	js := logtest.Start(t).Provision(logtest.Config())
	a := appender.New(js, true, timeout)
	ctx, cancel := context.WithCancel(context.Background())
	var running, answered, callers sync.WaitGroup
	running.Go(func() { a.Run(ctx) })
	for range 8 {
		callers.Go(func() {
			for {
				answered.Add(1)
				err := a.Append(context.Background(), logtest.Message(t, "general", "x"), func(appender.Receipt, error) { answered.Done() })
				if err != nil {
					answered.Done()
					if !errors.Is(err, appender.ErrClosed) {
						t.Errorf("got %v, want ErrClosed", err)
					}
					return
				}
			}
		})
	}
	cancel()
	running.Wait()
	callers.Wait()
	answered.Wait() // hangs if an append was taken and never answered
}

// BenchmarkAppend keeps a number of appends of 200 bytes in flight.
func BenchmarkAppend(b *testing.B) {
	for _, mode := range []struct {
		name  string
		group bool
	}{{"single", false}, {"group", true}} {
		for _, inFlight := range []int{1, 16, 256} {
			b.Run(fmt.Sprintf("%s/%d-in-flight", mode.name, inFlight), func(b *testing.B) {
				config := logtest.Config()
				config.MaxBytes = 8 << 30
				js := logtest.Start(b).Provision(config)
				a := start(b, js, mode.group, timeout)
				e := logtest.Message(b, "general", strings.Repeat("x", 200))
				slots := make(chan struct{}, inFlight)
				b.ReportAllocs()
				b.ResetTimer()
				for range b.N {
					slots <- struct{}{}
					if err := a.Append(context.Background(), e, func(_ appender.Receipt, err error) {
						if err != nil {
							b.Error(err)
						}
						<-slots
					}); err != nil {
						b.Fatal(err)
					}
				}
				for range inFlight {
					slots <- struct{}{}
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
			})
		}
	}
}
