package playback

import (
	"context"
	"errors"
	"io"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidemark-chat/tidemark/services/auditor/record"
	"github.com/tidemark-chat/tidemark/services/auditor/selection"
	"github.com/tidemark-chat/tidemark/streams/event"
)

// watched is a writer that notes when something was written and when it came out.
type watched struct {
	began   time.Time
	waiting []time.Duration
	out     []time.Duration // since began
}

func (w *watched) Write(*record.Record) error {
	w.waiting = append(w.waiting, time.Since(w.began))
	return nil
}

func (w *watched) Flush() error {
	w.out, w.waiting = append(w.out, w.waiting...), nil
	return nil
}

// play plays events that happened at these times (since the first) and tells when each was written.
func play(t *testing.T, speed float64, maxGap time.Duration, happened ...time.Duration) []time.Duration {
	t.Helper()
	w := &watched{began: time.Now()}
	p := New(nil, 0, Options{
		Selection: &selection.Selection{}, Match: func(e *event.Event) bool { return e.Type != "left out" },
		Out: w, Remarks: io.Discard, Reached: func(uint64) {}, Speed: speed, MaxGap: maxGap,
	})
	first := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	for i, at := range happened {
		e := event.Event{Offset: uint64(i + 1), At: first.Add(at)}
		if at < 0 {
			e.Type = "left out"
		}
		if err := p.apply(t.Context(), &e, nil, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.flush(); err != nil {
		t.Fatal(err)
	}
	return w.out
}

func TestEventsComeAsTheyHappened(t *testing.T) {
	const s = time.Second
	for _, test := range []struct {
		name     string
		speed    float64
		maxGap   time.Duration
		happened []time.Duration
		want     []time.Duration
	}{
		{"at the speed of life", 1, 0, []time.Duration{0, 2 * s, 2 * s, 3600 * s}, []time.Duration{0, 2 * s, 2 * s, 3600 * s}},
		{"faster", 10, 0, []time.Duration{0, 20 * s, 600 * s}, []time.Duration{0, 2 * s, 60 * s}},
		{"slower", 0.5, 0, []time.Duration{0, 1 * s}, []time.Duration{0, 2 * s}},
		{"at once", 0, 0, []time.Duration{0, 20 * s, 600 * s}, []time.Duration{0, 0, 0}},
		{"long silences are cut", 2, 3 * s, []time.Duration{0, 4 * s, 1000 * s, 1001 * s}, []time.Duration{0, 2 * s, 5 * s, 5*s + s/2}},
		{"a clock that was put back", 1, 0, []time.Duration{0, 10 * s, 4 * s, 12 * s}, []time.Duration{0, 10 * s, 10 * s, 12 * s}},
		{"what is left out takes no time of its own", 1, 0, []time.Duration{0, -1, 5 * s}, []time.Duration{0, 5 * s}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got := play(t, test.speed, test.maxGap, test.happened...); !slices.Equal(got, test.want) {
					t.Errorf("%v, want %v", got, test.want)
				}
			})
		})
	}
}

func TestASlowReaderDoesNotMakeItLaterAndLater(t *testing.T) {
	p := pace{speed: 1}
	now := time.Now()
	at := now.Add(-time.Hour)
	p.next(at, now)
	if due := p.next(at.Add(10*time.Second), now.Add(9*time.Second)); due != now.Add(10*time.Second) {
		t.Errorf("due at %v", due.Sub(now))
	}
	// It was written only at 15 s; the next one still happened at 20.
	if due := p.next(at.Add(20*time.Second), now.Add(15*time.Second)); due != now.Add(20*time.Second) {
		t.Errorf("due at %v", due.Sub(now))
	}
}

func TestNoSilenceIsTooLongToBeCounted(t *testing.T) {
	p := pace{speed: 0.01}
	if wait := p.wait(math.MaxInt64); wait <= 0 {
		t.Errorf("%v", wait)
	}
}

func TestAWaitEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		began := time.Now()
		if err := sleep(ctx, began.Add(time.Hour)); !errors.Is(err, context.Canceled) || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}
