package main

import (
	"bytes"
	"io"
	"os"
	"sync"
	"testing"

	"github.com/tidemark-chat/tidemark/config/command"
)

// outcome is what a caller of the binary sees.
type outcome struct {
	code           int
	stdout, stderr string
}

// call runs a command as a process would, with what the environment says of the log's address. It is for one test at a time.
func call(t *testing.T, url string, args ...string) outcome {
	t.Helper()
	stdout, stderr := new(stream), new(stream)
	code := callInto(t, url, stdout.pipe(t), stderr.pipe(t), args...)
	return outcome{code, stdout.wait(), stderr.wait()}
}

// callInto is call with files to write to, which it closes.
func callInto(t *testing.T, url string, stdout, stderr *os.File, args ...string) (code int) {
	t.Helper()
	t.Setenv("TIDEMARK_NATS_URL", url)
	oldArgs, oldOut, oldErr := os.Args, os.Stdout, os.Stderr
	defer func() { os.Args, os.Stdout, os.Stderr = oldArgs, oldOut, oldErr }()
	os.Args, os.Stdout, os.Stderr = append([]string{"auditor"}, args...), stdout, stderr
	defer stdout.Close()
	defer stderr.Close()
	return command.Main(service())
}

// stream gathers what is written to a pipe.
type stream struct {
	mu   sync.Mutex
	text bytes.Buffer
	done chan struct{}
	more chan struct{} // has one whenever something was written
}

// pipe is the end to write to; who closes it ends the output.
func (o *stream) pipe(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	o.done, o.more = make(chan struct{}), make(chan struct{}, 1)
	go func() {
		defer close(o.done)
		defer r.Close()
		_, _ = io.Copy(o, r)
	}()
	return w
}

func (o *stream) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.more <- struct{}{}:
	default:
	}
	return o.text.Write(p)
}

func (o *stream) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// wait returns all that was written, when nothing more will be.
func (o *stream) wait() string {
	<-o.done
	return o.String()
}
