package rebuild

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/streams/readmodel/postgres/pgserver"
	"github.com/tidemark-chat/tidemark/streams/readmodel/stores"
)

// postgresDatabases are the URLs of some empty databases of one server.
func postgresDatabases(t *testing.T, names ...string) (urls []string) {
	t.Helper()
	server, err := pgserver.Start(context.Background(), pgserver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	for _, name := range names {
		if err := server.CreateDatabase(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		urls = append(urls, server.URL(name))
	}
	return urls
}

func TestWhatIsRebuiltInPostgreSQLIsRowForRowWhatIsInSQLite(t *testing.T) {
	w := newWorld(t)
	w.eventful()
	urls := postgresDatabases(t, "one")
	live, file := w.persist(math.MaxUint64, 170), filepath.Join(t.TempDir(), "x.db")
	for _, step := range []struct{ into, live string }{{urls[0], live}, {file, urls[0]}} {
		reader, err := stores.OpenReader(t.Context(), step.live)
		w.must(err)
		report := w.run(Options{Into: step.into, Live: reader})
		if report.Found != 0 || report.Compared.Through != report.Last || report.Compared.Rows < 2700 {
			t.Errorf("%+v, %+v", report, report.Compared)
		}
		if strings.Contains(report.Into, step.into) == stores.IsPostgres(step.into) {
			t.Errorf("the password is shown: %s", report.Into)
		}
		w.must(reader.Close())
	}
	w.wantSame(file, live)
}

func TestAPostgreSQLDatabaseThatHoldsSomethingIsGoneOnWithOnlyIfAsked(t *testing.T) {
	w := newWorld(t)
	w.fill(100)
	into := postgresDatabases(t, "one")[0]
	w.run(Options{Into: into})
	w.fill(100)
	if _, err := Run(t.Context(), Options{JS: w.js, Into: into}); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("%v", err)
	}
	if report := w.run(Options{Into: into, Continue: true}); report.After != 100 || report.Events != 100 {
		t.Errorf("%+v", report)
	}
}

func TestOneDatabaseOfPostgreSQLIsRecognisedByAnyName(t *testing.T) {
	urls := postgresDatabases(t, "one", "two")
	for _, test := range []struct {
		a, b string
		same bool
	}{
		{urls[0], urls[0], true}, {urls[0], urls[1], false},
		{urls[0], strings.Replace(urls[0], "postgres://", "postgresql://", 1) + "?connect_timeout=7", true},
		{urls[0], strings.TrimSuffix(urls[0], "one") + "nowhere", false}, {urls[0], "x.db", false}, {"x.db", urls[0], false},
	} {
		if same, err := Same(t.Context(), test.a, test.b); same != test.same || err != nil {
			t.Errorf("%s, %s: %v, %v", test.a, test.b, same, err)
		}
	}
}
