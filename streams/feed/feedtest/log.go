package feedtest

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/embedded"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/feed"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/loopback"
)

// timeout is how long a test waits for what must come.
const timeout = 30 * time.Second

// log is a log that republishes, with a server whose files a test can exchange. The
// content of each of its events is its offset.
type log struct {
	t      testing.TB
	config embedded.Config
	server *embedded.Server
	js     jetstream.JetStream
	last   uint64
}

// newLog makes a log, from which, unlike from any other, messages can be deleted.
func newLog(t testing.TB) *log {
	t.Helper()
	l := &log{t: t, config: embedded.Config{Dir: t.TempDir(), Listen: loopback.Address()}}
	l.start()
	t.Cleanup(l.stop)
	l.js = connect(t, l.server.URL(), timeout)
	l.create()
	return l
}

func (l *log) create() {
	l.t.Helper()
	_, err := l.js.CreateStream(context.Background(), jetstream.StreamConfig{
		Name: eventlog.StreamName, Subjects: []string{"chat.>"}, AllowDirect: true, AllowAtomicPublish: true,
		RePublish: &jetstream.RePublish{Source: "chat.>", Destination: "feed.>"},
	})
	if err != nil {
		l.t.Fatal(err)
	}
	l.last = 0
}

func (l *log) start() {
	l.t.Helper()
	var err error
	if l.server, err = embedded.Start(l.config); err != nil {
		l.t.Fatal(err)
	}
	l.config.Listen = l.server.URL()[len("nats://"):]
}

func (l *log) stop() {
	if l.server != nil {
		l.server.Stop()
		l.server = nil
	}
}

// copy copies the files of a server that does not run.
func (l *log) copy() (dir string) {
	l.t.Helper()
	dir = l.t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(l.config.Dir)); err != nil {
		l.t.Fatal(err)
	}
	return dir
}

// post stores n events, one by one.
func (l *log) post(n int) {
	l.t.Helper()
	for range n {
		l.store(fmt.Sprint(l.last + 1))
	}
}

// store stores an event, again and again until that is acked: a server that has just
// stopped, or come back, leaves publishes unanswered.
func (l *log) store(content string) {
	l.t.Helper()
	e := logtest.Message(l.t, "general", content)
	for deadline := time.Now().Add(timeout); ; {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		ack, err := l.js.PublishMsg(ctx, e.Encode(), jetstream.WithMsgID(e.ID))
		cancel()
		if err == nil {
			l.last = ack.Sequence
			return
		}
		if time.Now().After(deadline) {
			l.t.Fatal(err)
		}
		<-time.After(10 * time.Millisecond)
	}
}

// fill stores many events, and soon.
func (l *log) fill(n int) {
	l.t.Helper()
	from := l.last
	l.last = logtest.Fill(l.t, l.js, n, func(i int) event.Event {
		return logtest.Message(l.t, "general", fmt.Sprint(from+uint64(i)+1))
	})
}

func (l *log) remove(offsets ...uint64) {
	l.t.Helper()
	stream, err := l.js.Stream(context.Background(), eventlog.StreamName)
	for _, offset := range offsets {
		if err == nil {
			err = stream.DeleteMsg(context.Background(), offset)
		}
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

// consumers is how many the log has.
func (l *log) consumers() int {
	l.t.Helper()
	stream, err := l.js.Stream(context.Background(), eventlog.StreamName)
	if err != nil {
		l.t.Fatal(err)
	}
	return stream.CachedInfo().State.Consumers
}

// Connect makes a connection that comes back soon, and is closed with the test.
func Connect(t testing.TB, url string) jetstream.JetStream {
	t.Helper()
	return connect(t, url, 2*time.Second)
}

// connect makes one whose requests wait for an answer that long.
func connect(t testing.TB, url string, patience time.Duration) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect(url, nats.MaxReconnects(-1), nats.ReconnectBufSize(-1), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}),
		nats.ReconnectWait(20*time.Millisecond), nats.ReconnectJitter(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(patience))
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// Quiet is for feeds that have nothing to say.
var Quiet = slog.New(slog.DiscardHandler)

// follower runs a feed until the test ends.
type follower struct {
	t       testing.TB
	records chan feed.Record
	ended   chan error
	cancel  context.CancelFunc
	// hold is taken by apply for each record: while a test has it, apply is slow.
	hold chan struct{}
}

func follow(t testing.TB, f feed.Feed, after uint64) *follower {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w := &follower{t: t, records: make(chan feed.Record, 100_000), ended: make(chan error, 1), cancel: cancel, hold: make(chan struct{}, 1)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.ended <- f.Run(ctx, after, func(r feed.Record) {
			w.hold <- struct{}{}
			w.records <- r
			<-w.hold
		})
	}()
	t.Cleanup(func() { cancel(); <-done })
	return w
}

func (w *follower) next() feed.Record {
	w.t.Helper()
	select {
	case r := <-w.records:
		return r
	case err := <-w.ended:
		w.t.Fatalf("the feed ended: %v", err)
	case <-time.After(timeout):
		w.t.Fatal("no record came")
	}
	return feed.Record{}
}

// expect takes the records from one offset to another.
func (w *follower) expect(from, through uint64) {
	w.t.Helper()
	for o := from; o <= through; o++ {
		if r := w.next(); r.Event.Offset != o || r.Missing != 0 || r.Damaged != nil || r.Event.Content != fmt.Sprint(o) {
			w.t.Fatalf("got %+v, want offset %d", r, o)
		}
	}
}

// end waits for Run to return.
func (w *follower) end() error {
	w.t.Helper()
	select {
	case err := <-w.ended:
		return err
	case <-time.After(timeout):
		w.t.Fatal("the feed goes on")
		return nil
	}
}

// nothing makes sure that all that was applied was taken.
func (w *follower) nothing() {
	w.t.Helper()
	select {
	case r := <-w.records:
		w.t.Errorf("got %+v", r)
	default:
	}
}
