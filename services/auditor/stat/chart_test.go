package stat

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestTheChart(t *testing.T) {
	for _, test := range []struct {
		name string
		days []Day
		want []string
	}{
		{"nothing", nil, nil},
		{"one day", []Day{{"2026-01-31", 7}}, []string{"day 2026-01-31 7"}},
		{
			"short gaps are shown", []Day{{"2026-01-30", 7}, {"2026-02-03", 1}},
			[]string{"day 2026-01-30 7", "day 2026-01-31 0", "day 2026-02-01 0", "day 2026-02-02 0", "day 2026-02-03 1"},
		},
		{
			"long gaps are told", []Day{{"2026-01-30", 7}, {"2026-02-04", 1}, {"2027-02-04", 2}},
			[]string{"day 2026-01-30 7", "gap 4", "day 2026-02-04 1", "gap 364", "day 2027-02-04 2"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			unit, bars := chart(test.days)
			var got []string
			for _, b := range bars {
				if b.gap > 0 {
					got = append(got, fmt.Sprintf("gap %d", b.gap))
				} else {
					got = append(got, fmt.Sprintf("%s %s %d", unit, b.label, b.value))
				}
			}
			if strings.Join(got, "\n") != strings.Join(test.want, "\n") {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestManyDaysAreMonths(t *testing.T) {
	var days []Day
	for d := time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC); len(days) <= manyDays; d = d.AddDate(0, 0, 1) {
		days = append(days, Day{d.Format(time.DateOnly), 2})
	}
	days = append(days, Day{"2026-10-01", 5})
	unit, bars := chart(days)
	want := []bar{{"2025-12", 2, 0}, {"2026-01", 62, 0}, {"2026-02", 56, 0}, {"2026-03", 6, 0}, {gap: 6}, {"2026-10", 5, 0}}
	if unit != "month" || fmt.Sprint(bars) != fmt.Sprint(want) {
		t.Errorf("%s %v", unit, bars)
	}
}

func TestBarsAreInProportionAndFit(t *testing.T) {
	text := lines("day", []bar{{label: "2026-01-01", value: 1 << 30}, {label: "2026-01-02", value: 1}, {label: "2026-01-03"}, {gap: 12}, {label: "2026-01-16", value: 1 << 29}})
	for _, line := range text {
		if n := utf8.RuneCountInString(line); n > 60 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	for i, want := range []int{barWidth, 0, 0, 0, barWidth / 2} {
		if got := strings.Count(text[i], "█"); got != want {
			t.Errorf("%d blocks: %s", got, text[i])
		}
	}
	if !strings.Contains(text[1], "▏") || strings.ContainsAny(text[2], "▏█") || text[3] != "  ...         12 days without events" {
		t.Errorf("%q", text[1:4])
	}
}
