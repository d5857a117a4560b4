package rebuild

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/projection"
	"github.com/tidemark-chat/tidemark/streams/readmodel/sqlite"
	"github.com/tidemark-chat/tidemark/streams/replay"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a log from which events can be deleted.
type world struct {
	t      testing.TB
	js     jetstream.JetStream
	stream jetstream.Stream
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, js: logtest.Start(t).Connect()}
	var err error
	w.stream, err = w.js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: eventlog.StreamName, Subjects: []string{subject.All}, AllowDirect: true, AllowAtomicPublish: true,
		Duplicates: 100 * time.Millisecond, // what comes twice is stored twice
	})
	w.must(err)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// publish stores a message under no id, and returns its offset.
func (w *world) publish(m *nats.Msg) uint64 {
	w.t.Helper()
	m.Header.Del("Nats-Msg-Id")
	ack, err := w.js.PublishMsg(context.Background(), m)
	w.must(err)
	return ack.Sequence
}

// fill stores n ordinary messages.
func (w *world) fill(n int) uint64 {
	w.t.Helper()
	return logtest.Fill(w.t, w.js, n, func(i int) event.Event { return logtest.Message(w.t, fmt.Sprint("room ", i%5), "x") })
}

func (w *world) remove(offsets ...uint64) {
	w.t.Helper()
	for _, offset := range offsets {
		w.must(w.stream.DeleteMsg(w.t.Context(), offset))
	}
}

func direct(t testing.TB, from, to string) event.Event {
	e := logtest.Message(t, "", "hi")
	e.Conversation = subject.Conversation{Kind: subject.DM, Name: subject.PairName(from, to)}
	e.Sender, e.SenderName, e.Recipient = from, "name of "+from, to
	e.Seal()
	return e
}

// eventful is a log with all that can be in one: between it are ordinary messages, for several batches.
func (w *world) eventful() {
	say := func(e event.Event) uint64 { return w.publish(e.Encode()) }
	for _, name := range []string{"Zoë", "a second Zoë", "a third"} { // a user registered twice, without the first
		user, err := event.NewRegistered("zoë", name)
		w.must(err)
		say(user)
	}
	say(direct(w.t, "zoë", "b"))
	say(direct(w.t, "b", "zoë"))
	say(direct(w.t, "b", "b"))
	w.fill(1200)
	say(logtest.Keyed(w.t, "general", "first", "k"))
	say(logtest.Keyed(w.t, "general", "second", "k")) // a taken key
	damaged := logtest.Message(w.t, "general", "sealed")
	m := damaged.Encode()
	m.Data = []byte("changed")
	m.Header.Set("Stray-Header", "as well")
	w.publish(m)
	w.publish(&nats.Msg{Subject: damaged.Encode().Subject, Header: nats.Header{}}) // nothing of an event
	misplaced := direct(w.t, "a", "c")
	misplaced.Conversation.Name = subject.PairName("a", "b")
	misplaced.Seal()
	say(misplaced)
	edited := logtest.Message(w.t, "general", "later")
	edited.Type = "message.edited"
	edited.Seal()
	say(edited)
	edited.Schema = event.Schema + 1
	say(edited)
	first := w.fill(1500) - 1499
	w.remove(first, first+7, first+8, first+9, first+1499) // holes, one of them at the end
	w.fill(10)
	w.remove(1) // and one at the beginning
}

// persist projects the log up to an offset as a persister does, in batches of some size, and returns the closed database.
func (w *world) persist(through uint64, size int) string {
	w.t.Helper()
	path := filepath.Join(w.t.TempDir(), "live.db")
	store, err := sqlite.Open(w.t.Context(), path)
	w.must(err)
	state := w.state()
	var deliveries []projection.Delivery
	_, err = replay.Log(w.t.Context(), w.js, 0, min(through, state.Last), func(r replay.Record) error {
		deliveries = append(deliveries, projection.Delivery{
			Offset: r.Offset, At: r.At, Stored: readmodel.Stored{Subject: r.Subject, Header: r.Header, Content: r.Content},
		})
		return nil
	})
	w.must(err)
	var position readmodel.Position
	for len(deliveries) > 0 {
		dense, gap := projection.Dense(position.Offset, deliveries[:min(size, len(deliveries))])
		if len(dense) == 0 {
			dense, _ = projection.Dense(gap-1, deliveries[:min(size, len(deliveries))])
		}
		batch, _ := projection.Project(position, state.Epoch, dense)
		_, err := store.Append(w.t.Context(), batch)
		w.must(err)
		position, deliveries = batch.Next, deliveries[len(dense):]
	}
	w.must(store.Close())
	return path
}

func (w *world) state() eventlog.State {
	w.t.Helper()
	state, err := eventlog.Open(w.js).State(w.t.Context())
	w.must(err)
	return state
}

func (w *world) reader(path string) readmodel.Reader {
	w.t.Helper()
	r, err := sqlite.OpenReader(w.t.Context(), path)
	w.must(err)
	w.t.Cleanup(func() { _ = r.Close() })
	return r
}

// content is all that a read model holds.
type content struct {
	position readmodel.Position
	rows     map[readmodel.Table][]readmodel.TableRow
}

func (w *world) content(path string) content {
	w.t.Helper()
	r := w.reader(path)
	position, err := r.Position(w.t.Context())
	w.must(err)
	c := content{position: position, rows: make(map[readmodel.Table][]readmodel.TableRow)}
	for _, table := range readmodel.Tables {
		for row, err := range r.Rows(w.t.Context(), table, 0, math.MaxUint64) {
			w.must(err)
			c.rows[table] = append(c.rows[table], row)
		}
	}
	for d, err := range r.Direct(w.t.Context()) {
		w.t.Errorf("%s: %v, %v", path, d, err)
	}
	return c
}

func (w *world) wantSame(path, other string) {
	w.t.Helper()
	if one, two := w.content(path), w.content(other); !reflect.DeepEqual(one, two) {
		w.t.Errorf("%+v\nand\n%+v", one.position, two.position)
		for _, table := range readmodel.Tables {
			w.t.Errorf("%s: %d and %d rows, the same: %t", table, len(one.rows[table]), len(two.rows[table]), reflect.DeepEqual(one.rows[table], two.rows[table]))
		}
	}
}

func (w *world) execute(path, statement string) {
	w.t.Helper()
	db, err := sql.Open("sqlite", path)
	w.must(err)
	_, err = db.Exec(statement)
	w.must(err)
	w.must(db.Close())
}

// prints are the contents of all files in a directory, hashed.
func prints(t testing.TB, dir string) map[string][sha256.Size]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string][sha256.Size]byte)
	for _, entry := range entries {
		if entry.IsDir() {
			continue
		}
		bytes, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		found[entry.Name()] = sha256.Sum256(bytes)
	}
	return found
}
