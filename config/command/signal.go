package command

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// notify delivers SIGINT and SIGTERM until stop is called. Two are kept, because the second one matters.
func notify() (signals <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 2)
	signal.Notify(c, syscall.SIGINT, syscall.SIGTERM)
	return c, func() { signal.Stop(c) }
}

// notifyHangup delivers SIGHUP until stop is called; several that come together are one. From here on it does not end the
// process any more, also where that is a terminal's that is closed.
func notifyHangup() (hangups <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}

// sameSignal is how soon a signal that comes again is taken for the same one:
// some supervisors signal a process and then its group.
const sameSignal = time.Second

// wait returns the error that arrives on done. The first signal calls cancel, the second makes it return at once.
func wait(done <-chan error, signals <-chan os.Signal, cancel func()) (err error, killed bool) {
	var first os.Signal
	var when time.Time
	for {
		select {
		case err := <-done:
			return err, false
		case s := <-signals:
			switch {
			case first == nil:
				first, when = s, time.Now()
				cancel()
			case s != first || time.Since(when) > sameSignal:
				return nil, true
			}
		}
	}
}
