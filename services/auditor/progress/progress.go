// Package progress shows how far a long reading is: on a terminal a bar with rate and time left, anywhere else a line every
// few seconds, so that a log stays a log.
package progress

import (
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/term"
)

const (
	// repaint is how often the bar moves. A reading that is shorter is not shown.
	repaint = 200 * time.Millisecond
	// nextLine is how often there is a line, where there is no terminal. A reading that is shorter has none.
	nextLine = 5 * time.Second
)

// Bar is one reading. Set may be called by any one goroutine, as often as it likes. A nil Bar shows nothing.
type Bar struct {
	w       io.Writer
	writing sync.Mutex // guards w and view
	view    view
	done    atomic.Uint64
	stop    chan struct{}
	once    sync.Once
	stopped chan struct{}
}

// view is a way to show a reading. It is used by one goroutine at a time.
type view interface {
	show(done uint64)
	clear() // takes away what would be in the way of a line
	end(done uint64)
}

// Start shows a reading of so many events; with total 0, which is how many there are when nobody knows, only how many they
// have been and how fast. w is standard error. Until Stop, what else is to be said there is written to the Bar. What cannot be
// written is not shown.
func Start(w io.Writer, title string, total uint64) *Bar {
	if terminal(w) {
		return start(w, newBar(w, title, total), repaint)
	}
	return start(w, newLines(w, title, total), nextLine)
}

func start(w io.Writer, v view, interval time.Duration) *Bar {
	b := &Bar{w: w, view: v, stop: make(chan struct{}), stopped: make(chan struct{})}
	go func() {
		defer close(b.stopped)
		b.run(interval)
	}()
	return b
}

func (b *Bar) run(interval time.Duration) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			b.alone(func() { b.view.show(b.done.Load()) })
		case <-b.stop:
			b.alone(func() { b.view.end(b.done.Load()) })
			return
		}
	}
}

func (b *Bar) alone(write func()) {
	b.writing.Lock()
	defer b.writing.Unlock()
	write()
}

// Write writes whole lines to where the Bar is shown, above it. It may be called by any goroutine, also after Stop.
func (b *Bar) Write(lines []byte) (n int, err error) {
	b.alone(func() {
		b.view.clear()
		n, err = b.w.Write(lines)
	})
	return n, err
}

// Set says how much is done. It is cheap: what is shown follows at its own pace.
func (b *Bar) Set(done uint64) {
	if b != nil {
		b.done.Store(done)
	}
}

// Stop shows the end and returns when nothing more will be written. It takes the bar from the terminal, so that what is
// written next stands on a line of its own. It may be called again.
func (b *Bar) Stop() {
	if b == nil {
		return
	}
	b.once.Do(func() { close(b.stop) })
	<-b.stopped
}

// terminal reports whether w is one on which a line can be painted again.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}
