// Package view shows a run while it goes on. On a terminal it repaints a few lines several times a second; anywhere
// else it prints a line every few seconds, so that a log stays a log.
//
// It writes each picture at once and hides the cursor within it only, so that whatever ends the process, and whenever,
// the terminal is left as it was, below the picture. While Run runs, nobody else writes to the same terminal.
package view

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/tidemark-chat/tidemark/services/swarm/measure"
)

const (
	repaint   = 250 * time.Millisecond
	nextLine  = 5 * time.Second
	someWidth = 80 // of a terminal that does not tell its own
)

// Run shows the run until ctx ends, and then once more how it ended. total is how long it is meant to take, 0 if there
// is no telling; notes is what else to say, such as the faults that are going on, a few words each. Both functions are
// called on Run's goroutine. What cannot be written is not shown; the run does not end for it.
func Run(ctx context.Context, w io.Writer, title string, total time.Duration, snapshot func() measure.Snapshot, notes func() []string) {
	s := show{title: title, total: total}
	look := func() { s.now, s.notes = snapshot(), notes() }
	if size := terminal(w); size != nil {
		onTerminal(ctx, w, size, func(width int) []string { look(); return s.picture(width - 1) })
		return
	}
	inLines(ctx, w, func() string { look(); return s.line() })
}

// terminal returns what tells the size of w, or nil if w is none that can be repainted.
func terminal(w io.Writer) func() (width, height int) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return func() (int, int) {
		width, height, err := term.GetSize(int(f.Fd()))
		if err != nil || width <= 0 || height <= 0 {
			return someWidth, 24
		}
		return width, height
	}
}

func onTerminal(ctx context.Context, w io.Writer, size func() (width, height int), picture func(width int) []string) {
	painted := 0 // lines, above the cursor
	paint := func() {
		width, height := size()
		lines := picture(width)
		lines = lines[:min(len(lines), max(height-1, 1))]
		_, _ = io.WriteString(w, frame(lines, min(painted, height-1), width))
		painted = len(lines)
	}
	every(ctx, repaint, paint)
}

func inLines(ctx context.Context, w io.Writer, line func() string) {
	every(ctx, nextLine, func() { _, _ = fmt.Fprintln(w, line()) })
}

// every does it each interval, and once more when ctx ends.
func every(ctx context.Context, interval time.Duration, do func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			do()
			return
		case <-ticker.C:
			do()
		}
	}
}

// Control sequences (ECMA-48, and DEC's for the cursor).
const (
	hideCursor = "\x1b[?25l"
	showCursor = "\x1b[?25h"
	clearRight = "\x1b[K"
	clearBelow = "\x1b[J"
)

// frame repaints lines over the ones painted before. No line reaches the last column, where a terminal may wrap.
func frame(lines []string, before, width int) string {
	var b strings.Builder
	b.WriteString(hideCursor + "\r")
	if before > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", before)
	}
	for _, line := range lines {
		b.WriteString(fit(line, width-1) + clearRight + "\n")
	}
	b.WriteString(clearBelow + showCursor)
	return b.String()
}
