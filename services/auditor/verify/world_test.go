package verify_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/services/auditor/verify"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/notary"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/projection"
	"github.com/tidemark-chat/tidemark/streams/readmodel/sqlite"
	"github.com/tidemark-chat/tidemark/streams/replay"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a log, a read model and a notary: all real, and each so that it can be tampered with.
type world struct {
	t      testing.TB
	random *rand.Rand
	js     jetstream.JetStream
	path   string // of the database
	model  *sqlite.Store
	key    notary.Key
	last   notary.Entry
	tree   notary.Tree
	said   int
}

func newWorld(t testing.TB, seed uint64) *world {
	w := &world{
		t: t, random: rand.New(rand.NewPCG(seed, 0)), js: logtest.Start(t).Connect(),
		path: filepath.Join(t.TempDir(), "model.db"), key: newKey(t, "tidemark"),
	}
	w.begin()
	w.must(notary.Provision(t.Context(), w.js, 1, slog.New(slog.DiscardHandler)))
	var err error
	w.model, err = sqlite.Open(t.Context(), w.path)
	w.must(err)
	t.Cleanup(func() { _ = w.model.Close() })
	return w
}

func newKey(t testing.TB, name string) notary.Key {
	key, err := notary.EnsureKey(filepath.Join(t.TempDir(), "notary.key"), name)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// begin makes a log from which events can be deleted.
func (w *world) begin() {
	_, err := w.js.CreateStream(context.Background(), jetstream.StreamConfig{
		Name: eventlog.StreamName, Subjects: []string{subject.All}, AllowDirect: true, AllowAtomicPublish: true, Duplicates: 2 * time.Hour,
	})
	w.must(err)
}

// publish stores a message as it is, and returns its offset.
func (w *world) publish(m *nats.Msg) uint64 {
	w.t.Helper()
	ack, err := w.js.PublishMsg(context.Background(), m)
	w.must(err)
	return ack.Sequence
}

// say stores random events of all kinds, none of them a finding.
func (w *world) say(n int) (last uint64) {
	w.t.Helper()
	return logtest.Fill(w.t, w.js, n, func(int) event.Event { return w.event() })
}

func (w *world) event() event.Event {
	w.said++
	c := subject.Conversation{Kind: subject.Room, Name: []string{"general", "a b", "\x1b[31m", strings.Repeat("ü", 100)}[w.random.IntN(4)]}
	id := uuid.Must(uuid.NewV7()).String()
	e := event.NewPosted(id, c, fmt.Sprintf("said %d \x00\x1b\u202e日本", w.said))
	switch w.random.IntN(12) {
	case 0:
		registered, err := event.NewRegistered(fmt.Sprint("user ", w.said), "Zoë\n")
		w.must(err)
		return registered
	case 1, 2, 3:
		e.Sender, e.SenderName, e.Recipient = w.user(), "a\tname", w.user()
		e.Conversation = subject.Conversation{Kind: subject.DM, Name: subject.PairName(e.Sender, e.Recipient)}
	case 4:
		e.Type = event.Type(fmt.Sprint("message.edited.", w.random.IntN(50)))
	}
	if w.random.IntN(2) == 0 {
		e.Scope, e.Key = event.Scope("user:"+e.Sender, e.Conversation), fmt.Sprint("key ", w.said)
	}
	e.Seal()
	return e
}

func (w *world) user() string { return fmt.Sprint("person ", w.random.IntN(5)) }

// lose makes a hole in the log.
func (w *world) lose(offset uint64) {
	w.t.Helper()
	stream, err := w.js.Stream(context.Background(), eventlog.StreamName)
	w.must(err)
	w.must(stream.SecureDeleteMsg(context.Background(), offset))
}

// project brings the read model up to date, as the persister does, in batches of any size.
func (w *world) project() {
	w.t.Helper()
	position, err := w.model.Position(context.Background())
	w.must(err)
	state := w.state()
	var dense []projection.Delivery
	write := func() {
		if len(dense) > 0 {
			batch, _ := projection.Project(position, state.Epoch, dense)
			_, err := w.model.Append(context.Background(), batch)
			w.must(err)
			position, dense = batch.Next, nil
		}
	}
	w.read(position.Offset, state.Last, func(r replay.Record) {
		if r.Missing > 0 || w.random.IntN(20) == 0 {
			write()
		}
		dense = append(dense, projection.Delivery{Offset: r.Offset, At: r.At,
			Stored: readmodel.Stored{Subject: r.Subject, Header: r.Header, Content: r.Content}})
	})
	write()
}

func (w *world) state() eventlog.State {
	w.t.Helper()
	state, err := eventlog.Open(w.js).State(context.Background())
	w.must(err)
	return state
}

func (w *world) read(after, through uint64, take func(replay.Record)) (missing uint64) {
	w.t.Helper()
	missing, err := replay.Log(context.Background(), w.js, after, through, func(r replay.Record) error {
		take(r)
		return nil
	})
	w.must(err)
	return missing
}

// sign signs what is not signed yet, in entries of at most so many leaves.
func (w *world) sign(every int) { w.t.Helper(); w.signBy(w.key, every) }

func (w *world) signBy(key notary.Key, every int) {
	w.t.Helper()
	for leaves := w.leaves(w.tree.Size()); len(leaves) > 0; {
		n := min(every, len(leaves))
		w.append(w.entry(key, leaves[:n]))
		leaves = leaves[n:]
	}
}

func (w *world) entry(key notary.Key, leaves []tlog.Hash) notary.Entry {
	w.t.Helper()
	e, err := notary.MakeEntry(w.last, &w.tree, leaves, w.state().Epoch, time.Now(), key)
	w.must(err)
	return e
}

// append stores an entry.
func (w *world) append(e notary.Entry) {
	w.t.Helper()
	w.must(notary.OpenAudit(w.js).Append(context.Background(), w.last.Sequence, &e))
	w.last = e
}

// leaves are those that the log has behind an offset.
func (w *world) leaves(after uint64) (leaves []tlog.Hash) {
	w.t.Helper()
	none := func(n uint64) {
		for range n {
			leaves = append(leaves, notary.NoLeaf())
		}
	}
	none(w.read(after, w.state().Last, func(r replay.Record) {
		none(r.Missing)
		if e, err := r.Event(); err != nil {
			none(1)
		} else {
			leaves = append(leaves, notary.Leaf(&e))
		}
	}))
	return leaves
}

// whole is a log of n events, with a read model and checkpoints that cover all of it.
func whole(t testing.TB, seed uint64, n int) *world {
	w := newWorld(t, seed)
	w.say(n)
	w.project()
	w.sign(10)
	return w
}

// change changes the database as its owner can, and must change one row.
func (w *world) change(statement string, args ...any) {
	w.t.Helper()
	db, err := sql.Open("sqlite", "file:"+w.path+"?_busy_timeout=5000")
	w.must(err)
	defer func() { w.must(db.Close()) }()
	result, err := db.Exec(statement, args...)
	w.must(err)
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		w.t.Fatalf("%s: %d rows, %v", statement, n, err)
	}
}

// options are those of a verification of all there is.
func (w *world) options() verify.Options {
	w.t.Helper()
	reader, err := sqlite.OpenReader(context.Background(), w.path)
	w.must(err)
	w.t.Cleanup(func() { _ = reader.Close() })
	return verify.Options{JS: w.js, Parts: verify.Parts, Reader: reader, Keys: []note.Verifier{w.key.Verifier}}
}

func (w *world) verify() *verify.Report {
	w.t.Helper()
	return verify.Run(context.Background(), w.options())
}

var discard = slog.New(slog.DiscardHandler)

// deletable is a stream of checkpoints from which some can be lost.
var deletable = jetstream.StreamConfig{Name: notary.StreamName, Subjects: []string{"audit.>"}, AllowDirect: true}
