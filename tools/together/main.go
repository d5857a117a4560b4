//go:build unix

// Command together runs several programs as one: their lines carry their names, and when one of them ends, or at a
// signal, all are stopped, the last one started first.
//
//	together log="nats-server --config x.conf" gateway=bin/gateway
//
// A program and its arguments are separated by spaces; there is no quoting.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// patience is how long a program may take to stop before it is killed.
const patience = 15 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "together:", err)
		os.Exit(1)
	}
}

// run starts the programs and returns when all have ended: nil if that was because ctx ended, and they stopped in peace.
func run(ctx context.Context, specs []string, out io.Writer) error {
	ended := make(chan *program, len(specs))
	shared := &lines{out: out}
	var started []*program
	var errs []error
	for _, spec := range specs {
		p, err := start(spec, shared, ended)
		if err != nil {
			errs = append(errs, err)
			break
		}
		started = append(started, p)
	}
	if len(errs) == 0 {
		select {
		case p := <-ended:
			errs = append(errs, fmt.Errorf("%s ended before it was asked to", p.name))
		case <-ctx.Done():
		}
	}
	for _, p := range slices.Backward(started) {
		p.stop()
		if p.err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.name, p.err))
		}
	}
	return errors.Join(errs...)
}

// program is a running process, leader of its own process group: Ctrl-C in a terminal reaches together alone, so that
// each program gets exactly one signal, when it is its turn.
type program struct {
	name string
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // how it ended; read it after done
}

func start(spec string, out *lines, ended chan<- *program) (*program, error) {
	name, line, _ := strings.Cut(spec, "=")
	words := strings.Fields(line)
	if name == "" || len(words) == 0 {
		return nil, fmt.Errorf("%q is not name=command", spec)
	}
	p := &program{name: name, cmd: exec.Command(words[0], words[1:]...), done: make(chan struct{})}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	w := out.named(name)
	p.cmd.Stdout, p.cmd.Stderr = w, w
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
		ended <- p
	}()
	return p, nil
}

// stop asks the program to end and waits for that; it does nothing to one that has ended.
func (p *program) stop() {
	select {
	case <-p.done:
		return
	default:
	}
	_ = p.cmd.Process.Signal(syscall.SIGINT) // nats-server calls the end by SIGTERM a failure
	select {
	case <-p.done:
	case <-time.After(patience):
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
	}
}
