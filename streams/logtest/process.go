package logtest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/tidemark-chat/tidemark/streams/embedded"
)

// childDir names, in a child's environment, the directory of its server.
const childDir = "LOGTEST_SERVER_DIR"

// Child reports whether this process is a server that StartProcess made: Main is all it has to call.
func Child() bool { return os.Getenv(childDir) != "" }

// Main runs the tests of a package that uses StartProcess, from its TestMain,
// and returns the exit code. In a child that StartProcess made it is the server.
func Main(m *testing.M) int {
	dir := os.Getenv(childDir)
	if dir == "" {
		return m.Run()
	}
	server, err := embedded.Start(embedded.Config{Dir: dir, Listen: "127.0.0.1:0"})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(server.URL())
	_, _ = io.Copy(io.Discard, os.Stdin) // until the parent is gone
	server.Stop()
	return 0
}

// Process is a server in a process of its own.
type Process struct {
	URL string
	t   testing.TB
	cmd *exec.Cmd
}

// Pause makes the server stand still, without closing any connection.
func (p *Process) Pause() { p.signal(syscall.SIGSTOP) }

// Resume lets it go on.
func (p *Process) Resume() { p.signal(syscall.SIGCONT) }

func (p *Process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// StartProcess starts a server in a process of its own, whose memory is not
// counted with the test's and which can be made to stand still. It ends with
// the test.
func StartProcess(t testing.TB) *Process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+t.TempDir())
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		_ = cmd.Process.Signal(syscall.SIGCONT)
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the server process did not start: %v", err)
	}
	return &Process{URL: strings.TrimSpace(line), t: t, cmd: cmd}
}
