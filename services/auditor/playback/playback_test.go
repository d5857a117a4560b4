package playback

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/services/auditor/record"
	"github.com/tidemark-chat/tidemark/services/auditor/selection"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/feed"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

// offsets is a writer that keeps which events were written, and which are out.
type offsets struct {
	mu      sync.Mutex
	waiting []string
	out     []string
	enough  int           // after so many, writing fails; 0: never
	came    chan struct{} // is told of each flush, if it is not nil
}

func (o *offsets) Write(r *record.Record) error {
	mark := fmt.Sprint(r.Offset)
	if r.Damaged != "" {
		mark += " damaged: " + r.Damaged
	}
	if o.waiting = append(o.waiting, mark); o.enough > 0 && len(o.waiting) == o.enough {
		return io.ErrClosedPipe
	}
	return nil
}

func (o *offsets) Flush() error {
	o.mu.Lock()
	o.out, o.waiting = append(o.out, o.waiting...), nil
	o.mu.Unlock()
	if o.came != nil {
		select {
		case o.came <- struct{}{}:
		default:
		}
	}
	return nil
}

func (o *offsets) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.out, ", ")
}

// broken is a log of ten events: those at gone are missing, those at damaged are not what was sealed. Odd offsets are in the
// room odd, even ones in the room even.
func broken(t *testing.T, gone, damaged []uint64) jetstream.JetStream {
	t.Helper()
	js := logtest.Start(t).Connect()
	stream, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: eventlog.StreamName, Subjects: []string{"chat.>"}, AllowDirect: true})
	if err != nil {
		t.Fatal(err)
	}
	for offset := uint64(1); offset <= 10; offset++ {
		e := logtest.Message(t, []string{"even", "odd"}[offset%2], "hello")
		m := e.Encode()
		for _, d := range damaged {
			if d == offset {
				m.Data = []byte("hellp")
			}
		}
		if _, err := js.PublishMsg(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	for _, offset := range gone {
		if err := stream.DeleteMsg(t.Context(), offset); err != nil {
			t.Fatal(err)
		}
	}
	return js
}

// begin makes a reading of a selection of a log, and the place where its remarks go.
func begin(t *testing.T, js jetstream.JetStream, s selection.Selection, out *offsets) (p *Playback, through uint64, remarks *bytes.Buffer) {
	t.Helper()
	state, err := eventlog.Open(js).State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	after, through, err := s.Span(t.Context(), js, state)
	if err != nil {
		t.Fatal(err)
	}
	match, err := s.Matcher(t.Context(), js)
	if err != nil {
		t.Fatal(err)
	}
	remarks = new(bytes.Buffer)
	return New(js, after, Options{Selection: &s, Match: match, Out: out, Remarks: remarks, Reached: func(uint64) {}}), through, remarks
}

func TestWhatIsWrittenAndWhatIsTold(t *testing.T) {
	const why = ` damaged: offset 5, subject "chat.0.room.nodd": the digest does not fit the event`
	for _, test := range []struct {
		name          string
		gone, damaged []uint64
		s             selection.Selection
		out, remarks  string
		tally         Tally
	}{
		{"a whole log", nil, nil, selection.Selection{}, "1, 2, 3, 4, 5, 6, 7, 8, 9, 10", "", Tally{10, 10, 10, 0, 0}},
		{"some of it", nil, nil, selection.Selection{From: 3, To: 7, Rooms: []string{"even"}}, "4, 6", "", Tally{7, 5, 2, 0, 0}},
		{"nothing of it", nil, nil, selection.Selection{Rooms: []string{"none"}}, "", "", Tally{10, 10, 0, 0, 0}},
		{"behind the end", nil, nil, selection.Selection{From: 11}, "", "", Tally{10, 0, 0, 0, 0}},
		{
			"holes", []uint64{1, 4, 5, 6, 10}, nil, selection.Selection{}, "2, 3, 7, 8, 9",
			"nothing at offset 1\nnothing at offsets 4 to 6\nnothing at offset 10\n", Tally{10, 5, 5, 0, 5},
		},
		{"holes elsewhere", []uint64{2, 9}, nil, selection.Selection{From: 3, To: 8}, "3, 4, 5, 6, 7, 8", "", Tally{8, 6, 6, 0, 0}},
		{"a hole at the bounds", []uint64{2, 3, 8, 9}, nil, selection.Selection{From: 3, To: 8}, "4, 5, 6, 7", "nothing at offset 3\nnothing at offset 8\n", Tally{8, 4, 4, 0, 2}},
		{"nothing but a hole", []uint64{4, 5}, nil, selection.Selection{From: 4, To: 5}, "", "nothing at offsets 4 to 5\n", Tally{5, 0, 0, 0, 2}},
		{"a damaged event", nil, []uint64{5}, selection.Selection{From: 4, To: 6}, "4, 5" + why + ", 6", "", Tally{6, 3, 3, 1, 0}},
		{"a damaged event of who knows what", nil, []uint64{5}, selection.Selection{From: 4, To: 6, Senders: []string{"alice"}}, "5" + why, "", Tally{6, 3, 1, 1, 0}},
		{"a damaged event of another time", nil, []uint64{5}, selection.Selection{Until: time.Now().Add(-time.Second)}, "", "", Tally{10, 10, 0, 0, 0}},
	} {
		t.Run(test.name, func(t *testing.T) {
			out := &offsets{}
			p, through, remarks := begin(t, broken(t, test.gone, test.damaged), test.s, out)
			if err := p.Through(t.Context(), through); err != nil {
				t.Fatal(err)
			}
			if out.String() != test.out || remarks.String() != test.remarks || p.Tally != test.tally {
				t.Errorf("wrote %s, told %q, %+v", out, remarks, p.Tally)
			}
			if p.Whole() != (test.tally.Damaged+test.tally.Missing == 0) {
				t.Error("whole or not?")
			}
		})
	}
}

func TestHolesWithoutNumberAreCounted(t *testing.T) {
	var remarks bytes.Buffer
	p := New(nil, 0, Options{Selection: &selection.Selection{}, Remarks: &remarks})
	for i := range uint64(3 * maxTold) {
		p.hole(10*i+1, 10*i+2)
	}
	lines := strings.Split(strings.TrimSuffix(remarks.String(), "\n"), "\n")
	if len(lines) != maxTold+1 || lines[maxTold-1] != "nothing at offsets 9991 to 9992" || lines[maxTold] != "there are more holes: from here on they are only counted" {
		t.Errorf("%d lines, in the end %q", len(lines), lines[max(0, len(lines)-2):])
	}
	if p.Missing != 6*maxTold {
		t.Errorf("%d are missing", p.Missing)
	}
}

func TestWhatCannotBeWrittenEndsIt(t *testing.T) {
	p, through, _ := begin(t, broken(t, nil, nil), selection.Selection{}, &offsets{enough: 3})
	err := p.Through(t.Context(), through)
	if !errors.As(err, new(*OutputError)) || !errors.Is(err, io.ErrClosedPipe) || p.Last != 2 {
		t.Errorf("%v after %d", err, p.Last)
	}
}

func TestAnInterruptedReadingCanBeGoneOnWith(t *testing.T) {
	js := broken(t, []uint64{4}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	out := &offsets{}
	p, through, _ := begin(t, js, selection.Selection{}, out)
	p.Reached = func(offset uint64) {
		if offset == 5 {
			cancel()
		}
	}
	err := p.Through(ctx, through)
	if !errors.Is(err, context.Canceled) || p.Last < 5 {
		t.Fatalf("%v after %d", err, p.Last)
	}
	rest, through, _ := begin(t, js, selection.Selection{From: p.Last + 1}, out)
	if err := rest.Through(t.Context(), through); err != nil {
		t.Fatal(err)
	}
	if out.String() != "1, 2, 3, 5, 6, 7, 8, 9, 10" {
		t.Errorf("wrote %s", out)
	}
}

// follow begins to follow a log and returns how to wait until so much was written, and how to end it.
func follow(t *testing.T, js jetstream.JetStream, s selection.Selection, out *offsets) (until func(string), end func() error) {
	t.Helper()
	s.Growing = true
	out.came = make(chan struct{}, 1)
	p, _, _ := begin(t, js, s, out)
	if err := p.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Follow(ctx, slog.New(slog.DiscardHandler)) }()
	until = func(want string) {
		t.Helper()
		patience := time.After(20 * time.Second)
		for out.String() != want {
			select {
			case <-out.came:
			case <-patience:
				t.Fatalf("wrote %s, want %s", out, want)
			}
		}
	}
	return until, func() error { cancel(); return <-done }
}

func TestWhatIsAppendedLaterIsWrittenAtOnce(t *testing.T) {
	js := logtest.Start(t).Provision(logtest.Config())
	logtest.Publish(t, js, logtest.Message(t, "general", "1"), logtest.Message(t, "other", "2"))
	out := &offsets{}
	until, end := follow(t, js, selection.Selection{Rooms: []string{"general"}}, out)
	until("1")
	logtest.Publish(t, js, logtest.Message(t, "general", "3"))
	until("1, 3")
	logtest.Publish(t, js, logtest.Message(t, "other", "4"), logtest.Message(t, "general", "5"))
	until("1, 3, 5")
	if err := end(); err != nil {
		t.Error(err)
	}
}

func TestFollowingMayBeginBeyondTheEnd(t *testing.T) {
	js := logtest.Start(t).Provision(logtest.Config())
	logtest.Publish(t, js, logtest.Message(t, "general", "1"))
	out := &offsets{}
	until, end := follow(t, js, selection.Selection{From: 3}, out)
	logtest.Publish(t, js, logtest.Message(t, "general", "2"), logtest.Message(t, "general", "3"))
	until("3")
	if err := end(); err != nil {
		t.Error(err)
	}
}

func TestFollowingEndsWithTheLog(t *testing.T) {
	js := logtest.Start(t).Provision(logtest.Config())
	logtest.Publish(t, js, logtest.Message(t, "general", "1"))
	p, _, _ := begin(t, js, selection.Selection{}, &offsets{})
	if err := p.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.Last = 7 // of a log that is shorter now
	if err := p.Follow(t.Context(), slog.New(slog.DiscardHandler)); !errors.Is(err, feed.ErrLost) {
		t.Errorf("%v", err)
	}
}

func TestFollowingEndsWhenNobodyReads(t *testing.T) {
	js := logtest.Start(t).Provision(logtest.Config())
	p, _, _ := begin(t, js, selection.Selection{}, &offsets{enough: 1})
	logtest.Publish(t, js, logtest.Message(t, "general", "1"))
	if err := p.Follow(t.Context(), slog.New(slog.DiscardHandler)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("%v", err)
	}
}

func TestCatchingUpReadsWhatWasAddedMeanwhile(t *testing.T) {
	js := logtest.Start(t).Provision(logtest.Config())
	next := func(int) event.Event { return logtest.Message(t, "general", "x") }
	logtest.Fill(t, js, 2*near, next)
	p, _, _ := begin(t, js, selection.Selection{}, &offsets{})
	p.Reached = func(offset uint64) {
		if offset == near {
			logtest.Fill(t, js, 2*near, next)
		}
	}
	if err := p.CatchUp(t.Context()); err != nil || p.Written != 4*near {
		t.Errorf("%d written, %v", p.Written, err)
	}
}
