package standalone_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/gateway"
	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/services/persister"
	"github.com/tidemark-chat/tidemark/services/standalone"
	"github.com/tidemark-chat/tidemark/streams/embedded"
	"github.com/tidemark-chat/tidemark/streams/loopback"
)

// role names, in the environment of a child that a test started, what it is.
const role = "STANDALONE_TEST_ROLE"

// roles are what a child can be, as its settings say, until ctx ends.
var roles = map[string]func(ctx context.Context, cfg config.Config, log *slog.Logger) error{
	"standalone": standalone.Run,
	"log": func(ctx context.Context, cfg config.Config, _ *slog.Logger) error {
		server, err := embedded.Start(embedded.Config{Dir: cfg.DataDir, Listen: cfg.NATS.Listen})
		if err == nil {
			<-ctx.Done()
			server.Stop()
		}
		return err
	},
	"gateway":   gateway.Run,
	"persister": persister.Run,
	"crowd":     runCrowd,
}

// TestMain runs the tests, or, in a child, what it is to be.
func TestMain(m *testing.M) {
	run := roles[os.Getenv(role)]
	if run == nil {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1) // the test is gone, without having ended its children
	}()
	cfg, err := config.Load(nil)
	if err == nil {
		err = run(ctx, cfg, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// process is a child, which a test may kill and start again on the same data and
// addresses. It ends with the test.
type process struct {
	t        testing.TB
	role     string
	settings []string  // of its environment; the last of a name counts
	address  string    // where /readyz is asked; empty: waitReady does not wait
	stdout   io.Writer // nil: discarded
	cmd      *exec.Cmd
	said     transcript
}

func newProcess(t testing.TB, role, address string, settings ...string) *process {
	p := &process{t: t, role: role, address: address, settings: settings}
	t.Cleanup(func() {
		p.kill()
		p.said.judge(t, role+" "+address)
	})
	return p
}

func (p *process) start() {
	p.t.Helper()
	p.spawn()
	p.waitReady()
}

// spawn starts it and does not wait.
func (p *process) spawn() {
	p.t.Helper()
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append(append(os.Environ(), role+"="+p.role), p.settings...)
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, &p.said
	if _, err := p.cmd.StdinPipe(); err != nil { // closed when this process ends
		p.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
}

func (p *process) waitReady() {
	p.t.Helper()
	if p.address != "" {
		gatewaytest.WaitReady(p.t, p.address, true)
	}
}

func (p *process) kill() {
	if p.cmd != nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		p.cmd = nil
	}
}

// pause makes it stand still, without closing any connection.
func (p *process) pause() { p.signal(syscall.SIGSTOP) }

func (p *process) resume() { p.signal(syscall.SIGCONT) }

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// stop ends it in an orderly way, as an operator would.
func (p *process) stop() {
	p.t.Helper()
	began := time.Now()
	p.signal(syscall.SIGTERM)
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("an orderly stop of %s: %v", p.role, err)
	}
	p.cmd = nil
	if took := time.Since(began); took > 10*time.Second {
		p.t.Errorf("an orderly stop of %s took %v", p.role, took)
	}
}

// transcript is what a child has said on stderr, the end of it.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

const maxTranscript = 256 << 10

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.text.Len() > maxTranscript {
		s.text.Next(s.text.Len() / 2)
	}
	return s.text.Write(p)
}

// judge fails the test if the child has crashed or raced, and shows what all
// children said if the test has failed.
func (s *transcript) judge(t testing.TB, who string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, bad := range []string{"DATA RACE", "panic: ", "fatal error: "} {
		if strings.Contains(s.text.String(), bad) {
			t.Errorf("%s: %s", who, bad)
		}
	}
	if t.Failed() {
		t.Logf("%s said:\n%s", who, s.text.String())
	}
}

// alone is a standalone in a process of its own.
type alone struct {
	*process
	dir       string
	persister string // where its persister's health is
}

func newStandalone(t testing.TB, settings ...string) *alone {
	t.Helper()
	dir, address, persister := t.TempDir(), loopback.Address(), loopback.Address()
	return &alone{dir: dir, persister: persister, process: newProcess(t, "standalone", address, append([]string{
		"TIDEMARK_DATA_DIR=" + dir, "TIDEMARK_GATEWAY_LISTEN=" + address, "TIDEMARK_PERSISTER_LISTEN=" + persister,
		"TIDEMARK_NATS_LISTEN=off", "TIDEMARK_GATEWAY_RATE_LIMIT=off",
	}, settings...)...)}
}
