package standalone_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/services/standalone"
)

// child marks the process of a standalone that a test started.
const child = "STANDALONE_TEST_CHILD"

// TestMain runs the tests, or, in a child, a standalone as its settings say.
func TestMain(m *testing.M) {
	if os.Getenv(child) == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	cfg, err := config.Load(nil)
	if err == nil {
		err = standalone.Run(ctx, cfg, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// process is a standalone in a process of its own, which a test may kill and
// start again on the same data and addresses.
type process struct {
	t                  testing.TB
	dir                string
	address, persister string // where gateway and persister listen
	settings           []string
	cmd                *exec.Cmd
}

func newProcess(t testing.TB, settings ...string) *process {
	t.Helper()
	p := &process{t: t, dir: t.TempDir(), address: freeAddress(t), persister: freeAddress(t)}
	p.settings = append([]string{
		"TIDEMARK_DATA_DIR=" + p.dir, "TIDEMARK_GATEWAY_LISTEN=" + p.address, "TIDEMARK_PERSISTER_LISTEN=" + p.persister,
		"TIDEMARK_NATS_LISTEN=off", "TIDEMARK_GATEWAY_RATE_LIMIT=off",
	}, settings...)
	t.Cleanup(p.kill)
	return p
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (p *process) start() {
	p.t.Helper()
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append(append(os.Environ(), child+"=1"), p.settings...)
	p.cmd.Stderr = os.Stderr
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	gatewaytest.WaitReady(p.t, p.address, true)
}

func (p *process) kill() {
	if p.cmd != nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		p.cmd = nil
	}
}

// stop ends it in an orderly way, as an operator would.
func (p *process) stop() {
	p.t.Helper()
	began := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("an orderly stop: %v", err)
	}
	p.cmd = nil
	if took := time.Since(began); took > 10*time.Second {
		p.t.Errorf("an orderly stop took %v", took)
	}
}
