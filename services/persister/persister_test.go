package persister

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tidemark-chat/tidemark/services/persister/signing"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/notary"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// childOptions makes this test binary a persister, so that it can be killed.
const childOptions = "TIDEMARK_TEST_PERSISTER"

type child struct {
	URL, Database string
	BatchSize     int
	PinTTL        time.Duration
	Key           string // path of the notary's; empty: none
}

func TestMain(m *testing.M) {
	text := os.Getenv(childOptions)
	if text == "" {
		goleak.VerifyTestMain(m)
		return
	}
	var c child
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		panic(err)
	}
	options := testOptions(c.URL, c.Database)
	options.BatchSize, options.PinTTL = c.BatchSize, c.PinTTL
	if c.Key != "" {
		key, err := notary.ReadSigner(c.Key)
		if err != nil {
			panic(err)
		}
		options.Notary = signing.Options{Key: key, Every: 10, Interval: time.Millisecond, Replicas: 1}
	}
	p, err := New(options, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err == nil {
		err = p.Run(context.Background())
	}
	panic(err) // it is killed, it does not stop
}

// testOptions is a persister of a log that reacts fast.
func testOptions(url, database string) Options {
	return Options{
		NATSURL: url, Log: logtest.Config(), Database: database,
		BatchSize: 100, PinTTL: 600 * time.Millisecond, StartWait: 20 * time.Second,
	}
}

func database(t testing.TB) string { return filepath.Join(t.TempDir(), "tidemark.db") }

// running is a persister that runs.
type running struct {
	*Persister
	t      testing.TB
	cancel context.CancelFunc
	done   chan struct{} // closed when Run has returned err
	err    error
}

// run starts a persister. A test that wants its error calls wait; otherwise it
// is stopped with the test and must not have one.
func run(t testing.TB, options Options) *running {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	if _, ok := t.(*testing.B); ok {
		log = discard
	}
	p, err := New(options, log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{Persister: p, t: t, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.err = p.Run(ctx)
	}()
	t.Cleanup(r.stop)
	return r
}

func (r *running) stop() {
	r.t.Helper()
	r.cancel()
	<-r.done
	if r.err != nil {
		r.t.Errorf("run: %v", r.err)
	}
}

// fails waits for Run to return an error and returns it.
func (r *running) fails() (err error) {
	r.t.Helper()
	select {
	case <-r.done:
		err, r.err = r.err, nil
		if err == nil {
			r.t.Fatal("run returned without an error")
		}
	case <-time.After(deadline):
		r.t.Fatalf("run goes on: %+v", r.status.report())
	}
	return err
}

// reaches waits until the persister has projected an offset.
func (r *running) reaches(offset uint64) {
	r.t.Helper()
	eventually(r.t, fmt.Sprintf("projected %d", offset), func() bool { return r.status.report().Checkpoint >= offset })
}

func (r *running) becomes(want role) {
	r.t.Helper()
	eventually(r.t, string(want), func() bool { return r.status.report().Role == want })
}

var discard = slog.New(slog.DiscardHandler)

const deadline = 2 * time.Minute

// eventually asks until the answer is yes.
func eventually(t testing.TB, what string, yes func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for until := time.After(deadline); !yes(); {
		select {
		case <-tick.C:
		case <-until:
			t.Fatalf("not in %v: %s", deadline, what)
		}
	}
}

// keyed makes the i-th of many events in ten rooms.
func keyed(t testing.TB) func(i int) event.Event {
	content := strings.Repeat("x", 200)
	return func(i int) event.Event {
		return logtest.Keyed(t, fmt.Sprintf("room-%d", i%10), content, fmt.Sprintf("key-%d", i))
	}
}

// mixed makes the i-th of many events: in rooms, between five users, and of users
// who register, each of them twice.
func mixed(t testing.TB) func(i int) event.Event {
	inRoom := keyed(t)
	return func(i int) event.Event {
		a, b := fmt.Sprint("user-", i%5), fmt.Sprint("user-", i/5%5)
		switch i % 3 {
		case 0:
			return inRoom(i)
		case 1:
			return direct(t, a, b, fmt.Sprintf("key-%d", i))
		}
		e, err := event.NewRegistered(fmt.Sprint("user-", i/6), a)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
}

// direct is a sealed direct message, with a key or without.
func direct(t testing.TB, from, to, key string) event.Event {
	t.Helper()
	e := logtest.Message(t, "", "hi")
	e.Conversation = subject.Conversation{Kind: subject.DM, Name: subject.PairName(from, to)}
	e.Sender, e.SenderName, e.Recipient = from, from, to
	if key != "" {
		e.Scope, e.Key = event.Scope("user:"+from, e.Conversation), key
	}
	e.Seal()
	return e
}

// rows is a query's result, one line for each row.
func rows(t testing.TB, path, query string) (lines []string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	result, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = result.Close() }()
	names, err := result.Columns()
	if err != nil {
		t.Fatal(err)
	}
	values, pointers := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		pointers[i] = &values[i]
	}
	for result.Next() {
		if err := result.Scan(pointers...); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("%q", values))
	}
	if err := result.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// everything is all rows of the read model.
func everything(t testing.TB, path string) string {
	t.Helper()
	var all []string
	for _, query := range []string{
		`SELECT * FROM checkpoint`, `SELECT * FROM messages ORDER BY conversation, "offset"`, `SELECT * FROM dead_letter ORDER BY "offset"`,
		`SELECT * FROM users ORDER BY id`, `SELECT * FROM direct ORDER BY user_id, conversation`,
	} {
		all = append(all, rows(t, path, query)...)
	}
	return strings.Join(all, "\n")
}

func remove(t testing.TB, path string) {
	t.Helper()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
}
