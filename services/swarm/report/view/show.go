package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/measure"
	"github.com/tidemark-chat/tidemark/services/swarm/report/internal/words"
)

// lookBack is how many seconds "now" is: long enough that a figure can be read before it changes.
const lookBack = 5

// show is what there is to show at one time.
type show struct {
	title string
	total time.Duration
	now   measure.Snapshot
	notes []string
}

// lately is the last seconds as one.
func (s *show) lately() measure.Point {
	recent := s.now.Recent
	if len(recent) == 0 {
		return measure.Point{}
	}
	return measure.Thin(recent[max(0, len(recent)-lookBack):], 1)[0]
}

// line is all of it in one line.
func (s *show) line() string {
	p, t := s.lately(), s.now.Totals
	parts := []string{
		s.clock(), s.title,
		words.Count(s.now.Connected) + " connected",
		"sent " + words.Rate(p.PerSecond(p.Sent)) + "/s",
		"acked " + words.Rate(p.PerSecond(p.Acked)) + "/s",
		"received " + words.Rate(p.PerSecond(p.Received)) + "/s",
	}
	if l := p.Latencies.Ack; l.Count > 0 {
		parts = append(parts, "ack p50 "+words.Millis(l.P50Ms)+" p99 "+words.Millis(l.P99Ms))
	}
	if l := p.Latencies.Delivery; l.Count > 0 {
		parts = append(parts, "delivery p50 "+words.Millis(l.P50Ms)+" p99 "+words.Millis(l.P99Ms))
	}
	parts = append(parts, troubles(t)...)
	parts = append(parts, s.notes...)
	return words.Printable(strings.Join(parts, ", "))
}

// clock is "00:31/01:00".
func (s *show) clock() string {
	at := words.Clock(s.now.At.Seconds())
	if s.total <= 0 {
		return at
	}
	return at + "/" + words.Clock(s.total.Seconds())
}

// troubles are the counts of what should not be many, those that there are.
func troubles(t measure.Counts) (said []string) {
	for _, c := range []struct {
		n    int64
		what string
	}{{t.Cuts, "cut"}, {t.Refused, "refused"}, {t.Rejected, "rejected"}, {t.Unanswered, "unanswered"}} {
		if c.n > 0 {
			said = append(said, words.Count(c.n)+" "+c.what)
		}
	}
	return said
}

// rowFormat is of a line of the picture: what, now, so far; then the sparks, in the columns that are left.
const (
	rowFormat  = "  %-10s%12s %15s  %s"
	rowColumns = 42
)

// picture is all of it in a few lines, of which only the first and the last may be too long.
func (s *show) picture(width int) []string {
	p, t := s.lately(), s.now.Totals
	row := func(name, now, sofar string, of func(measure.Point) float64) string {
		return fmt.Sprintf(rowFormat, name, now, sofar, s.spark(width-rowColumns, of))
	}
	rate := func(name string, total int64, of func(measure.Point) int64) string {
		perSecond := func(p measure.Point) float64 { return p.PerSecond(of(p)) }
		return row(name, words.Rate(perSecond(p))+"/s", words.Count(total), perSecond)
	}
	latency := func(name string, of func(measure.Point) measure.Latency) string {
		p50, p99 := "-", "-"
		if l := of(p); l.Count > 0 {
			p50, p99 = words.Millis(l.P50Ms), words.Millis(l.P99Ms)
		}
		return row(name, "p50 "+p50, "p99 "+p99, func(p measure.Point) float64 { return of(p).P99Ms })
	}
	lines := []string{
		words.Printable(s.title) + "  " + s.bar() + s.clock(),
		row("connected", words.Count(s.now.Connected), "", func(p measure.Point) float64 { return float64(p.Connected) }),
		rate("sent", t.Sent, func(p measure.Point) int64 { return p.Sent }),
		rate("acked", t.Acked, func(p measure.Point) int64 { return p.Acked }),
		rate("received", t.Received, func(p measure.Point) int64 { return p.Received }),
		latency("ack", func(p measure.Point) measure.Latency { return p.Latencies.Ack }),
		latency("delivery", func(p measure.Point) measure.Latency { return p.Latencies.Delivery }),
	}
	if said := troubles(t); len(said) > 0 {
		lines = append(lines, "  "+strings.Join(said, ", "))
	}
	if len(s.notes) > 0 {
		lines = append(lines, "  now: "+words.Printable(strings.Join(s.notes, ", ")))
	}
	return lines
}

const barCells = 24

// bar is how much of the time is over; empty if there is no telling.
func (s *show) bar() string {
	if s.total <= 0 {
		return ""
	}
	full := int(barCells * min(1, max(0, s.now.At.Seconds()/s.total.Seconds())))
	return strings.Repeat("━", full) + strings.Repeat("┄", barCells-full) + " "
}

// spark is the newest of the last minute's seconds, one a character, as high as the highest among them, from 0.
func (s *show) spark(cells int, of func(measure.Point) float64) string {
	levels := []rune("▁▂▃▄▅▆▇")
	recent := s.now.Recent[max(0, len(s.now.Recent)-max(cells, 0)):]
	top := 0.0
	for _, p := range recent {
		top = max(top, of(p))
	}
	var b strings.Builder
	for _, p := range recent {
		level := 0
		if top > 0 {
			level = int(max(of(p), 0) / top * float64(len(levels)-1))
		}
		b.WriteRune(levels[level])
	}
	return b.String()
}

// fit is the line within width columns.
func fit(line string, width int) string { return words.Cut(line, width) }
