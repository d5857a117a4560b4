package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/modeltest"
	"github.com/tidemark-chat/tidemark/streams/readmodel/postgres"
	"github.com/tidemark-chat/tidemark/streams/readmodel/postgres/pgserver"
)

// server is one for all tests, each of which has a place of its own there.
var (
	server  = sync.OnceValues(func() (*pgserver.Server, error) { return pgserver.Start(context.Background(), pgserver.Options{}) })
	started atomic.Bool
	schemas atomic.Int64
)

func TestMain(m *testing.M) {
	code := m.Run()
	if started.Load() {
		if s, err := server(); err == nil {
			err = s.Stop()
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 1
			}
		}
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// database is the URL of a new and empty schema, which is made faster than a database.
func database(t testing.TB) string {
	t.Helper()
	started.Store(true)
	s, err := server()
	if err != nil {
		t.Fatal(err)
	}
	schema, url := fmt.Sprint("test_", schemas.Add(1)), s.URL("postgres")
	execute(t, url, "CREATE SCHEMA "+schema)
	return url + "?search_path=" + schema
}

func open(t testing.TB, url string) *postgres.Store {
	s, err := postgres.Open(context.Background(), url)
	if err != nil {
		t.Error(err)
		return nil
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func openReader(t testing.TB, url string) readmodel.Reader {
	t.Helper()
	r, err := postgres.OpenReader(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func execute(t testing.TB, url, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err == nil {
		_, err = conn.Exec(t.Context(), statement)
		err = errors.Join(err, conn.Close(context.Background()))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestStore(t *testing.T) {
	modeltest.TestStore(t, func(t *testing.T) modeltest.Place {
		url := database(t)
		return modeltest.Place{
			Open:    func(t *testing.T) readmodel.Store { return open(t, url) },
			Reader:  func(t *testing.T) readmodel.Reader { return openReader(t, url) },
			Execute: func(t *testing.T, statement string) { execute(t, url, statement) },
		}
	})
}

func TestADatabaseOfANewerVersionIsRefused(t *testing.T) {
	url := database(t)
	if err := open(t, url).Close(); err != nil {
		t.Fatal(err)
	}
	execute(t, url, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)`)
	_, err := postgres.Open(t.Context(), url)
	wantRefused(t, err, "version 99")
	_, err = postgres.OpenReader(t.Context(), url)
	wantRefused(t, err, "version 99")
}

// wantRefused wants a Permanent error that says something, and not the password.
func wantRefused(t *testing.T, err error, says string) {
	t.Helper()
	if !fault.Is(err, fault.Permanent) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hush") {
		t.Errorf("%v, want a permanent error with %q", err, says)
	}
}
