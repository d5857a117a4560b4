package report

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/plot"

	"github.com/tidemark-chat/tidemark/services/swarm/measure"
	"github.com/tidemark-chat/tidemark/services/swarm/report/internal/words"
)

func exampleGroups() []Group {
	return []Group{
		{"200 clients", []Bar{{"ours", 0.9, 0.8, 1.1}, {"theirs <&\x1b>", 6, 6, 6}}},
		{"1,000 clients", []Bar{{"ours", 12345, 12000, 13000}, {"theirs <&\x1b>", math.NaN(), math.NaN(), math.NaN()}}},
	}
}

func TestBarsHoldEveryLabelAndAreTheSameEachTime(t *testing.T) {
	svg, err := Bars("CPU </svg>", "µs & less", exampleGroups())
	if err != nil {
		t.Fatal(err)
	}
	count, text := elements(t, string(svg))
	if count["svg"] != 1 {
		t.Errorf("elements: %v", count)
	}
	for _, want := range []string{
		"CPU </svg>", "µs & less", "200 clients", "1,000 clients", "ours", `theirs <&\x1b>`,
		"0.9  (0.8 – 1.1)", "12.3k  (12k – 13k)", "not measured", "5k", "10k",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %q", want, text)
		}
	}
	if !bytes.Contains(svg, []byte("fill:#FFFFFF")) {
		t.Error("the background is not white")
	}
	if len(svg) > 60<<10 {
		t.Errorf("%d bytes", len(svg))
	}
	again, err := Bars("CPU </svg>", "µs & less", exampleGroups())
	if err != nil || !bytes.Equal(svg, again) {
		t.Errorf("another picture of the same, %v", err)
	}
}

func TestBarsThatCannotBeDrawnAreAnError(t *testing.T) {
	var crowd []Bar
	for i := range 7 {
		crowd = append(crowd, Bar{Name: fmt.Sprint(i)})
	}
	for name, groups := range map[string][]Group{
		"none": nil, "no bars": {{Name: "a"}}, "infinite": {{"a", []Bar{{"b", math.Inf(1), 1, 1}}}},
		"negative": {{"a", []Bar{{"b", 1, -1, 1}}}}, "too many": {{"a", crowd}},
	} {
		if _, err := Bars("t", "u", groups); err == nil {
			t.Errorf("%s: drawn", name)
		}
	}
	if _, err := Bars("t", "u", []Group{{"all 0", []Bar{{"a", 0, 0, 0}}}}); err != nil {
		t.Error(err)
	}
}

func labels(ticks []plot.Tick) string {
	var all []string
	for _, t := range ticks {
		all = append(all, t.Label)
	}
	return strings.Join(all, " ")
}

func TestTicksAreWherePeopleExpectThem(t *testing.T) {
	for _, c := range []struct {
		top  float64
		want string
	}{
		{0, "0 0.5 1"}, {math.Inf(1), "0 0.5 1"}, {3, "0 1 2 3"}, {200, "0 50 100 150 200"}, {23000, "0 10k 20k 30k"}, {47e6, "0 20M 40M 60M"},
	} {
		if ticks, _ := evenTicks(c.top, words.Short); labels(ticks) != c.want {
			t.Errorf("to %v: %s, want %s", c.top, labels(ticks), c.want)
		}
	}
	for _, c := range []struct {
		bottom, top float64
		want        string
	}{
		{1, 1, "1 ms 10 ms"}, {0.4, 1200, "100 µs 1 ms 10 ms 100 ms 1 s 10 s"}, {0, 0, "1 µs 10 µs"},
	} {
		if ticks, begin, end := powerTicks(c.bottom, c.top); labels(ticks) != c.want || begin >= end {
			t.Errorf("%v to %v: %s, want %s", c.bottom, c.top, labels(ticks), c.want)
		}
	}
	for _, end := range []float64{1, 9.5, 60, 61.5, 3600, 86400, 30 * 86400} {
		if n := len(timeTicks(end)); n < 2 || n > 32 {
			t.Errorf("%d ticks in %v s", n, end)
		}
	}
}

func TestSpansJoinBeginningsWithEnds(t *testing.T) {
	f := func(at float64, phase, kind string) Fault { return Fault{At: at, Phase: phase, Kind: kind} }
	r := &Report{Took: 100, Faults: []Fault{
		f(1, Begins, "a"), f(2, Begins, "a"), f(3, "", "b"), f(4, Ends, "a"), f(5, Ends, "c"), f(6, Ends, "a"), f(7, Begins, "b"), f(8, Begins, "d"), f(7, Ends, "d"),
	}}
	var got []string
	for _, s := range r.faultSpans() {
		got = append(got, fmt.Sprintf("%s %v-%v", s.Fault.Kind, s.From, s.To))
	}
	if want := []string{"a 1-4", "a 2-6", "b 3-3", "c 5-5", "b 7-100", "d 8-8"}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestNamesOnTheStripDoNotOverlapAndDoNotLeaveIt(t *testing.T) {
	var spans []span
	for i := range 200 {
		spans = append(spans, span{From: float64(i) / 2, To: float64(i)/2 + float64(i%7), Fault: Fault{Kind: "kill", Target: fmt.Sprint("gateway-", i)}})
	}
	s := newStrip(spans, 110, 40, 890)
	if s.count != stripRows {
		t.Errorf("%d rows", s.count)
	}
	last := make(map[int]float64)
	for i, span := range spans {
		from, to := s.reach(span)
		if from < s.left || to > s.right {
			t.Errorf("%s from %v to %v", span.name(), from, to)
		}
		if row := s.rows[i]; row >= 0 {
			if float64(from) < last[row] {
				t.Errorf("%s begins at %v where another is until %v", span.name(), from, last[row])
			}
			last[row] = float64(to)
		}
	}
}

func TestALineHasAGapWhereThereIsNoValue(t *testing.T) {
	l := line{"x", tone1, func(p measure.Point) (float64, bool) { return float64(p.Sent), p.Sent > 0 }}
	var points []measure.Point
	for i, n := range []int64{0, 1, 2, 0, 3, 0, 0, 4} {
		points = append(points, measure.Point{AtSeconds: float64(i), Counts: measure.Counts{Sent: n}})
	}
	var lengths []int
	for _, piece := range l.pieces(points, 0) {
		lengths = append(lengths, len(piece))
	}
	if !reflect.DeepEqual(lengths, []int{2, 1, 1}) {
		t.Errorf("pieces of %v", lengths)
	}
}
