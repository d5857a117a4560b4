// Package endtoend has the auditor judge real deployments: a standalone and the auditor as an operator has them, two
// binaries that know of each other only what their settings say.
package endtoend

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/loopback"
	"github.com/tidemark-chat/tidemark/streams/notary"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// binaries is where TestMain builds standalone and auditor.
var binaries string

func TestMain(m *testing.M) {
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "TIDEMARK_") {
			_ = os.Unsetenv(name) // the developer's own settings
		}
	}
	if logtest.Child() {
		os.Exit(logtest.Main(m))
	}
	os.Exit(run(m))
}

// run builds the binaries and runs the tests.
func run(m *testing.M) int {
	var err error
	if binaries, err = os.MkdirTemp("", "auditor-endtoend-*"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(binaries)
	for _, service := range []string{"standalone", "auditor"} {
		build := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(binaries, service), "../../"+service+"/cmd/"+service)
		build.Env = append(os.Environ(), "CGO_ENABLED=0") // as they are shipped
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
			return 1
		}
	}
	return logtest.Main(m)
}

// deployment is a standalone on a directory and addresses of its own.
type deployment struct {
	t                  *testing.T
	dir                string
	log, gateway, ops  string // addresses
	cmd                *exec.Cmd
	said               bytes.Buffer
	published, members int
}

func deploy(t *testing.T) *deployment {
	d := &deployment{t: t, dir: t.TempDir(), log: loopback.Address(), gateway: loopback.Address(), ops: loopback.Address()}
	t.Cleanup(func() {
		if d.cmd != nil {
			_ = d.cmd.Process.Kill()
			_ = d.cmd.Wait()
		}
		if t.Failed() {
			t.Logf("standalone said:\n%s", d.said.String())
		}
	})
	d.start()
	return d
}

func (d *deployment) start() {
	d.t.Helper()
	d.cmd = exec.Command(filepath.Join(binaries, "standalone"))
	d.cmd.Env = append(os.Environ(), "TIDEMARK_DATA_DIR="+d.dir, "TIDEMARK_NATS_LISTEN="+d.log,
		"TIDEMARK_GATEWAY_LISTEN="+d.gateway, "TIDEMARK_PERSISTER_LISTEN="+d.ops,
		"TIDEMARK_NOTARY_EVERY=50", "TIDEMARK_NOTARY_INTERVAL=1s", "TIDEMARK_NOTARY_EXPORT="+d.exported())
	d.cmd.Stderr = &d.said
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	eventually(d.t, "the gateway is up", func() bool {
		answer, err := http.Get("http://" + d.gateway + "/healthz")
		if err == nil {
			answer.Body.Close()
		}
		return err == nil && answer.StatusCode == http.StatusOK
	})
}

func (d *deployment) stop() {
	d.t.Helper()
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		d.t.Fatal(err)
	}
	err := d.cmd.Wait()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		d.t.Fatal(err)
	}
	d.cmd = nil
}

// exported is the file that checkpoints are handed to, as if it were elsewhere.
func (d *deployment) exported() string { return filepath.Join(d.dir, "elsewhere.txt") }

func (d *deployment) database() string { return filepath.Join(d.dir, "tidemark.db") }

// eventually looks again and again, for half a minute.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline, again := time.After(30*time.Second), time.NewTicker(20*time.Millisecond)
	defer again.Stop()
	for !holds() {
		select {
		case <-again.C:
		case <-deadline:
			t.Fatalf("it did not come to be that %s", what)
		}
	}
}

// connected has a connection to the log for as long as use takes.
func (d *deployment) connected(use func(ctx context.Context, js jetstream.JetStream) error) {
	d.t.Helper()
	nc, js, err := eventlog.Connect("nats://"+d.log, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		d.t.Fatal(err)
	}
	defer nc.Close()
	ctx, cancel := context.WithTimeout(d.t.Context(), 30*time.Second)
	defer cancel()
	if err := use(ctx, js); err != nil {
		d.t.Fatal(err)
	}
}

// talk stores events as a gateway would: two people who register, rooms, direct messages, with keys and without. It returns
// when the read model has them and a checkpoint covers them.
func (d *deployment) talk(n int) {
	d.t.Helper()
	d.connected(func(ctx context.Context, js jetstream.JetStream) error {
		for i := range n {
			e, err := d.next(i)
			if err != nil {
				return err
			}
			if _, err := js.PublishMsg(ctx, e.Encode()); err != nil {
				return err
			}
			d.published++
		}
		return nil
	})
	d.covered(d.published)
}

func (d *deployment) next(i int) (event.Event, error) {
	if i < 2 {
		d.members++
		return event.NewRegistered(fmt.Sprint("user-", d.members), []string{"alice", "bob"}[i])
	}
	a, b := fmt.Sprint("user-", d.members-1), fmt.Sprint("user-", d.members)
	conversation, recipient := subject.Conversation{Kind: subject.Room, Name: []string{"general", "harbour", "a b"}[i%3]}, ""
	if i%5 == 0 {
		conversation, recipient = subject.Conversation{Kind: subject.DM, Name: subject.PairName(a, b)}, b
	}
	e := event.NewPosted(uuid.Must(uuid.NewV7()).String(), conversation, d.content(i))
	e.Sender, e.SenderName, e.Recipient = a, "alice", recipient
	if i%4 > 0 {
		e.Scope, e.Key = event.Scope("user:"+a, conversation), fmt.Sprintf("key-%d-%d", d.published, i)
	}
	e.Seal()
	return e, nil
}

// content is that of the i-th event of a talk, which only it has.
func (d *deployment) content(i int) string {
	return fmt.Sprintf("message %d of %d members.", i, d.members)
}

// covered waits until a checkpoint covers an offset, and so the read model too.
func (d *deployment) covered(offset int) {
	d.t.Helper()
	d.connected(func(ctx context.Context, js jetstream.JetStream) error {
		eventually(d.t, fmt.Sprintf("a checkpoint covers %d", offset), func() bool {
			last, err := notary.OpenAudit(js).Last(ctx)
			return err == nil && last.Size >= uint64(offset)
		})
		return nil
	})
}

// auditor runs the auditor against the deployment.
func (d *deployment) auditor(args ...string) (code int, output string) {
	d.t.Helper()
	cmd := exec.Command(filepath.Join(binaries, "auditor"), args...)
	cmd.Env = append(os.Environ(), "TIDEMARK_NATS_URL="+"nats://"+d.log, "TIDEMARK_DATA_DIR="+d.dir)
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		d.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// raw stores a message without asking whether it is an event.
func (d *deployment) raw(m *nats.Msg) (offset uint64) {
	d.t.Helper()
	d.connected(func(ctx context.Context, js jetstream.JetStream) error {
		ack, err := js.PublishMsg(ctx, m)
		if err == nil {
			offset = ack.Sequence
			d.published++
		}
		return err
	})
	return offset
}
