package signing

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func testExporter(t target) (*exporter, *said) {
	s := &said{}
	return newExporter(t, NewMetrics(prometheus.NewRegistry()), slog.New(slog.NewTextHandler(s, nil))), s
}

func TestAFileHasEachCheckpointBehindAnEmptyLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "checkpoints")
	for _, checkpoint := range []string{"one\n", "two\n", "three\n"} {
		e, _ := testExporter(Options{ExportPath: path}.target())
		stop := e.start()
		e.offer([]byte(checkpoint))
		stop()
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != "one\n\ntwo\n\nthree\n" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestBehindACheckpointThatWasCutOffIsAnEmptyLineToo(t *testing.T) {
	for before, want := range map[string]string{"": "two\n", "one\n": "one\n\ntwo\n", "o": "o\n\ntwo\n", "one\n\n": "one\n\n\ntwo\n"} {
		path := filepath.Join(t.TempDir(), "checkpoints")
		if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := file(path).send(t.Context(), []byte("two\n")); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("behind %q: %q, %v", before, got, err)
		}
	}
}

// To open a pipe that nobody reads would block.
func TestWhatIsNoRegularFileIsRefused(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, t.TempDir()} {
		options := Options{ExportPath: path}
		if err := options.CheckExport(); err == nil {
			t.Errorf("%s is allowed", path)
		}
		e, said := testExporter(options.target())
		stop := e.start()
		e.offer([]byte("one\n"))
		stop()
		if value(t, e.metrics.exportFailures) != 1 || said.count("WARN", "notary.export", "not a regular file") != 1 {
			t.Error(said.text.String())
		}
	}
}

func TestAFileThatCannotBeWrittenIsAFailure(t *testing.T) {
	options := Options{ExportPath: filepath.Join(t.TempDir(), "missing", "checkpoints")}
	if err := options.CheckExport(); err == nil || !strings.Contains(err.Error(), "no directory "+filepath.Dir(options.ExportPath)) {
		t.Errorf("without its directory: %v", err)
	}
	e, said := testExporter(options.target())
	stop := e.start()
	e.offer([]byte("one\n"))
	stop()
	if value(t, e.metrics.exportFailures) != 1 || said.count("WARN", "notary.export") != 1 {
		t.Error(said.text.String())
	}
}

func TestAnEndpointIsPostedPlainText(t *testing.T) {
	got := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		user, password, _ := r.BasicAuth()
		got <- strings.Join([]string{r.Method, r.URL.Path, r.Header.Get("Content-Type"), user, password, string(body)}, " ")
		w.WriteHeader(http.StatusCreated)
	}))
	defer server.Close()
	e, said := testExporter(Options{ExportURL: strings.Replace(server.URL, "//", "//u:p@", 1) + "/x"}.target())
	stop := e.start()
	e.offer([]byte("one\n"))
	stop()
	if want := "POST /x text/plain; charset=utf-8 u p one\n"; <-got != want || said.text.Len() > 0 {
		t.Errorf("want %q, said %s", want, said.text.String())
	}
}

func TestWhatAnEndpointRefusesIsAFailureThatTellsNoSecrets(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it followed a redirect") }))
	defer elsewhere.Close()
	closed := httptest.NewServer(nil)
	closed.Close()
	for name, handle := range map[string]http.HandlerFunc{
		"500 Internal Server Error": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"307 Temporary Redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		},
		"304 Not Modified":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) },
		"connection refused": nil,
	} {
		server := closed
		if handle != nil {
			server = httptest.NewServer(handle)
		}
		e, said := testExporter(newEndpoint(strings.Replace(server.URL, "//", "//u:hidden@", 1) + "/secret"))
		stop := e.start()
		e.offer([]byte("one\n"))
		stop()
		if value(t, e.metrics.exportFailures) != 1 || said.count("WARN", name) != 1 || said.count("hidden")+said.count("secret") != 0 {
			t.Errorf("%s: %s", name, said.text.String())
		}
		server.Close()
	}
}

func TestAnEndpointThatHangsIsCutOffAtTheEnd(t *testing.T) {
	arrived := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // so that the end of the connection is noticed
		close(arrived)
		<-r.Context().Done()
	}))
	defer server.Close()
	e, _ := testExporter(newEndpoint(server.URL))
	stop := e.start()
	e.offer([]byte("one\n"))
	<-arrived
	began := time.Now()
	e.offer([]byte("two\n"))
	e.offer([]byte("three\n"))
	if took := time.Since(began); took > stopWait/2 {
		t.Errorf("an offer took %v", took)
	}
	stop()
	if took := time.Since(began); took < stopWait || took > 2*stopWait {
		t.Errorf("the end took %v", took)
	}
}

// slow is a target in memory that takes a while and may fail.
type slow struct {
	takes time.Duration
	fails int
	got   []string
}

func (s *slow) send(ctx context.Context, checkpoint []byte) error {
	s.got = append(s.got, string(checkpoint))
	if !pause(ctx, s.takes) {
		return ctx.Err()
	}
	if s.fails > 0 {
		s.fails--
		return io.ErrUnexpectedEOF
	}
	return nil
}

func (*slow) close() {}

func TestTheNewestIsHandedOverAndWhatFailedIsTriedAgainUnlessThereIsANewerOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := &slow{takes: time.Second, fails: 3}
		e, said := testExporter(target)
		stop := e.start()
		for _, checkpoint := range []string{"1", "2", "3", "4"} {
			e.offer([]byte(checkpoint))
			synctest.Wait()
		}
		time.Sleep(2*exportRetry + 10*time.Second)
		e.offer([]byte("5"))
		time.Sleep(time.Hour)
		stop()
		if got := strings.Join(target.got, " "); got != "1 4 4 4 5" {
			t.Errorf("handed over %s", got)
		}
		if value(t, e.metrics.exportFailures) != 3 || said.count("WARN") != 1 {
			t.Errorf("said %s", said.text.String())
		}
	})
}

func TestTheEndWaitsForTheLastOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := &slow{takes: time.Second}
		e, said := testExporter(target)
		stop := e.start()
		e.offer([]byte("1"))
		began := time.Now()
		stop()
		if took := time.Since(began); took != target.takes || len(target.got) != 1 || said.text.Len() > 0 {
			t.Errorf("after %v: %v, said %s", took, target.got, said.text.String())
		}
	})
}

// stuck is a target that does not end when it is told to, as a file on a disk that hangs.
type stuck chan struct{}

func (s stuck) send(context.Context, []byte) error { <-s; return nil }

func (stuck) close() {}

func TestTheEndDoesNotWaitForATargetThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := make(stuck)
		e, said := testExporter(target)
		stop := e.start()
		e.offer([]byte("1"))
		began := time.Now()
		stop()
		if took := time.Since(began); took != stopWait+stopGrace || said.count("WARN", "hangs") != 1 {
			t.Errorf("after %v: said %s", took, said.text.String())
		}
		close(target)
	})
}
