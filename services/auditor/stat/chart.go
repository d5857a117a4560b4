package stat

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidemark-chat/tidemark/services/auditor/progress"
)

const (
	// manyDays is from when on a chart has months and not days.
	manyDays = 62
	// longGap is how many days (or months) in a row without events are one line.
	longGap = 4
	// barWidth keeps a line of the chart within 60 columns.
	barWidth = 30
)

// bar is one line of the chart.
type bar struct {
	label string
	value uint64
	gap   int // so many without events, where it is no bar
}

// chart makes the bars of days with events, which are sorted; of months if there are many.
func chart(days []Day) (unit string, bars []bar) {
	values := map[string]uint64{}
	layout, step, unit := time.DateOnly, func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }, "day"
	if len(days) > manyDays {
		layout, step, unit = "2006-01", func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }, "month"
	}
	for _, d := range days {
		values[d.Date[:len(layout)]] += d.Events
	}
	if len(days) == 0 {
		return unit, nil
	}
	from, last := days[0].Date[:len(layout)], days[len(days)-1].Date[:len(layout)]
	t, err := time.Parse(layout, from)
	for label := from; err == nil && label <= last; t = step(t) {
		label = t.Format(layout)
		if label <= last {
			bars = append(bars, bar{label: label, value: values[label]})
		}
	}
	return unit, withoutGaps(bars)
}

// withoutGaps makes each long run of empty bars one.
func withoutGaps(bars []bar) (short []bar) {
	for len(bars) > 0 {
		n := slices.IndexFunc(bars, func(b bar) bool { return b.value > 0 })
		if n < 0 {
			n = len(bars)
		}
		switch {
		case n >= longGap:
			short = append(short, bar{gap: n})
		default:
			short = append(short, bars[:n]...)
		}
		if bars = bars[n:]; len(bars) > 0 {
			short, bars = append(short, bars[0]), bars[1:]
		}
	}
	return short
}

// lines paints the bars.
func lines(unit string, bars []bar) (text []string) {
	most := uint64(1)
	for _, b := range bars {
		most = max(most, b.value)
	}
	for _, b := range bars {
		if b.gap > 0 {
			text = append(text, fmt.Sprintf("  %-10s  %d %ss without events", "...", b.gap, unit))
			continue
		}
		text = append(text, fmt.Sprintf("  %-10s  %-*s  %11s", b.label, barWidth, blocks(b.value, most), progress.Count(b.value)))
	}
	return text
}

// blocks is a bar in eighths of a column; what is not nothing can be seen.
func blocks(value, most uint64) string {
	eighths := int(float64(value) / float64(most) * barWidth * 8)
	if value > 0 {
		eighths = max(eighths, 1)
	}
	text := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		text += string([]rune(" ▏▎▍▌▋▊▉")[rest])
	}
	return text
}
