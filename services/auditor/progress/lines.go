package progress

import (
	"fmt"
	"io"
	"time"

	"github.com/dustin/go-humanize"
)

// lines is the view where there is no terminal.
type lines struct {
	w      io.Writer
	title  string
	total  uint64
	began  time.Time
	before uint64    // done at the last line
	at     time.Time // when that was
}

func newLines(w io.Writer, title string, total uint64) *lines {
	now := time.Now()
	return &lines{w: w, title: title, total: total, began: now, at: now}
}

func (l *lines) show(done uint64) {
	rate := perSecond(done-min(done, l.before), time.Since(l.at))
	l.before, l.at = done, time.Now()
	fmt.Fprintln(l.w, under(l.title, done, l.total, rate))
}

func (l *lines) clear() {}

func (l *lines) end(done uint64) {
	took := time.Since(l.began)
	if took < nextLine {
		return
	}
	fmt.Fprintf(l.w, "%s: %s events in %s, %s/s\n", l.title, Count(done), Duration(took), Count(uint64(perSecond(done, took))))
}

// under is the line of a reading that is under way.
//
//	replay: 1,200,000 of 4,000,000 events (30 %), 310,000/s, 9 s left
func under(title string, done, total uint64, rate float64) string {
	speed := Count(uint64(rate))
	if total == 0 {
		return fmt.Sprintf("%s: %s events, %s/s", title, Count(done), speed)
	}
	line := fmt.Sprintf("%s: %s of %s events (%d %%), %s/s", title, Count(done), Count(total), int(100*float64(done)/float64(total)), speed)
	if rate > 0 && done <= total {
		line += ", " + Duration(time.Duration(float64(total-done)/rate*float64(time.Second))) + " left"
	}
	return line
}

func perSecond(n uint64, took time.Duration) float64 {
	if took <= 0 {
		return 0
	}
	return float64(n) / took.Seconds()
}

// Count is a number for people: 1,200,000.
func Count(n uint64) string { return humanize.Comma(int64(n)) }

// Duration is a time for people, in two units at most: 9 s, 1 min 5 s, 3 h 20 min.
func Duration(d time.Duration) string {
	seconds := int64(d.Round(time.Second).Seconds())
	switch {
	case seconds < 60:
		return fmt.Sprintf("%d s", seconds)
	case seconds < 3600:
		return fmt.Sprintf("%d min %d s", seconds/60, seconds%60)
	default:
		return fmt.Sprintf("%d h %d min", seconds/3600, seconds%3600/60)
	}
}
