//go:build unix

package main

import (
	"bufio"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

// asGateway makes this test binary the gateway.
const asGateway = "GATEWAY_TEST_PROCESS"

func TestMain(m *testing.M) {
	if os.Getenv(asGateway) != "" {
		main()
	}
	os.Exit(m.Run())
}

// process is a running gateway. What it logs is read as far as it is waited for.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	log *bufio.Scanner
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(os.Args[0], args...)}
	p.cmd.Env = append(os.Environ(), asGateway+"=1")
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.log = bufio.NewScanner(stderr)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill(); _ = p.cmd.Wait() })
	return p
}

// logs waits for a line that holds all of the parts.
func (p *process) logs(parts ...string) (line string) {
	p.t.Helper()
	for p.log.Scan() {
		line = p.log.Text()
		missing := false
		for _, part := range parts {
			missing = missing || !strings.Contains(line, part)
		}
		if !missing {
			return line
		}
	}
	p.t.Fatalf("it ended before it logged %q", parts)
	return ""
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

func TestAProcessTakesUpSettingsOnSIGHUP(t *testing.T) {
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	write := func(settings string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("gateway: {corsOrigins: https://a.example}")
	p := start(t, "--config", file, "--nats.url", logtest.Start(t).URL(), "--gateway.listen", "127.0.0.1:0")
	_, address, _ := strings.Cut(p.logs("gateway listens"), "address=")
	gatewaytest.WaitReady(t, address, true)
	status := func(origin string) int {
		t.Helper()
		request, err := http.NewRequest(http.MethodGet, "http://"+address+"/socket.io/?EIO=4&transport=polling", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Origin", origin)
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response.StatusCode
	}
	expect := func(a, b int) {
		t.Helper()
		if gotA, gotB := status("https://a.example"), status("https://b.example"); gotA != a || gotB != b {
			t.Errorf("a gets %d, b gets %d, want %d and %d", gotA, gotB, a, b)
		}
	}
	expect(200, 403)
	write("gateway: {corsOrigins: https://b.example, listen: ':1', maxRooms: 7}")
	p.signal(syscall.SIGHUP)
	p.logs("restart", "settings=gateway.maxRooms")
	p.logs("were taken up")
	expect(403, 200)
	write("gateway: {corsOrigins: nonsense}")
	p.signal(syscall.SIGHUP)
	p.logs("level=ERROR", "gateway.corsOrigins", "stay as they are")
	write("auth: {required: true}") // allowed by itself, and not for this gateway
	p.signal(syscall.SIGHUP)
	p.logs("level=ERROR", "auth.required", "stay as they are")
	expect(403, 200)
	p.signal(syscall.SIGTERM)
	for p.log.Scan() {
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestCheckOfAProcess(t *testing.T) {
	url := logtest.Start(t).URL()
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--nats.url", url}, 0, "bucket SESSIONS"},
		{[]string{"--nats.url", "nats://127.0.0.1:1", "--timeout", "5s"}, 1, "skipped"},
		{nil, 2, "nats.url"},
	} {
		cmd := exec.Command(os.Args[0], append([]string{"check", "--gateway.listen", "127.0.0.1:0"}, c.args...)...)
		cmd.Env = append(os.Environ(), asGateway+"=1")
		out, err := cmd.CombinedOutput()
		if err != nil && !errors.As(err, new(*exec.ExitError)) {
			t.Fatal(err)
		}
		if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(string(out), c.says) {
			t.Errorf("%v: exit %d, want %d\n%s", c.args, code, c.code, out)
		}
	}
}
