package presence

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

// childURL tells a child of the test, which then is a gateway, where the server is.
const childURL = "PRESENCE_TEST_URL"

func TestMain(m *testing.M) { goleak.VerifyTestMain(run{m}) }

type run struct{ m *testing.M }

func (r run) Run() int {
	if url := os.Getenv(childURL); url != "" {
		return child(url)
	}
	return logtest.Main(r.m)
}

var childOptions = Options{Lease: time.Second, Renew: 300 * time.Millisecond}

// child is a gateway to which Ann is connected until its standard input ends.
// It prints the changes.
func child(url string) int {
	nc, js, err := eventlog.Connect(url, "child", slog.New(slog.DiscardHandler))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer nc.Close()
	o := childOptions
	o.Changed = func(c Change) { fmt.Println(describe(c)) }
	p := New(js, o)
	p.Enter(ann)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	if err := p.Run(ctx); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// TestAGatewayThatStoodStillComesBack stops a gateway's process for longer than
// its lease. Meanwhile its users are offline to others; then they are back, and
// it has missed nothing and taken nobody for dead.
func TestAGatewayThatStoodStillComesBack(t *testing.T) {
	t.Parallel()
	server := logtest.Start(t)
	b := start(t, server.URL(), childOptions)
	b.Enter(bob)
	b.Enter(nic)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childURL+"="+server.URL())
	out := &lines{}
	cmd.Stdout = out
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	signal := func(s os.Signal) {
		if err := cmd.Process.Signal(s); err != nil {
			t.Error(err)
		}
	}
	end := func() error { signal(syscall.SIGCONT); stdin.Close(); return cmd.Wait() }
	defer func() { _ = cmd.Process.Kill() }()

	b.sees(ann, bob, nic)
	saw := func(n int) {
		t.Helper()
		eventually(t, func() string { return fmt.Sprintf("it saw %q", out.all()) }, func() bool { return len(out.all()) == n })
	}
	saw(3)
	signal(syscall.SIGSTOP)
	b.sees(bob, nic)
	b.knows(0) // it was cleared away
	b.Leave(Nick, nic.ID)
	signal(syscall.SIGCONT)
	b.sees(ann, bob)
	saw(4)
	b.knows(1)
	b.saw("+user Bob 1", "+nick nic 1", "+user Ann 2", "-user Ann 1", "-nick nic 0", "+user Ann 2")
	if err := end(); err != nil {
		t.Error(err)
	}
	b.sees(bob)
	if got := out.all(); len(got) != 4 || got[0] != "+user Ann 1" || got[3] != "-nick nic 0" {
		t.Errorf("it saw %q", got)
	}
}

// lines is what a process printed so far.
type lines struct {
	mu  sync.Mutex
	out bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.Write(p)
}

func (l *lines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.FieldsFunc(l.out.String(), func(r rune) bool { return r == '\n' })
}
