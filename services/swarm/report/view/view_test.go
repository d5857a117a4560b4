package view

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/tidemark-chat/tidemark/services/swarm/measure"
)

// screen is a terminal that understands what frames are made of.
type screen struct {
	t       *testing.T
	width   int
	lines   []string
	row     int
	hidden  bool
	writes  int
	history []string // the picture after each write
}

func (s *screen) Write(p []byte) (int, error) {
	s.writes++
	for text := string(p); text != ""; {
		text = s.obey(text)
	}
	if s.hidden {
		s.t.Error("a write left the cursor hidden")
	}
	s.history = append(s.history, strings.TrimSuffix(strings.Join(s.lines, "\n"), "\n")) // without the cursor's own line
	return len(p), nil
}

func (s *screen) obey(text string) (rest string) {
	for len(s.lines) <= s.row {
		s.lines = append(s.lines, "")
	}
	if sequence, ok := strings.CutPrefix(text, "\x1b["); ok {
		end := strings.IndexAny(sequence, "AKJlh")
		switch argument := sequence[:end]; sequence[end] {
		case 'A':
			n, err := strconv.Atoi(argument)
			if s.row -= n; err != nil || n < 1 || s.row < 0 {
				s.t.Fatalf("up %q to row %d", argument, s.row)
			}
		case 'J':
			s.lines = s.lines[:s.row]
		case 'l', 'h':
			s.hidden = sequence[end] == 'l'
		}
		return sequence[end+1:]
	}
	if rest, ok := strings.CutPrefix(text, "\r"); ok {
		return rest
	}
	if rest, ok := strings.CutPrefix(text, "\n"); ok {
		s.row++
		return rest
	}
	end := strings.IndexAny(text, "\x1b\r\n")
	if s.lines[s.row] = text[:end]; utf8.RuneCountInString(text[:end]) >= s.width {
		s.t.Errorf("a line of %d columns on %d: %q", utf8.RuneCountInString(text[:end]), s.width, text[:end])
	}
	return text[end:]
}

// busy is how a run stands at a time, with a point for each second.
func busy(at time.Duration) measure.Snapshot {
	s := measure.Snapshot{At: at, Connected: 1000}
	for i := 1; i <= min(60, int(at.Seconds())); i++ {
		p := measure.Point{AtSeconds: float64(i), Seconds: 1, Connected: 1000, Counts: measure.Counts{Sent: int64(10 * i), Acked: int64(10 * i), Received: int64(10_000 * i)}}
		p.Latencies.Ack = measure.Latency{Count: 1, P50Ms: 1.5, P99Ms: float64(i)}
		s.Recent = append(s.Recent, p)
		s.Totals.Sent, s.Totals.Acked, s.Totals.Received = s.Totals.Sent+p.Sent, s.Totals.Acked+p.Acked, s.Totals.Received+p.Received
	}
	return s
}

func TestATerminalIsRepaintedInPlaceAndShowsTheEnd(t *testing.T) {
	for _, width := range []int{120, 80, 30, 1} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, began := &screen{t: t, width: max(width, 2)}, time.Now()
				ctx, stop := context.WithTimeout(t.Context(), 10*time.Second+time.Millisecond)
				defer stop()
				onTerminal(ctx, s, func() (int, int) { return width, 24 }, func(width int) []string {
					v := show{title: "prove", total: 20 * time.Second, now: busy(time.Since(began))}
					if time.Since(began) < 5*time.Second {
						v.notes = []string{"kill gateway-1"}
					}
					return v.picture(width - 1)
				})
				if s.writes != 41 {
					t.Errorf("%d writes in 10 s", s.writes)
				}
				if last := s.history[len(s.history)-1]; s.row != 7 || strings.Count(last, "\n") != 6 {
					t.Errorf("the cursor is in row %d below\n%s", s.row, last)
				} else if width >= 80 && !strings.Contains(last, "━━━━━━━━━━━━┄┄┄┄┄┄┄┄┄┄┄┄ 00:10/00:20") {
					t.Errorf("at the end:\n%s", last)
				}
				if width >= 80 && !strings.HasSuffix(s.history[8], "now: kill gateway-1") {
					t.Errorf("after two seconds:\n%s", s.history[8])
				}
			})
		})
	}
}

func TestAPictureThatIsHigherThanTheTerminalIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &screen{t: t, width: 80}
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		onTerminal(ctx, s, func() (int, int) { return 80, 4 }, func(int) []string { return []string{"1", "2", "3", "4", "5"} })
		if got := s.history[len(s.history)-1]; got != "1\n2\n3" {
			t.Errorf("%q", got)
		}
	})
}

func TestWhatIsNoTerminalGetsALineEachFewSecondsAndOneAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		began := time.Now()
		ctx, stop := context.WithTimeout(t.Context(), 12*time.Second)
		defer stop()
		Run(ctx, &b, "prove\x1b[2J", time.Minute, func() measure.Snapshot {
			s := busy(time.Since(began))
			s.Totals.Cuts = 3
			return s
		}, func() []string { return []string{"kill gateway-1"} })
		want := `00:05/01:00, prove\x1b[2J, 1,000 connected, sent 30/s, acked 30/s, received 30,000/s, ack p50 1.50 ms p99 5.00 ms, 3 cut, kill gateway-1
00:10/01:00, prove\x1b[2J, 1,000 connected, sent 80/s, acked 80/s, received 80,000/s, ack p50 1.50 ms p99 10.0 ms, 3 cut, kill gateway-1
00:12/01:00, prove\x1b[2J, 1,000 connected, sent 100/s, acked 100/s, received 100,000/s, ack p50 1.50 ms p99 12.0 ms, 3 cut, kill gateway-1
`
		if b.String() != want {
			t.Errorf("printed\n%s\nwant\n%s", &b, want)
		}
	})
}

func TestThePictureHoldsWhatThereIsToSee(t *testing.T) {
	s := show{title: "prove", now: busy(7 * time.Second)}
	s.now.Totals.Refused, s.now.Totals.Unanswered = 1, 2
	want := `prove  00:07
  connected        1,000                  ▇▇▇▇▇▇▇
  sent              50/s             280  ▁▂▃▄▅▆▇
  acked             50/s             280  ▁▂▃▄▅▆▇
  received      50,000/s         280,000  ▁▂▃▄▅▆▇
  ack        p50 1.50 ms     p99 7.00 ms  ▁▂▃▄▅▆▇
  delivery         p50 -           p99 -  ▁▁▁▁▁▁▁
  1 refused, 2 unanswered`
	if got := strings.Join(s.picture(100), "\n"); got != want {
		t.Errorf("\n%s\nwant\n%s", got, want)
	}
	if got := s.picture(rowColumns + 3)[2]; !strings.HasSuffix(got, "  ▅▆▇") {
		t.Errorf("with room for three: %q", got)
	}
}

func TestARunThatHasJustBegunCanBeShown(t *testing.T) {
	s := show{title: "soak", total: time.Hour}
	if got := s.line(); got != "00:00/1:00:00, soak, 0 connected, sent 0/s, acked 0/s, received 0/s" {
		t.Errorf("%q", got)
	}
	if got := s.picture(80); len(got) != 7 {
		t.Errorf("%q", got)
	}
}

func TestAFileIsNoTerminal(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/f")
	if err != nil {
		t.Fatal(err)
	}
	if terminal(f) != nil || terminal(&bytes.Buffer{}) != nil {
		t.Error("taken for a terminal")
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no room") }

func TestWhatCannotBeWrittenDoesNotEndTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		began := time.Now()
		Run(ctx, full{}, "prove", 0, func() measure.Snapshot { return measure.Snapshot{} }, func() []string { return nil })
		if time.Since(began) != time.Minute {
			t.Errorf("ended after %v", time.Since(began))
		}
	})
}
