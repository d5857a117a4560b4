package command

import (
	"os"
	"os/signal"
	"syscall"
)

// notify delivers SIGINT and SIGTERM until stop is called. Two are kept, because the second one matters.
func notify() (signals <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 2)
	signal.Notify(c, syscall.SIGINT, syscall.SIGTERM)
	return c, func() { signal.Stop(c) }
}

// wait returns the error that arrives on done. The first signal calls cancel, the second makes it return at once.
func wait(done <-chan error, signals <-chan os.Signal, cancel func()) (err error, killed bool) {
	for stopping := false; ; stopping = true {
		select {
		case err := <-done:
			return err, false
		case <-signals:
			if stopping {
				return nil, true
			}
			cancel()
		}
	}
}
