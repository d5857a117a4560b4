package signing

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/notary"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// at is a projection that a test moves.
type at struct {
	js    jetstream.JetStream
	mine  atomic.Bool
	epoch atomic.Value
	last  atomic.Uint64
}

// follow makes the projection that is at the log's end.
func follow(t testing.TB, js jetstream.JetStream) *at {
	t.Helper()
	a := &at{js: js}
	a.mine.Store(true)
	a.move(t)
	return a
}

func (a *at) move(t testing.TB) {
	t.Helper()
	state, err := eventlog.Open(a.js).State(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	a.epoch.Store(state.Epoch)
	a.last.Store(state.Last)
}

func (a *at) projected() Projected {
	return Projected{Offset: a.last.Load(), Epoch: a.epoch.Load().(string), Mine: a.mine.Load()}
}

// real is a notary on a real log.
type real struct {
	*Notary
	said *said
	stop func() // and wait
}

func notarise(t testing.TB, js jetstream.JetStream, options Options, a *at) *real {
	t.Helper()
	r := &real{said: &said{}}
	r.Notary = New(options, NewMetrics(prometheus.NewRegistry()), slog.New(slog.NewTextHandler(r.said, nil)))
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		r.Run(ctx, js, a.projected)
	}()
	r.stop = func() { cancel(); <-stopped }
	t.Cleanup(func() {
		r.stop()
		if t.Failed() {
			t.Logf("the notary said:\n%s", r.said.text.String())
		}
	})
	return r
}

func (r *real) reaches(t testing.TB, size uint64) {
	t.Helper()
	eventually(t, fmt.Sprint("signed through ", size), func() bool { return r.Report().Size >= size })
}

func eventually(t testing.TB, what string, yes func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for until := time.After(20 * time.Second); !yes(); {
		select {
		case <-tick.C:
		case <-until:
			t.Fatalf("not in time: %s", what)
		}
	}
}

// impatient is a notary that signs at each look.
func impatient(t testing.TB) Options {
	options := testOptions(t)
	options.Interval = time.Millisecond
	return options
}

// entriesOf are all entries in AUDIT, none of which may be damaged.
func entriesOf(t testing.TB, js jetstream.JetStream) (entries []notary.Entry) {
	t.Helper()
	for e, err := range notary.OpenAudit(js).Entries(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
	return entries
}

// leavesOf are the log's leaves, event by event.
func leavesOf(t testing.TB, js jetstream.JetStream, n uint64) (leaves []tlog.Hash) {
	t.Helper()
	for offset := uint64(1); offset <= n; offset++ {
		leaf := notary.NoLeaf()
		if e, err := eventlog.Open(js).Get(context.Background(), offset); err == nil {
			leaf = notary.Leaf(&e)
		}
		leaves = append(leaves, leaf)
	}
	return leaves
}

func fill(t testing.TB, js jetstream.JetStream, n int) uint64 {
	t.Helper()
	return logtest.Fill(t, js, n, func(i int) event.Event { return logtest.Message(t, "general", fmt.Sprint("message ", i)) })
}

func TestARealLogIsSignedAndGoneOnWith(t *testing.T) {
	t.Parallel()
	js := logtest.Start(t).Provision(logtest.Config())
	options := impatient(t)
	options.ExportPath = filepath.Join(t.TempDir(), "checkpoints")
	last := uint64(0)
	for range 3 { // starts
		last = fill(t, js, 33)
		a := follow(t, js)
		r := notarise(t, js, options, a)
		r.reaches(t, last)
		last = fill(t, js, 4)
		a.move(t)
		r.stop()
		if r.Report().Size != last {
			t.Fatalf("%+v at the end, want %d", r.Report(), last)
		}
	}
	checkChain(t, entriesOf(t, js), leavesOf(t, js, last), options)
	exported, err := os.ReadFile(options.ExportPath)
	newest, err2 := notary.OpenAudit(js).Last(t.Context())
	if err != nil || err2 != nil || !strings.HasSuffix(string(exported), "\n\n"+newest.Signed) {
		t.Errorf("%v, %v, exported %s", err, err2, exported)
	}
}

func TestTwoNotariesAtOnceMakeOneChain(t *testing.T) {
	t.Parallel()
	js := logtest.Start(t).Provision(logtest.Config())
	options := impatient(t)
	a := follow(t, js)
	one, two := notarise(t, js, options, a), notarise(t, js, options, a)
	var last uint64
	for range 3 {
		last = fill(t, js, 300)
		a.move(t)
		one.reaches(t, last)
		two.reaches(t, last)
	}
	one.stop()
	two.stop()
	checkChain(t, entriesOf(t, js), leavesOf(t, js, last), options)
}

// holed is a log in which an offset is empty and another holds no event.
func holed(t *testing.T) (js jetstream.JetStream, last uint64) {
	js = logtest.Start(t).Connect()
	config := jetstream.StreamConfig{Name: eventlog.StreamName, Subjects: []string{"chat.>"}, AllowDirect: true, AllowAtomicPublish: true}
	stream, err := js.CreateStream(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, js, 20)
	damaged := logtest.Message(t, "general", "hi")
	m := damaged.Encode()
	m.Data = []byte("ho")
	if _, err := js.PublishMsg(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	last = fill(t, js, 10)
	for _, offset := range []uint64{1, 7, 8, last} {
		if err := stream.DeleteMsg(t.Context(), offset); err != nil {
			t.Fatal(err)
		}
	}
	return js, last
}

func TestHolesAndDamagedEventsHaveLeavesOfTheirOwn(t *testing.T) {
	t.Parallel()
	js, last := holed(t)
	options := impatient(t)
	r := notarise(t, js, options, follow(t, js))
	r.reaches(t, last)
	r.stop()
	if r.said.count("WARN", "nothing intact", "count=5") != 1 {
		t.Error("nothing was said of what is lost")
	}
	leaves := leavesOf(t, js, last)
	checkChain(t, entriesOf(t, js), leaves, options)
	for _, offset := range []uint64{1, 7, 8, 21, last} {
		if leaves[offset-1] != notary.NoLeaf() {
			t.Errorf("offset %d has a leaf", offset)
		}
	}
}

// behind is a log read from a replica that has only one room's messages.
type behind struct {
	jetstream.JetStream
	caughtUp atomic.Bool
}

func (b *behind) CreateConsumer(ctx context.Context, stream string, config jetstream.ConsumerConfig) (jetstream.Consumer, error) {
	if !b.caughtUp.Load() {
		config.FilterSubject = subject.Of(subject.Conversation{Kind: subject.Room, Name: "general"})
	}
	return b.JetStream.CreateConsumer(ctx, stream, config)
}

func TestWhatOnlyAReplicaIsWithoutIsNotSignedAsLost(t *testing.T) {
	t.Parallel()
	js := &behind{JetStream: logtest.Start(t).Provision(logtest.Config())}
	options := impatient(t)
	fill(t, js, 20)
	logtest.Publish(t, js, logtest.Message(t, "another", "hi"))
	last := fill(t, js, 10)
	r := notarise(t, js, options, follow(t, js))
	eventually(t, "a failure", func() bool { return value(t, r.metrics.failures) > 0 })
	if n := r.said.count("WARN", "holds offset 21"); n != 1 || r.Report().Size != 0 {
		t.Errorf("said %d times, %+v", n, r.Report())
	}
	js.caughtUp.Store(true)
	r.reaches(t, last)
	r.stop()
	checkChain(t, entriesOf(t, js), leavesOf(t, js, last), options)
}

func TestARealLogMadeAgainHasATreeOfItsOwn(t *testing.T) {
	t.Parallel()
	server := logtest.Start(t)
	js := server.Provision(logtest.Config())
	options := impatient(t)
	fill(t, js, 25)
	a := follow(t, js)
	r := notarise(t, js, options, a)
	r.reaches(t, 25)
	if err := js.DeleteStream(t.Context(), eventlog.StreamName); err != nil {
		t.Fatal(err)
	}
	server.Provision(logtest.Config())
	last := fill(t, js, 12)
	a.move(t)
	eventually(t, "the new log is signed", func() bool { return r.Report().Size == last })
	r.stop()
	entries := entriesOf(t, js)
	e := entries[len(entries)-1]
	c, err := notary.Verify([]byte(e.Signed), options.Key.Verifier)
	if err != nil || e.Began != 4 || c.Epoch != a.epoch.Load() || c.Root != naiveRoot(leavesOf(t, js, last)) {
		t.Errorf("%+v, %+v, %v", e, c, err)
	}
}

func TestALogThatComesBackAfterAWhileIsGoneOnWith(t *testing.T) {
	t.Parallel()
	server := logtest.Start(t)
	js := server.Provision(logtest.Config())
	options := impatient(t)
	fill(t, js, 25)
	a := follow(t, js)
	r := notarise(t, js, options, a)
	r.reaches(t, 25)
	server.Stop()
	a.last.Store(50) // what is projected is in the log, which is away
	eventually(t, "a failure", func() bool { return value(t, r.metrics.failures) > 0 })
	server.Restart()
	eventually(t, "the log is back", func() bool { return js.Conn().IsConnected() })
	fill(t, js, 25)
	r.reaches(t, 50)
	r.stop()
	checkChain(t, entriesOf(t, js), leavesOf(t, js, 50), options)
}
