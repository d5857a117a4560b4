package persister

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/streams/embedded"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/loopback"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/sqlite"
)

// A copy of the log's files is taken at offset 5 and the database is made at
// offset 10. Then the log becomes another one.
func TestADatabaseOfAnotherLogIsRefused(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(t *testing.T, l *logFiles)
		says   []string
	}{
		{"made again", func(t *testing.T, l *logFiles) {
			if err := l.js.DeleteStream(t.Context(), eventlog.StreamName); err != nil {
				t.Fatal(err)
			}
			l.provision()
			l.publish(20)
		}, []string{"the database is of epoch", "the log of epoch"}},
		{"an older copy", func(t *testing.T, l *logFiles) { l.restore() },
			[]string{"the database is at offset 10", "the log ends at 5"}},
		{"an older copy that went on", func(t *testing.T, l *logFiles) { l.restore(); l.publish(20) },
			[]string{"at offset 10 the database has an event of", "the log one of"}},
		{"an older copy, marked by the operator", func(t *testing.T, l *logFiles) { l.restore(); l.mark(); l.publish(20) },
			[]string{"the database is of epoch"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := startFiles(t)
			l.publish(5)
			l.copy()
			l.publish(5)
			path := database(t)
			p := run(t, testOptions(l.server.URL(), path))
			p.reaches(10)
			p.stop()
			before := everything(t, path)
			if found, err := originCheck(t, l.server.URL(), path); err != nil || !strings.Contains(found, "agree at offset 10") {
				t.Errorf("check: %q, %v", found, err)
			}

			test.change(t, l)
			if _, err := originCheck(t, l.server.URL(), path); !errors.Is(err, ErrOtherLog) || !strings.Contains(err.Error(), test.says[0]) {
				t.Errorf("check: %v", err)
			}
			err := run(t, testOptions(l.server.URL(), path)).fails()
			if !errors.Is(err, ErrOtherLog) {
				t.Fatal(err)
			}
			for _, want := range append(test.says, path, "move that database away") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v: says nothing of %q", err, want)
				}
			}
			if everything(t, path) != before {
				t.Error("the database was changed")
			}
		})
	}
}

// originCheck is what persister check finds of a database and a log.
func originCheck(t *testing.T, url, path string) (string, error) {
	t.Helper()
	cfg := config.Default()
	cfg.DataDir, cfg.NATS.URL = filepath.Dir(path), config.URL(url)
	all, err := Checks(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return all[len(all)-1].Run(t.Context())
}

func TestCheckRefusesADatabaseWhoseLogIsGone(t *testing.T) {
	l := startFiles(t)
	path := database(t)
	if found, err := originCheck(t, l.server.URL(), path); err != nil || found != "it holds nothing yet" {
		t.Errorf("before the first start: %q, %v", found, err)
	}
	l.publish(5)
	p := run(t, testOptions(l.server.URL(), path))
	p.reaches(5)
	p.stop()
	if err := l.js.DeleteStream(t.Context(), eventlog.StreamName); err != nil {
		t.Fatal(err)
	}
	if _, err := originCheck(t, l.server.URL(), path); !errors.Is(err, ErrOtherLog) || !strings.Contains(err.Error(), "there is no log") {
		t.Error(err)
	}
}

func TestAnEpochThatChangesWhileRunningStops(t *testing.T) {
	l := startFiles(t)
	l.publish(5)
	p := run(t, testOptions(l.server.URL(), database(t)))
	p.reaches(5)
	l.mark()
	if err := p.fails(); !errors.Is(err, ErrOtherLog) {
		t.Error(err)
	}
}

// overtaken is a store whose checkpoint another persister moves just before it is
// read.
type overtaken struct {
	readmodel.Store
	another func()
}

func (o overtaken) Position(ctx context.Context) (readmodel.Position, error) {
	o.another()
	return o.Store.Position(ctx)
}

func TestACheckpointThatAnotherMovesMeanwhileIsOfTheSameLog(t *testing.T) {
	server := logtest.Start(t)
	js := server.Provision(logtest.Config())
	options := testOptions(server.URL(), database(t))
	active := run(t, options)
	active.reaches(logtest.Publish(t, js, logtest.Message(t, "general", "hi")))

	p, err := New(options, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	link, err := p.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer link.close()
	store, err := sqlite.Open(t.Context(), options.Database)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	s := &session{worker: &worker{Persister: p, link: link, store: overtaken{store, func() {
		active.reaches(logtest.Publish(t, js, logtest.Message(t, "general", "hi")))
	}}}}
	defer s.stopQueries()
	if err := s.begin(t.Context()); err != nil {
		t.Errorf("at its beginning: %v", err)
	}
	if err := s.look(t.Context(), true); err != nil {
		t.Errorf("later: %v", err)
	}
}

func TestAnEmptyDatabaseFitsAnyLog(t *testing.T) {
	l := startFiles(t)
	p := run(t, testOptions(l.server.URL(), database(t)))
	p.becomes(waiting)
	l.mark()
	p.becomes(recovering)
	p.becomes(waiting)
	l.publish(5)
	p.reaches(5)
}

// logFiles is a log whose files can be copied and put back.
type logFiles struct {
	t         *testing.T
	dir, kept string
	server    *embedded.Server
	listen    string
	js        jetstream.JetStream
}

func startFiles(t *testing.T) *logFiles {
	dir := t.TempDir()
	l := &logFiles{t: t, dir: filepath.Join(dir, "log"), kept: filepath.Join(dir, "copy"), listen: loopback.Address()}
	l.start()
	l.provision()
	t.Cleanup(func() { l.server.Stop() })
	return l
}

func (l *logFiles) start() {
	var err error
	if l.server, err = embedded.Start(embedded.Config{Dir: l.dir, Listen: l.listen}); err != nil {
		l.t.Fatal(err)
	}
	nc, js, err := eventlog.Connect(l.server.URL(), "test", discard)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(nc.Close)
	l.js = js
}

func (l *logFiles) provision() {
	if err := eventlog.Provision(l.t.Context(), l.js, logtest.Config(), discard); err != nil {
		l.t.Fatal(err)
	}
}

func (l *logFiles) publish(n int) {
	for range n {
		logtest.Publish(l.t, l.js, logtest.Message(l.t, "general", "hi"))
	}
}

func (l *logFiles) copy() {
	l.js.Conn().Close()
	l.server.Stop()
	if err := os.CopyFS(l.kept, os.DirFS(l.dir)); err != nil {
		l.t.Fatal(err)
	}
	l.start()
}

func (l *logFiles) restore() {
	l.js.Conn().Close()
	l.server.Stop()
	if err := os.RemoveAll(l.dir); err != nil {
		l.t.Fatal(err)
	}
	if err := os.Rename(l.kept, l.dir); err != nil {
		l.t.Fatal(err)
	}
	l.start()
}

// mark does what an operator does after putting back an older copy.
func (l *logFiles) mark() {
	stream, err := l.js.Stream(l.t.Context(), eventlog.StreamName)
	if err != nil {
		l.t.Fatal(err)
	}
	config := stream.CachedInfo().Config
	config.Metadata["tidemark-epoch"] = "2"
	if _, err := l.js.UpdateStream(l.t.Context(), config); err != nil {
		l.t.Fatal(err)
	}
}
