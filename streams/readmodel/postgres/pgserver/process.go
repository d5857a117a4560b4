package pgserver

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
)

// command is a program and the file that what it says is added to.
type command struct {
	*exec.Cmd
	log string
}

// process is a program that was started. A goroutine of its own waits for it and ends with it.
type process struct {
	handle *os.Process
	done   chan struct{} // closed when it has ended
	err    error         // how; read it after done
}

// start starts a program. The goroutine keeps its thread, because the kernel takes the end of the thread that started a program for
// the end of its parent.
func start(ctx context.Context, c *command) (*process, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(c.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	c.Stdout, c.Stderr = log, log
	p, started := &process{done: make(chan struct{})}, make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.done)
		err := errors.Join(c.Start(), log.Close())
		p.handle = c.Process
		started <- err
		if p.handle != nil {
			p.err = c.Wait()
		}
	}()
	return p, <-started
}

func (p *process) signal(s os.Signal) error { return p.handle.Signal(s) }
