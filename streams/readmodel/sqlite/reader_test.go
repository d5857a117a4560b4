package sqlite_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/modeltest"
	"github.com/tidemark-chat/tidemark/streams/readmodel/sqlite"
)

func openReader(t testing.TB, path string) readmodel.Reader {
	t.Helper()
	r, err := sqlite.OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// stopped is the file of a store of n messages, which has been closed.
func stopped(t testing.TB, n uint64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.db")
	s := open(t, path)
	var events []event.Event
	for o := uint64(1); o <= n; o++ {
		events = append(events, modeltest.Event(o, room(int(o%7)), "x"))
	}
	modeltest.Project(t, s, events...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func offsets(t testing.TB, r readmodel.Reader, table readmodel.Table) (list []uint64) {
	t.Helper()
	for row, err := range r.Rows(t.Context(), table, 0, math.MaxUint64) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, row.Offset)
	}
	return list
}

// files are the names and sizes in the directory of a database.
func files(t testing.TB, path string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, fmt.Sprint(entry.Name(), " ", info.Size(), " ", info.ModTime()))
	}
	return list
}

func TestAReaderOfAStoppedReadModelLeavesNoTrace(t *testing.T) {
	path := stopped(t, 10)
	before := files(t, path)
	r := openReader(t, path)
	if got := offsets(t, r, readmodel.Messages); len(got) != 10 {
		t.Errorf("%v", got)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if after := files(t, path); !slices.Equal(before, after) || len(after) != 1 {
		t.Errorf("%q, before %q", after, before)
	}
}

func TestAReaderInTheMiddleOfAStartIsToldToTryAgain(t *testing.T) {
	path := stopped(t, 10)
	r := openReader(t, path)
	s := open(t, path)
	modeltest.Project(t, s, modeltest.Event(11, room(1), "x"))
	if err := s.Close(); err != nil { // now the file itself has been written to
		t.Fatal(err)
	}
	if _, err := r.Position(t.Context()); !fault.Is(err, fault.Temporary) {
		t.Errorf("position: %v", err)
	}
	var last error
	for _, err := range r.Rows(t.Context(), readmodel.Messages, 0, 10) {
		last = err
	}
	if !fault.Is(last, fault.Temporary) {
		t.Errorf("rows: %v", last)
	}
}

func TestWhateverGoesWrongInAFileThatIsWrittenToIsSaidToBeThat(t *testing.T) {
	path := stopped(t, 10)
	r := openReader(t, path)
	if err := os.WriteFile(path, []byte(strings.Repeat("half of a copy ", 999)), 0o600); err != nil {
		t.Fatal(err)
	}
	wantWritten := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, sqlite.ErrWritten) || !fault.Is(err, fault.Temporary) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, err := range r.Rows(t.Context(), readmodel.Users, 0, 10) {
		wantWritten("rows", err)
	}
	for _, err := range r.Strays(t.Context(), readmodel.Messages) {
		wantWritten("strays", err)
	}
	for _, err := range r.Direct(t.Context()) {
		wantWritten("direct", err)
	}
	_, err := r.KeyAt(t.Context(), "scope", "key")
	wantWritten("key", err)
}

func TestAReaderOfAReadModelWhosePersisterWasKilledSeesItsLastCommits(t *testing.T) {
	path, copied := filepath.Join(t.TempDir(), "x.db"), filepath.Join(t.TempDir(), "y.db")
	s := open(t, path)
	modeltest.Project(t, s, modeltest.Event(1, room(1), "x"))
	for _, suffix := range []string{"", "-wal", "-shm"} {
		content, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(copied+suffix, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := offsets(t, openReader(t, copied), readmodel.Messages); len(got) != 1 {
		t.Errorf("%v", got)
	}
}

func TestAReaderOpensOnlyReadModelsThatItKnows(t *testing.T) {
	at := func(make func(path string)) string {
		path := filepath.Join(t.TempDir(), "x.db")
		make(path)
		return path
	}
	for name, test := range map[string]struct{ path, want string }{
		"nothing":   {at(func(string) {}), "no such file"},
		"directory": {t.TempDir(), "no file"},
		"empty":     {at(func(path string) { _ = os.WriteFile(path, nil, 0o600) }), "not a read model"},
		"text":      {at(func(path string) { _ = os.WriteFile(path, []byte(strings.Repeat("text ", 999)), 0o600) }), "not a database"},
		"other":     {at(func(path string) { execute(t, path, `CREATE TABLE messages (x)`) }), "not a read model"},
		"too old":   {at(func(path string) { sqlite.MigrateTo(t, path, 1) }), "not a read model"},
		"too new": {at(func(path string) {
			_ = open(t, path).Close()
			execute(t, path, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)`)
		}), "version 99"},
	} {
		before := files(t, test.path)
		r, err := sqlite.OpenReader(t.Context(), test.path)
		if err == nil {
			_ = r.Close()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), test.path) {
			t.Errorf("%s: %v", name, err)
		}
		if after := files(t, test.path); !slices.Equal(before, after) {
			t.Errorf("%s: %q, before %q", name, after, before)
		}
	}
}

func TestAReaderReadsTheTablesOfTheVersionBefore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	sqlite.MigrateTo(t, path, 2)
	for _, offset := range []int{3, 1, 2} {
		execute(t, path, fmt.Sprintf(`INSERT INTO messages VALUES ('room:a', %d, '', 0, '', '', '', '', NULL, '', '')`, offset))
	}
	if got := offsets(t, openReader(t, path), readmodel.Messages); !slices.Equal(got, []uint64{1, 2, 3}) {
		t.Errorf("%v", got)
	}
}

func TestRowsAreFoundByTheirOffsets(t *testing.T) {
	for text, plan := range sqlite.RowPlans(t, openReader(t, stopped(t, 1))) {
		plan = strings.ReplaceAll(plan, "SCAN checkpoint", "") // it has one row
		if strings.Contains(plan, "SCAN ") || strings.Contains(plan, "TEMP B-TREE") {
			t.Errorf("%s\nplan: %s", text, plan)
		}
	}
}

// SQLite keeps any value in any column.
func TestAnyValueIsReadAsText(t *testing.T) {
	path := stopped(t, 10)
	execute(t, path, `UPDATE messages SET content = CAST(content AS BLOB), at = 'noon', "key" = x'ff00' WHERE "offset" = 2`)
	execute(t, path, `UPDATE messages SET "offset" = 3.5, at = 1e300 WHERE "offset" = 3`)
	execute(t, path, `UPDATE messages SET "offset" = 'five' WHERE "offset" = 5`)
	execute(t, path, `UPDATE messages SET "offset" = x'06' WHERE "offset" = 6`)
	execute(t, path, `UPDATE messages SET "offset" = 0.5 WHERE "offset" = 7`)
	r := openReader(t, path)
	want := func(yield func(readmodel.TableRow, error) bool) {
		for o := uint64(1); o <= 10; o++ {
			e := modeltest.Event(o, room(int(o%7)), "x")
			if !yield(readmodel.MessageRow(&e), nil) {
				return
			}
		}
	}
	var found []string
	for d, err := range readmodel.Compare(readmodel.Messages, want, r.Rows(t.Context(), readmodel.Messages, 0, 10)) {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, fmt.Sprint(d.Kind, " ", d.Offset, " ", d.Columns))
	}
	if want := []string{"alters 2 [at key content]", "alters 3 [offset at]", "lacks 5 []", "lacks 6 []", "lacks 7 []"}; !slices.Equal(found, want) {
		t.Errorf("%q, want %q", found, want)
	}
	var strays []string
	for row, err := range r.Strays(t.Context(), readmodel.Messages) {
		if err != nil || row.Offset != 0 {
			t.Fatal(row, err)
		}
		strays = append(strays, row.Values[1].String)
	}
	if slices.Sort(strays); !slices.Equal(strays, []string{"\x06", "0.5", "five"}) {
		t.Errorf("%q", strays)
	}
}

func TestACheckpointThatCannotBeReadIsSaidToBeCorrupt(t *testing.T) {
	for _, change := range []string{
		`DELETE FROM checkpoint`, `UPDATE checkpoint SET "offset" = 'far'`, `UPDATE checkpoint SET "offset" = -1`,
		`UPDATE checkpoint SET at = 'noon'`, `UPDATE checkpoint SET digest = 'x'`,
	} {
		path := stopped(t, 1)
		execute(t, path, change)
		if p, err := openReader(t, path).Position(t.Context()); !fault.Is(err, fault.Corrupt) {
			t.Errorf("%s: %+v, %v", change, p, err)
		}
	}
}

// BenchmarkRows reads 200,000 messages.
func BenchmarkRows(b *testing.B) {
	const n = 200_000
	s := filled(b, n, 2000)
	r := openReader(b, s.Name())
	for b.Loop() {
		if got := len(offsets(b, r, readmodel.Messages)); got != n {
			b.Fatal(got)
		}
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
