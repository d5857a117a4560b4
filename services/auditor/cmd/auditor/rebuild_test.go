package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/services/auditor/rebuild"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/sqlite"
)

func TestRebuildAsItsUsersCallIt(t *testing.T) {
	server := logtest.Start(t)
	logtest.Fill(t, server.Provision(logtest.Config()), 30, func(int) event.Event {
		return logtest.Message(t, "general", "hi")
	})
	dir := t.TempDir()
	t.Setenv("TIDEMARK_DATA_DIR", dir)
	into := func(name string) string { return "sqlite:" + filepath.Join(dir, name) }
	expect := func(code int, want string, args ...string) outcome {
		t.Helper()
		got := call(t, server.URL(), append([]string{"rebuild"}, args...)...)
		if got.code != code || !strings.Contains(got.stdout+got.stderr, want) {
			t.Errorf("%v: %d\n%s%s\nwant %d, %s", args, got.code, got.stdout, got.stderr, code, want)
		}
		return got
	}
	expect(2, "--into is missing")
	if got := expect(2, "failed to connect", "--no-compare", "--into", "postgres://u:secret@127.0.0.1:1/db"); strings.Contains(got.stderr, "secret") {
		t.Errorf("the password is told: %s", got.stderr)
	}
	expect(2, "sqlite:<path>", "--into", filepath.Join(dir, "x.db"))
	expect(2, "sqlite:<path>", "--into", "sqlite:")
	expect(2, "to rebuild without comparing, give --no-compare", "--into", into("x.db"))
	expect(2, "the place of the read model in use", "--into", into("tidemark.db"), "--no-compare")
	expect(0, "rebuilt, not compared", "--into", into("x.db"), "--no-compare")
	expect(2, "it is not empty", "--into", into("x.db"), "--no-compare")

	// As the help says: the file is put in the place of the one in use.
	if err := os.Rename(filepath.Join(dir, "x.db"), filepath.Join(dir, "tidemark.db")); err != nil {
		t.Fatal(err)
	}
	expect(2, "the place of the read model in use", "--into", into("tidemark.db"), "--continue")
	same := expect(0, "the live read model is what the log makes it", "--into", into("y.db"))
	if !strings.Contains(same.stdout, "offsets 1 to 30: 30 events, 0 dead letters, 0 skipped") {
		t.Error(same.stdout)
	}
	goBeyond(t, filepath.Join(dir, "tidemark.db"))
	expect(1, "31: the live read model goes up to here, and the log ends at offset 30", "--into", into("y.db"), "--continue")
	var report rebuild.Report
	got := expect(1, "", "--into", into("z.db"), "--format", "json")
	if err := json.Unmarshal([]byte(got.stdout), &report); err != nil || report.Found != len(report.Findings) || report.Found == 0 || report.Events != 30 {
		t.Errorf("%+v, %v", report, err)
	}
}

// goBeyond appends to a read model what the log does not hold.
func goBeyond(t *testing.T, path string) {
	t.Helper()
	store, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	previous, err := store.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e := logtest.Message(t, "general", "never said")
	e.Offset, e.At = 31, previous.At
	next := previous
	next.Offset = 31
	if _, err := store.Append(t.Context(), readmodel.Batch{Previous: previous, Next: next, Messages: []readmodel.Row{{Event: e}}}); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}
