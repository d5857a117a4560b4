//go:build linux

package endtoend

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/loopback"
)

// million is how many events are replayed and verified.
const million = 1_000_000

// BenchmarkMillion measures the auditor as an operator runs it, in a process of its own, on a log of a million events of some
// 100 bytes of content: with the embedded server that a standalone has, and with a nats-server. It reports events per second
// and the most memory that the auditor had.
func BenchmarkMillion(b *testing.B) {
	for _, server := range []struct {
		name  string
		start func(testing.TB) (url string)
	}{
		{"embedded", func(t testing.TB) string { return logtest.StartProcess(t).URL }},
		{"separate", natsServer},
	} {
		b.Run(server.name, func(b *testing.B) {
			url := server.start(b)
			fill(b, url)
			for _, args := range [][]string{
				{"replay"}, {"replay", "--format", "json"}, {"replay", "--format", "csv", "--room", "room-7"}, {"verify", "--only", "log"}, {"stat"},
			} {
				b.Run(strings.ReplaceAll(strings.Join(args, ""), "--", "-"), func(b *testing.B) { measure(b, url, args) })
			}
		})
	}
}

// measure runs one command again and again.
func measure(b *testing.B, url string, args []string) {
	var most int64
	for b.Loop() {
		cmd := exec.Command(filepath.Join(binaries, "auditor"), args...)
		cmd.Env = append(os.Environ(), "TIDEMARK_NATS_URL="+url)
		out, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		if err != nil {
			b.Fatal(err)
		}
		cmd.Stdout = out
		if err := cmd.Run(); err != nil {
			b.Fatal(err)
		}
		out.Close()
		most = max(most, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
	}
	b.ReportMetric(million*float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(most)/1024, "MiB")
}

// fill makes a log of a million events.
func fill(b *testing.B, url string) {
	b.Helper()
	nc, js, err := eventlog.Connect(url, "fill", slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer nc.Close()
	config := logtest.Config()
	config.MaxBytes = 4 << 30
	if err := eventlog.Provision(b.Context(), js, config, slog.New(slog.DiscardHandler)); err != nil {
		b.Fatal(err)
	}
	content := strings.Repeat("hello world ", 8)
	logtest.Fill(b, js, million, func(i int) event.Event {
		return logtest.Keyed(b, fmt.Sprint("room-", i%50), fmt.Sprint(content, i), fmt.Sprint("key-", i))
	})
}

// natsServer runs a nats-server that syncs every message to disk.
func natsServer(t testing.TB) (url string) {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "nats-server")
	if out, err := exec.Command("go", "build", "-o", binary, "github.com/nats-io/nats-server/v2").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	address, settings := loopback.Address(), filepath.Join(dir, "nats.conf")
	text := fmt.Sprintf("listen: %q\njetstream { store_dir: %q, sync_interval: always }\n", address, dir)
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "--config", settings)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	url = "nats://" + address
	eventually(t, "the nats-server answers", func() bool {
		nc, _, err := eventlog.Connect(url, "test", slog.New(slog.DiscardHandler))
		if err == nil {
			nc.Close()
		}
		return err == nil
	})
	return url
}
