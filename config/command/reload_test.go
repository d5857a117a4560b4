//go:build unix

package command

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tidemark-chat/tidemark/config"
)

// running is a process of this test binary that serves, see childMode, and says on standard error what is logged and on
// standard output what it is told.
type running struct {
	t              *testing.T
	cmd            *exec.Cmd
	stdout, stderr *bufio.Scanner
}

func start(t *testing.T, mode string, args ...string) *running {
	t.Helper()
	r := &running{t: t, cmd: exec.Command(os.Args[0], args...)}
	r.cmd.Env = append(os.Environ(), childMode+"="+mode)
	stdout, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := r.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	r.stdout, r.stderr = bufio.NewScanner(stdout), bufio.NewScanner(stderr)
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.cmd.Process.Kill(); _ = r.cmd.Wait() })
	r.says(r.stdout, "running")
	return r
}

// says waits for a line that holds all of the parts.
func (r *running) says(lines *bufio.Scanner, parts ...string) {
	r.t.Helper()
	if !lines.Scan() {
		r.t.Fatalf("it ended before it said %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(lines.Text(), part) {
			r.t.Errorf("it says %q and not %q", lines.Text(), part)
		}
	}
}

func (r *running) signal(s os.Signal) {
	r.t.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		r.t.Fatal(err)
	}
}

// stop ends the process with SIGTERM and checks that it was an orderly end.
func (r *running) stop() {
	r.t.Helper()
	r.signal(syscall.SIGTERM)
	for r.stderr.Scan() {
	}
	if err := r.cmd.Wait(); err != nil {
		r.t.Errorf("it ended with %v", err)
	}
}

func TestSIGHUPReadsTheSettingsAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "settings.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("gateway: {rateLimit: 5}")
	r := start(t, "reloading", "--config", file, "--gateway.user-rate-limit=3")

	write("gateway: {rateLimit: 6, userRateLimit: 9, maxRooms: 7}\npersister: {batchSize: 5}")
	r.signal(syscall.SIGHUP)
	r.says(r.stderr, "level=INFO", "read again", `changed=gateway.rateLimit`)
	r.says(r.stderr, "level=WARN", "restart", "settings=gateway.maxRooms") // and not those of another service
	r.says(r.stdout, "rate 6, of a user 3, rooms 100")

	write("gateway: {rateLimit: -6}")
	r.signal(syscall.SIGHUP)
	r.says(r.stderr, "level=ERROR", "stay as they are", `setting gateway.rateLimit (file `, `"-6\" is not allowed`)

	write("gateway: {rateLimit: 7}\nlog: {level: error}")
	r.signal(syscall.SIGHUP)
	r.says(r.stdout, "rate 7, of a user 3, rooms 100") // nothing came of the one before, and nothing is logged of this one
	write("gateway: {rateLimit: off}\nlog: {level: debug}")
	r.signal(syscall.SIGHUP)
	r.says(r.stderr, "level=INFO", `changed="gateway.rateLimit, log.level"`)
	r.says(r.stdout, "rate 0, of a user 3, rooms 100")
	r.stop()
}

func TestAServiceThatTakesNothingUpSurvivesSIGHUP(t *testing.T) {
	r := start(t, "polite")
	for range 3 {
		r.signal(syscall.SIGHUP)
		r.says(r.stderr, "read again")
	}
	r.stop()
}

func TestASlowConsumerGetsTheLatestSettings(t *testing.T) {
	cfg := config.Default()
	r := &reloader{running: cfg, reloads: make(chan config.Config, 1)}
	for rate := range 3 {
		next := cfg
		next.Gateway.RateLimit = config.Rate(rate + 1)
		r.offer(next)
	}
	if got := (<-r.reloads).Gateway.RateLimit; got != 3 {
		t.Errorf("it gets rate %v", got)
	}
	select {
	case <-r.reloads:
		t.Error("it gets more")
	default:
	}
}

func TestWhatTheServiceHasRefusedIsNamedAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "settings.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("gateway: {rateLimit: 5}")
	r := start(t, "reloading", "--config", file)
	write("gateway: {rateLimit: 13}\nlog: {level: debug}")
	for _, changed := range []string{`changed="gateway.rateLimit, log.level"`, `changed=gateway.rateLimit`} {
		r.signal(syscall.SIGHUP)
		r.says(r.stderr, "read again", changed)
		r.says(r.stdout, "refused")
	}
	write("gateway: {rateLimit: 7, userLimit: 9}\nlog: {level: debug}")
	for _, changed := range []string{`changed="gateway.rateLimit, gateway.userLimit"`, `changed=""`} {
		r.signal(syscall.SIGHUP)
		r.says(r.stderr, "read again", changed)
		r.says(r.stdout, "rate 7")
	}
	r.stop()
}

// tell says what each reload brings, and takes all up but a rate of 13.
func tell(reloads <-chan config.Config) {
	for cfg := range reloads {
		g := cfg.Gateway
		if g.RateLimit == 13 {
			fmt.Println("refused")
			continue
		}
		cfg.TakenUp()
		fmt.Printf("rate %v, of a user %v, rooms %v\n", g.RateLimit, g.UserRateLimit, g.MaxRooms)
	}
}
