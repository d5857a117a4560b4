package backup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/backup"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/notary"
	"github.com/tidemark-chat/tidemark/streams/session"
)

const (
	count  = 3000
	secret = "0123456789abcdef0123456789abcdef"
)

func quiet(string, uint64, uint64) {}

// filled is a log with events, checkpoints' stream and a session.
func filled(t *testing.T) (*logtest.Server, jetstream.JetStream) {
	t.Helper()
	ctx := context.Background()
	server := logtest.Start(t)
	js := server.Provision(logtest.Config())
	logtest.Fill(t, js, count, func(i int) event.Event {
		return logtest.Keyed(t, "general", fmt.Sprint("message ", i), fmt.Sprint("key", i))
	})
	if err := notary.Provision(ctx, js, 1, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	sessions := session.Open(js, session.Config{})
	if err := errors.Join(sessions.Provision(ctx), sessions.Create(ctx, secret, session.User{ID: "fedcba9876543210fedcba9876543210", Name: "Ana"})); err != nil {
		t.Fatal(err)
	}
	return server, js
}

func save(t *testing.T, js jetstream.JetStream) (dir string, m backup.Manifest) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "backup")
	m, err := backup.Save(context.Background(), js.Conn(), dir, eventlog.Open(js), quiet)
	if err != nil {
		t.Fatal(err)
	}
	return dir, m
}

func TestWhatIsPutBackIsWhatWasThereUnderAnotherEpoch(t *testing.T) {
	ctx := context.Background()
	_, js := filled(t)
	before, err := eventlog.Open(js).State(ctx)
	if err != nil || !before.Restored.IsZero() {
		t.Fatal(before.Restored, err)
	}
	dir, m := save(t, js)
	if s := m.Streams[eventlog.StreamName]; s.First != 1 || s.Last != count || s.Messages != count || m.Epoch != before.Epoch || len(m.Streams) != 3 {
		t.Errorf("the manifest is %+v", m)
	}
	logtest.Publish(t, js, logtest.Message(t, "general", "after the backup"))

	epochs := map[string]bool{before.Epoch: true}
	for range 2 { // of one backup, two logs: they are two
		other := logtest.Start(t).Connect()
		put, err := backup.Restore(ctx, other.Conn(), dir, 1, quiet)
		if err != nil {
			t.Fatal(err)
		}
		log := eventlog.Open(other)
		after, err := log.State(ctx)
		if err != nil || put.Now != after.Epoch || put.Epoch != before.Epoch || after.First != 1 || after.Last != count || epochs[after.Epoch] || !after.AtomicBatch {
			t.Fatalf("%+v, %v; epochs before: %v", after, err, epochs)
		}
		epochs[after.Epoch] = true
		for _, offset := range []uint64{1, count / 2, count} {
			e, err := log.Get(ctx, offset)
			if err != nil || e.Content != fmt.Sprint("message ", offset-1) {
				t.Errorf("%d: %q, %v", offset, e.Content, err)
			}
		}
		user, err := session.Open(other, session.Config{}).Find(ctx, secret)
		if err != nil || user.Name != "Ana" {
			t.Errorf("the session: %+v, %v", user, err)
		}
		// What nats-server does not know of the past until it is restarted, State says, so that nobody relies on it.
		if age := time.Since(after.Restored); age > 0 || age < -2*time.Minute {
			t.Errorf("it was put back %v ago", age)
		}
		if err := eventlog.Provision(ctx, other, logtest.Config(), slog.New(slog.DiscardHandler)); err != nil {
			t.Error(err)
		}
	}
}

func TestNothingIsReplaced(t *testing.T) {
	ctx := context.Background()
	_, js := filled(t)
	dir, _ := save(t, js)
	if _, err := backup.Restore(ctx, js.Conn(), dir, 1, quiet); !errors.Is(err, backup.ErrExists) {
		t.Errorf("onto a log: %v", err)
	}
	if _, err := backup.Save(ctx, js.Conn(), dir, eventlog.Open(js), quiet); !errors.Is(err, backup.ErrNotEmpty) {
		t.Errorf("onto a backup: %v", err)
	}
}

func TestWhatIsNotABackupIsNotPutBack(t *testing.T) {
	ctx := context.Background()
	_, js := filled(t)
	other := logtest.Start(t).Connect()
	if _, err := backup.Restore(ctx, other.Conn(), t.TempDir(), 1, quiet); !errors.Is(err, backup.ErrUnfinished) {
		t.Errorf("nothing: %v", err)
	}
	stopped, cancel := context.WithCancel(ctx)
	cut := filepath.Join(t.TempDir(), "cut")
	_, err := backup.Save(stopped, js.Conn(), cut, eventlog.Open(js), func(string, uint64, uint64) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a backup that was stopped: %v", err)
	}
	if _, err := backup.ReadManifest(cut); !errors.Is(err, backup.ErrUnfinished) {
		t.Errorf("a backup that was stopped: %v", err)
	}
	if _, err := backup.Save(ctx, js.Conn(), cut, eventlog.Open(js), quiet); err != nil {
		t.Errorf("where a backup was stopped another one cannot be made: %v", err)
	}

	dir, _ := save(t, js)
	data := filepath.Join(dir, eventlog.StreamName, "stream.tar.s2")
	content, err := os.ReadFile(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(data, content[:len(content)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	bounded, done := context.WithTimeout(ctx, 20*time.Second)
	defer done()
	if _, err := backup.Restore(bounded, other.Conn(), dir, 1, quiet); err == nil {
		t.Error("half of a log was put back as if it were one")
	}
	if _, err := other.Stream(ctx, eventlog.StreamName); !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("of half a log there is a stream: %v", err)
	}
}

func TestOfADamagedBackupNothingIsMade(t *testing.T) {
	ctx := context.Background()
	_, js := filled(t)
	dir, m := save(t, js)
	if got, err := backup.Verify(ctx, dir, quiet); err != nil || got.Epoch != m.Epoch {
		t.Fatalf("%+v, %v", got, err)
	}
	other := logtest.Start(t).Connect()
	for _, name := range []string{"KV_SESSIONS/stream.tar.s2", "CHAT/stream.tar.s2", "AUDIT/backup.json"} {
		path := filepath.Join(dir, name)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		damaged := bytes.Clone(whole)
		copy(damaged[len(damaged)/2:], "oops")
		for _, content := range [][]byte{damaged, whole[:len(whole)*2/3], nil} {
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := backup.Restore(ctx, other.Conn(), dir, 1, quiet); !errors.Is(err, backup.ErrDamaged) {
				t.Errorf("%d bytes of %s: %v", len(content), name, err)
			}
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name := range other.StreamNames(ctx).Name() {
		t.Errorf("%s was made", name)
	}
	if _, err := backup.Restore(ctx, other.Conn(), dir, 1, quiet); err != nil {
		t.Error(err)
	}
}

func TestWhatAFailedRestoreLeavesItNames(t *testing.T) {
	_, js := filled(t)
	dir, _ := save(t, js)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	other := logtest.Start(t)
	_, err := backup.Restore(ctx, other.Connect().Conn(), dir, 1, func(stream string, _, _ uint64) {
		if stream == eventlog.StreamName {
			cancel()
		}
	})
	if err == nil || !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	there := other.Connect().StreamNames(context.Background())
	count := 0
	for name := range there.Name() {
		count++
		if !strings.Contains(err.Error(), "nats stream rm --force "+name) {
			t.Errorf("%s is left and not named: %v", name, err)
		}
	}
	if count == 0 {
		t.Error("nothing is left, so this tests nothing")
	}
	_, err = backup.Restore(context.Background(), other.Connect().Conn(), dir, 1, quiet)
	if !errors.Is(err, backup.ErrExists) || !strings.Contains(err.Error(), "AUDIT") || !strings.Contains(err.Error(), "KV_SESSIONS") {
		t.Errorf("onto what is left: %v", err)
	}
}

func TestACopyEndsWithItsConnection(t *testing.T) {
	server, js := filled(t)
	ctx, done := context.WithTimeout(context.Background(), time.Minute)
	defer done()
	dir := filepath.Join(t.TempDir(), "cut")
	var once sync.Once
	restarted := make(chan struct{})
	_, err := backup.Save(ctx, js.Conn(), dir, eventlog.Open(js), func(string, uint64, uint64) {
		once.Do(func() { server.Stop(); server.Restart(); close(restarted) })
	})
	<-restarted
	if !errors.Is(err, backup.ErrCut) {
		t.Errorf("a backup whose server was started again: %v", err)
	}
	if _, err := backup.ReadManifest(dir); !errors.Is(err, backup.ErrUnfinished) {
		t.Error(err)
	}

	whole, _ := save(t, server.Connect())
	other := logtest.Start(t)
	stopped := make(chan struct{})
	once = sync.Once{}
	_, err = backup.Restore(ctx, other.Connect().Conn(), whole, 1, func(stream string, _, _ uint64) {
		if !strings.HasPrefix(stream, "reading ") {
			once.Do(func() { other.Stop(); close(stopped) })
		}
	})
	<-stopped
	if !errors.Is(err, backup.ErrCut) {
		t.Errorf("a restore whose server has gone: %v", err)
	}
}

func TestTheClockOfWhoRestoresMayBeBehind(t *testing.T) {
	ctx := context.Background()
	_, js := filled(t)
	dir, m := save(t, js)
	path := filepath.Join(dir, "manifest.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ahead := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	text = bytes.Replace(text, []byte(m.At.Format(time.RFC3339Nano)), []byte(ahead.Format(time.RFC3339Nano)), 1)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	epochs := make(map[string]bool)
	for range 2 {
		other := logtest.Start(t).Connect()
		if _, err := backup.Restore(ctx, other.Conn(), dir, 1, quiet); err != nil {
			t.Fatal(err)
		}
		state, err := eventlog.Open(other).State(ctx)
		if err != nil || state.Restored.Before(ahead) || epochs[state.Epoch] {
			t.Errorf("%v is before the copy of %v, or not another epoch (%v): %v", state.Restored, ahead, state.Epoch, err)
		}
		epochs[state.Epoch] = true
	}
}
