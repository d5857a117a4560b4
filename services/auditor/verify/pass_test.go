package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/replay"
)

// noting notes what it is given.
type noting struct {
	silent
	seen []string
	fail string // at what to fail
}

func (n *noting) note(what string) error {
	n.seen = append(n.seen, what)
	if what == n.fail {
		return errors.New("failed at " + what)
	}
	return nil
}

func (n *noting) take(it *item) error             { return n.note(fmt.Sprint(it.Offset)) }
func (n *noting) hole(from, through uint64) error { return n.note(fmt.Sprintf("%d-%d", from, through)) }
func (n *noting) end() error                      { return n.note("end") }

// log reads as replay.Log would from a log that holds these offsets only.
func log(offsets ...uint64) source {
	return func(_ context.Context, after, through uint64, apply func(replay.Record) error) (uint64, error) {
		for _, offset := range offsets {
			if offset > after && offset <= through {
				if err := apply(replay.Record{Offset: offset, Missing: offset - after - 1}); err != nil {
					return 0, err
				}
				after = offset
			}
		}
		return through - after, nil
	}
}

func TestEachLaneIsGivenWhatConcernsIt(t *testing.T) {
	for _, test := range []struct {
		holds          []uint64
		after, through uint64
		lanes          []uint64 // their afters
		want           string
	}{
		{[]uint64{1, 2, 3}, 0, 3, []uint64{0}, "1 2 3 end"},
		{[]uint64{3, 4, 8}, 0, 10, []uint64{0, 1, 2, 3, 6, 8, 9}, "1-2 3 4 5-7 8 9-10 end|2-2 3 4 5-7 8 9-10 end|3 4 5-7 8 9-10 end|4 5-7 8 9-10 end|7-7 8 9-10 end|9-10 end|10-10 end"},
		{nil, 0, 2, []uint64{0}, "1-2 end"},
		{nil, 0, 0, []uint64{0}, "end"},
		{nil, 4, 6, []uint64{4, 6}, "5-6 end|end"},
	} {
		var lanes []*lane
		var checks []*noting
		for _, after := range test.lanes {
			checks = append(checks, &noting{})
			lanes = append(lanes, newLane(OfLog, after, checks[len(checks)-1]))
		}
		if err := pass(t.Context(), log(test.holds...), test.after, test.through, lanes, func(*item) {}); err != nil {
			t.Error(err)
		}
		var got []string
		for _, c := range checks {
			got = append(got, strings.Join(c.seen, " "))
		}
		if strings.Join(got, "|") != test.want {
			t.Errorf("%v: %q, want %q", test, got, test.want)
		}
	}
}

func TestACheckThatFailsEndsNoOther(t *testing.T) {
	failing, other, third := &noting{fail: "2"}, &noting{}, &noting{}
	one, two := newLane(OfLog, 0, failing, other), newLane(OfReadModel, 0, third)
	if err := pass(t.Context(), log(1, 2, 3), 0, 3, []*lane{one, two}, func(*item) {}); err != nil {
		t.Error(err)
	}
	if got := [][]string{failing.seen, other.seen, third.seen}; fmt.Sprint(got) != "[[1 2] [1 2 3 end] [1 2 3 end]]" {
		t.Errorf("%v", got)
	}
	if one.err() == nil || two.err() != nil {
		t.Errorf("%v, %v", one.err(), two.err())
	}
}

func TestAnEndThatIsCutShortIsNoHole(t *testing.T) {
	cut := func(ctx context.Context, after, _ uint64, apply func(replay.Record) error) (uint64, error) {
		return log(1, 2)(ctx, after, 2, apply)
	}
	c := &noting{}
	if err := pass(t.Context(), cut, 0, 9, []*lane{newLane(OfLog, 0, c)}, func(*item) {}); err == nil || slices.Contains(c.seen, "end") {
		t.Errorf("%v, %v", err, c.seen)
	}
}

func TestWhatWasReadBeforeTheLogFailedIsJudged(t *testing.T) {
	gone := errors.New("gone")
	breaks := func(ctx context.Context, after, through uint64, apply func(replay.Record) error) (uint64, error) {
		_, err := log(1, 2)(ctx, after, through, apply)
		return 0, errors.Join(err, gone)
	}
	c := &noting{}
	if err := pass(t.Context(), breaks, 0, 9, []*lane{newLane(OfLog, 0, c)}, func(*item) {}); !errors.Is(err, gone) || fmt.Sprint(c.seen) != "[1 2]" {
		t.Errorf("%v, %v", err, c.seen)
	}
}

func TestAnInterruptEndsThePassPromptly(t *testing.T) {
	defer goleak.VerifyNone(t)
	ctx, cancel := context.WithCancel(t.Context())
	endless := func(ctx context.Context, _, _ uint64, apply func(replay.Record) error) (uint64, error) {
		for offset := uint64(1); ctx.Err() == nil; offset++ {
			if offset == 1000 {
				cancel()
			}
			if err := apply(replay.Record{Offset: offset}); err != nil {
				return 0, err
			}
		}
		return 0, ctx.Err()
	}
	c := &noting{}
	if err := pass(ctx, endless, 0, 1<<60, []*lane{newLane(OfLog, 0, c)}, func(*item) {}); !errors.Is(err, context.Canceled) || slices.Contains(c.seen, "end") {
		t.Errorf("%v", err)
	}
}

func TestAnInterruptGivesNoLaneAPortionTwice(t *testing.T) {
	offsets := make([]uint64, atOnce)
	for i := range offsets {
		offsets[i] = uint64(i + 1)
	}
	for range 100 { // what is given after an interrupt is given by chance
		ctx, cancel := context.WithCancel(t.Context())
		quick, stuck := &lane{portions: make(chan portion)}, &lane{portions: make(chan portion)}
		var given int
		var running sync.WaitGroup
		running.Go(func() {
			for p := range quick.portions {
				given += len(p.items)
				cancel()
			}
		})
		err := feed(ctx, log(offsets...), 0, atOnce, []*lane{quick, stuck}, func(*item) {})
		close(quick.portions)
		if running.Wait(); !errors.Is(err, context.Canceled) || given != atOnce {
			t.Fatalf("%d given, %v", given, err)
		}
	}
}

func TestTimesThatDescendAreFound(t *testing.T) {
	o := &orderCheck{found: &findings{rule: Order}, seen: &RulesReport{}}
	for i, second := range []int64{5, 5, 7, 6, 6, 8, 1, 9} {
		it := &item{Record: replay.Record{Offset: uint64(i + 1), At: time.Unix(second, 0)}}
		if err := o.take(it); err != nil {
			t.Fatal(err)
		}
	}
	if kept := o.found.kept; len(kept) != 2 || kept[0].Offset != 4 || kept[1].Offset != 7 || !strings.Contains(kept[1].What, "7s earlier than that of the event at offset 6") {
		t.Errorf("%+v", kept)
	}
	if o.seen.Began.Unix() != 5 || o.seen.Ended.Unix() != 9 {
		t.Errorf("%+v", o.seen)
	}
}

func TestTypesAreCountedWithinABound(t *testing.T) {
	c := intactCheck{digest: &findings{}, schema: &findings{}, seen: &RulesReport{Types: map[string]uint64{}}}
	for i := range 10_000 {
		it := &item{event: event.Event{Schema: event.Schema, Type: event.Type(fmt.Sprintf("type\x1b %d", i))}}
		if err := c.take(it); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(c.seen.Types); n > maxTypes+1 || c.seen.UnknownTypes != 10_000 || c.seen.Types[`type\x1b 0`] != 1 || c.seen.Types["other"] != 10_000-maxTypes {
		t.Errorf("%d, %+v", n, c.seen)
	}
}
