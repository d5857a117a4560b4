package replay_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/replay"
)

func TestMain(m *testing.M) { os.Exit(logtest.Main(m)) }

// fill stores n events and returns a connection to read them by.
func fill(t testing.TB, s *logtest.Server, n int) jetstream.JetStream {
	js := s.Provision(logtest.Config())
	logtest.Fill(t, js, n, func(i int) event.Event {
		return logtest.Keyed(t, "general", fmt.Sprint("message ", i+1), fmt.Sprint("key-", i))
	})
	return js
}

// read reads a span whole.
func read(t testing.TB, js jetstream.JetStream, after, through uint64) (records []replay.Record, missing uint64) {
	t.Helper()
	missing, err := replay.Log(t.Context(), js, after, through, func(r replay.Record) error {
		records = append(records, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return records, missing
}

func TestASpanIsReadInOrderEachOnceAndAsItWasStored(t *testing.T) {
	js := fill(t, logtest.Start(t), 3000)
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for _, span := range [][2]uint64{{0, 3000}, {0, 1}, {2999, 3000}, {1000, 2000}, {7, 7}, {9, 3}} {
		records, missing := read(t, js, span[0], span[1])
		if want := int(span[1]) - int(span[0]); missing != 0 || len(records) != max(want, 0) {
			t.Fatalf("%v: %d records, %d missing", span, len(records), missing)
		}
		for i := range records {
			e, err := records[i].Event()
			if offset := span[0] + uint64(i) + 1; err != nil || e.Offset != offset || e.Content != fmt.Sprint("message ", offset) || records[i].Missing != 0 {
				t.Fatalf("%v: %+v, %v", span, e, err)
			}
		}
	}
	stream, err := js.Stream(t.Context(), eventlog.StreamName)
	if err != nil || stream.CachedInfo().State.Consumers != 0 {
		t.Errorf("%d consumers are left, %v", stream.CachedInfo().State.Consumers, err)
	}
}

// holed makes a log of ten events of which some are gone.
func holed(t *testing.T, gone ...uint64) jetstream.JetStream {
	js := logtest.Start(t).Connect()
	stream, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: eventlog.StreamName, Subjects: []string{"chat.>"}})
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		logtest.Publish(t, js, logtest.Message(t, "general", "hello"))
	}
	for _, offset := range gone {
		if err := stream.DeleteMsg(t.Context(), offset); err != nil {
			t.Fatal(err)
		}
	}
	return js
}

func TestHolesAreCounted(t *testing.T) {
	for _, test := range []struct {
		gone    []uint64
		through uint64
		want    string
	}{
		{nil, 10, "1 2 3 4 5 6 7 8 9 10 | 0"},
		{[]uint64{1}, 10, "+1 2 3 4 5 6 7 8 9 10 | 0"},
		{[]uint64{4, 5, 8}, 10, "1 2 3 +2 6 7 +1 9 10 | 0"},
		{[]uint64{9, 10}, 10, "1 2 3 4 5 6 7 8 | 2"},
		{[]uint64{5, 6}, 6, "1 2 3 4 | 2"},
		{[]uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 10, " | 10"},
	} {
		records, missing := read(t, holed(t, test.gone...), 0, test.through)
		var got []string
		for _, r := range records {
			if r.Missing > 0 {
				got = append(got, fmt.Sprint("+", r.Missing))
			}
			got = append(got, fmt.Sprint(r.Offset))
		}
		if text := fmt.Sprint(strings.Join(got, " "), " | ", missing); text != test.want {
			t.Errorf("%v: %s, want %s", test.gone, text, test.want)
		}
	}
}

func TestWhatAMessageSaysOfItselfDecidesNothing(t *testing.T) {
	js := logtest.Start(t).Provision(logtest.Config())
	for _, header := range []string{"Status", "Nats-Consumer-Stalled", "Nats-Sequence", "Nats-Stream", "Nats-Time-Stamp"} {
		e := logtest.Message(t, "general", "hello")
		m := e.Encode()
		m.Header.Set(header, "100")
		if _, err := js.PublishMsg(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	records, missing := read(t, js, 0, 5)
	if len(records) != 5 || missing != 0 || records[4].Offset != 5 {
		t.Errorf("%d records, %d missing", len(records), missing)
	}
}

func TestItGoesOnWhenTheServerComesBack(t *testing.T) {
	t.Parallel()
	s := logtest.Start(t)
	js := fill(t, s, 5000)
	var offsets []uint64
	_, err := replay.Log(t.Context(), js, 0, 5000, func(r replay.Record) error {
		if offsets = append(offsets, r.Offset); r.Offset == 100 || r.Offset == 4000 {
			s.Stop()
			s.Restart()
		}
		return nil
	})
	if err != nil || len(offsets) != 5000 || !slices.IsSorted(offsets) || offsets[4999] != 5000 {
		t.Fatalf("%d records, %v", len(offsets), err)
	}
}

func TestALogThatCannotBeReadIsATemporaryError(t *testing.T) {
	t.Parallel()
	s := logtest.Start(t)
	js := fill(t, s, 10)
	s.Stop()
	_, err := replay.Log(t.Context(), js, 0, 10, func(replay.Record) error { return nil })
	if !fault.Is(err, fault.Temporary) {
		t.Fatal(err)
	}
}

func TestItEndsWithTheCallersErrorOrItsContext(t *testing.T) {
	js := fill(t, logtest.Start(t), 1000)
	enough := errors.New("enough")
	for _, test := range []struct {
		refuse func(cancel func()) error
		want   error
	}{
		{func(func()) error { return enough }, enough},
		{func(cancel func()) error { cancel(); return nil }, context.Canceled},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		last := uint64(0)
		_, err := replay.Log(ctx, js, 0, 1000, func(r replay.Record) error {
			if last = r.Offset; r.Offset == 500 {
				return test.refuse(cancel)
			}
			return nil
		})
		if !errors.Is(err, test.want) || last < 500 || errors.Is(err, enough) && last != 500 {
			t.Errorf("ended at %d with %v, want %v", last, err, test.want)
		}
	}
}

// A reader that stands still is sent no more than the flow control allows, and the rest when it goes on.
func TestWhatIsSentToASlowReaderIsBounded(t *testing.T) {
	const events = 20_000
	js := fill(t, logtest.Start(t), events)
	stream, err := js.Stream(t.Context(), eventlog.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	// delivered is how many the server has sent when it sends no more.
	delivered := func() (last uint64) {
		for {
			for info := range stream.ListConsumers(t.Context()).Info() {
				if sent := info.Delivered.Consumer; sent > 0 && sent == last {
					return sent
				} else {
					last = sent
				}
			}
		}
	}
	n := uint64(0)
	_, err = replay.Log(t.Context(), js, 0, events, func(r replay.Record) error {
		if n++; n == 10 {
			if sent := delivered(); sent == events {
				t.Error("all of it was sent")
			}
		}
		if r.Offset != n {
			return fmt.Errorf("offset %d is the %dth", r.Offset, n)
		}
		return nil
	})
	if err != nil || n != events {
		t.Fatal(n, err)
	}
}

// BenchmarkLog reads a million events from a server in a process of its own and decodes them.
func BenchmarkLog(b *testing.B) {
	const events = 1_000_000
	p := logtest.StartProcess(b)
	nc, js, err := eventlog.Connect(p.URL, "bench", slog.New(slog.DiscardHandler), nats.MaxReconnects(0))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(nc.Close)
	config := logtest.Config()
	config.MaxBytes = 4 << 30
	if err := eventlog.Provision(b.Context(), js, config, slog.New(slog.DiscardHandler)); err != nil {
		b.Fatal(err)
	}
	logtest.Fill(b, js, events, func(i int) event.Event {
		return logtest.Keyed(b, fmt.Sprint("room-", i%50), strings.Repeat("hello world ", 8), fmt.Sprint("key-", i))
	})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := replay.Log(b.Context(), js, 0, events, func(r replay.Record) error {
			_, err := r.Event()
			return err
		}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(events)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
