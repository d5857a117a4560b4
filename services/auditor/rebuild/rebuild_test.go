package rebuild

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/sqlite"
)

func (w *world) run(o Options) *Report {
	w.t.Helper()
	o.JS = w.js
	report, err := Run(w.t.Context(), o)
	w.must(err)
	return report
}

func TestWhatIsRebuiltIsThePersistersRowForRow(t *testing.T) {
	w := newWorld(t)
	w.eventful()
	into := filepath.Join(t.TempDir(), "x.db")
	live := w.persist(math.MaxUint64, 170)
	before := prints(t, filepath.Dir(live))
	report := w.run(Options{Into: into, Live: w.reader(live)})
	w.wantSame(into, live)
	if report.Found != 0 || report.Compared.Through != report.Last || report.Compared.Rows < 2700 {
		t.Errorf("%+v, %+v", report, report.Compared)
	}
	// Dead letters: the first offset, a user, a key, a damaged event, one that is none, a misplaced one, three holes.
	if report.DeadLetters != 9 || report.Skipped != 2 || report.Events != 2710 || report.MissingAtEnd != 0 {
		t.Errorf("%+v", report)
	}
	if after := prints(t, filepath.Dir(live)); !reflect.DeepEqual(after, before) {
		t.Error("the live read model was changed, or something was left beside it")
	}
	if files := prints(t, filepath.Dir(into)); len(files) != 1 {
		t.Errorf("%d files are left", len(files))
	}
}

// stopping is a store whose writer is told to stop after some batches.
type stopping struct {
	readmodel.Store
	batches int
	stop    func()
}

func (s *stopping) Append(ctx context.Context, b readmodel.Batch) ([]readmodel.DeadLetter, error) {
	if s.batches--; s.batches == 0 {
		s.stop()
	}
	return s.Store.Append(ctx, b)
}

func TestAnInterruptedRebuildGoesOnToTheSame(t *testing.T) {
	w := newWorld(t)
	w.eventful()
	into := filepath.Join(t.TempDir(), "x.db")
	store, err := sqlite.Open(t.Context(), into)
	w.must(err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	state := w.state()
	f := &filler{store: &stopping{store, 2, cancel}, epoch: state.Epoch, report: &Report{}}
	if err := f.run(ctx, w.js, state.Last); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	w.must(store.Close())
	stopped := w.content(into).position.Offset
	if stopped == 0 || stopped == state.Last || stopped != f.position.Offset {
		t.Fatalf("stopped at %d of %d, said %d", stopped, state.Last, f.position.Offset)
	}
	if _, err := Run(t.Context(), Options{JS: w.js, Into: into}); !errors.Is(err, ErrNotEmpty) || !strings.Contains(err.Error(), "--continue") {
		t.Errorf("without --continue: %v", err)
	}
	live := w.persist(math.MaxUint64, 1000)
	for _, after := range []uint64{stopped, state.Last} { // the second time there is nothing left to do
		if report := w.run(Options{Into: into, Continue: true, Live: w.reader(live)}); report.Found != 0 || report.After != after {
			t.Errorf("%+v", report)
		}
		w.wantSame(into, live)
	}
}

func TestARebuildThatIsStoppedSaysHowToGoOn(t *testing.T) {
	w := newWorld(t)
	w.fill(10)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	into := filepath.Join(t.TempDir(), "x.db")
	if _, err := Run(ctx, Options{JS: w.js, Into: into}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	w.run(Options{Into: into, Continue: true}) // also if it has not come to anything
	w.wantSame(into, w.persist(math.MaxUint64, 100))
}

func TestWhatIsWrongInTheLiveReadModelIsFound(t *testing.T) {
	w := newWorld(t)
	w.eventful()
	live := w.persist(math.MaxUint64, 1000)
	last := w.state().Last
	taken := w.content(live).rows[readmodel.DeadLetters][2].Offset
	for _, statement := range []string{
		`UPDATE messages SET content = 'other' WHERE "offset" = 100`,
		`DELETE FROM messages WHERE "offset" = 200`,
		`UPDATE messages SET sender_name = CAST(sender_name AS BLOB) WHERE "offset" = 300`,
		`INSERT INTO messages VALUES ('room:z', 1, 'id', 0, '', '', '', '', NULL, 'added', '')`,
		fmt.Sprintf(`INSERT INTO messages VALUES ('room:z', %d, 'id', 0, '', '', '', '', NULL, 'beyond', '')`, last+1),
		`INSERT INTO messages VALUES ('room:z', 'nowhere', 'id', 0, '', '', '', '', NULL, 'nowhere', '')`,
		`UPDATE users SET name = 'other'`,
		fmt.Sprintf(`UPDATE dead_letter SET reason = 'none' WHERE "offset" = %d`, taken),
		`UPDATE direct SET last = 3 WHERE user_id = 'zoë'`,
		`UPDATE checkpoint SET at = at + 1`,
	} {
		w.execute(live, statement)
	}
	report := w.run(Options{Into: filepath.Join(t.TempDir(), "x.db"), Live: w.reader(live)})
	var text strings.Builder
	w.must(report.WriteText(&text))
	for _, want := range []string{
		`100: messages has a row altered: content is "other" and must be "x"`,
		`200: messages lacks a row (conversation "room:`,
		`300: messages has a row altered: sender_name is "", of another type,`,
		`1: messages has a row that does not belong there (conversation "room:z"`,
		fmt.Sprintf(`%d: messages has a row that does not belong there (conversation "room:z", sender_name "", content "beyond")`, last+1),
		`0: messages has a row that does not belong there (conversation "room:z", sender_name "", content "nowhere")`,
		`2: users has a row altered: name is "other" and must be "a second Zoë"`,
		fmt.Sprintf(`%d: dead_letter has a row altered: reason is "none"`, taken),
		`5: direct: conversation "dm:`,
		fmt.Sprintf(`%d: the checkpoint is of an event of`, last),
		"10 differences\n",
	} {
		if !strings.Contains(text.String(), "\n"+want) {
			t.Errorf("not said: %s", want)
		}
	}
	if report.Found != 10 || t.Failed() {
		t.Errorf("%d found:\n%s", report.Found, text.String())
	}
}

func TestTheTwoAreComparedAsFarAsBothGo(t *testing.T) {
	w := newWorld(t)
	last := w.fill(50)
	live := w.persist(last, 10)
	w.fill(50)
	report := w.run(Options{Into: filepath.Join(t.TempDir(), "x.db"), Live: w.reader(live)})
	if report.Found != 0 || report.Compared.Through != last || report.Through != last+50 {
		t.Errorf("%+v, %+v", report, report.Compared)
	}
	live = w.persist(math.MaxUint64, 10)
	w.remove(last+49, last+50) // then the log has lost its end, in part
	report = w.run(Options{Into: filepath.Join(t.TempDir(), "x.db"), Live: w.reader(live)})
	if got := found(report); report.Compared.Through != last+50 || report.MissingAtEnd != 2 || len(got) != 3 ||
		got[0] != fmt.Sprint(last+49, " the log holds nothing at its last 2 offsets: it has lost its end") ||
		!strings.HasPrefix(got[1], fmt.Sprint(last+49, " messages has a row that does not belong")) || !strings.HasPrefix(got[2], fmt.Sprint(last+50, " messages has")) {
		t.Errorf("%+v, %q", report.Compared, got)
	}
	w.execute(live, fmt.Sprintf(`UPDATE checkpoint SET "offset" = %d`, last+60))
	report = w.run(Options{Into: filepath.Join(t.TempDir(), "x.db"), Live: w.reader(live)})
	if got := found(report); len(got) != 4 || !strings.HasPrefix(got[0], fmt.Sprint(last+60)) || !strings.Contains(got[0], "older copy") {
		t.Errorf("%q", got)
	}
}

// found are a report's findings.
func found(r *Report) (lines []string) {
	for _, f := range r.Findings {
		lines = append(lines, fmt.Sprint(f.Offset, " ", f.What))
	}
	return lines
}

func TestHowAnEventIsSaidToBeDamagedIsNotCompared(t *testing.T) {
	w := newWorld(t)
	w.eventful()
	live := w.persist(math.MaxUint64, 1000)
	w.execute(live, `UPDATE dead_letter SET reason = 'as another version says it: ' || reason`)
	report := w.run(Options{Into: filepath.Join(t.TempDir(), "x.db"), Live: w.reader(live)})
	if got := found(report); len(got) != 6 {
		t.Errorf("of 9 dead letters 3 are of damaged events: %q", got)
	}
}

func TestADatabaseThatHoldsSomethingIsRefusedAndNotTouched(t *testing.T) {
	w := newWorld(t)
	w.fill(20)
	made := func(change string) string {
		path := w.persist(10, 10)
		w.execute(path, change)
		return path
	}
	text := filepath.Join(t.TempDir(), "x.db")
	w.must(os.WriteFile(text, []byte(strings.Repeat("text ", 100)), 0o600))
	for name, test := range map[string]struct {
		path, want string
		goOn       bool
	}{
		"a read model":                 {made(`SELECT 1`), "it goes up to offset 10", false},
		"rows without a checkpoint":    {made(`UPDATE checkpoint SET "offset" = 0, at = 0, epoch = '', digest = ''`), "table messages", true},
		"no database":                  {text, "not a database", true},
		"a directory":                  {t.TempDir(), "no file", false},
		"of another log":               {made(`UPDATE checkpoint SET epoch = 'other'`), "of epoch other", true},
		"another event at its end":     {made(`UPDATE checkpoint SET at = at + 1`), "at offset 10", true},
		"beyond the log":               {made(`UPDATE checkpoint SET "offset" = 99`), "the log ends at 20", true},
		"a checkpoint nobody can read": {made(`UPDATE checkpoint SET "offset" = 'x'`), "checkpoint", true},
	} {
		before := prints(t, filepath.Dir(test.path))
		_, err := Run(t.Context(), Options{JS: w.js, Into: test.path, Continue: test.goOn})
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), test.path) {
			t.Errorf("%s: %v", name, err)
		}
		if after := prints(t, filepath.Dir(test.path)); !reflect.DeepEqual(after, before) {
			t.Errorf("%s: it was touched", name)
		}
	}
	empty := filepath.Join(t.TempDir(), "x.db")
	store, err := sqlite.Open(t.Context(), empty)
	w.must(err)
	w.must(store.Close())
	w.run(Options{Into: empty}) // there are tables, but nothing in them
	w.wantSame(empty, w.persist(math.MaxUint64, 10))
}

func TestALiveReadModelOfAnotherLogIsNotCompared(t *testing.T) {
	w := newWorld(t)
	w.fill(5)
	live := w.persist(5, 5)
	w.execute(live, `UPDATE checkpoint SET epoch = 'other'`)
	into := filepath.Join(t.TempDir(), "x.db")
	if _, err := Run(t.Context(), Options{JS: w.js, Into: into, Live: w.reader(live)}); err == nil || !strings.Contains(err.Error(), "another log") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(into); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was made first: %v", err)
	}
}

func TestSameFile(t *testing.T) {
	dir := t.TempDir()
	one, link := filepath.Join(dir, "one.db"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(one, nil, 0o600), os.Symlink(dir, link)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		a, b string
		same bool
	}{
		{one, one, true},
		{one, filepath.Join(link, "one.db"), true},
		{one, filepath.Join(dir, "x", "..", "one.db"), true},
		{filepath.Join(dir, "new.db"), filepath.Join(link, "new.db"), true},
		{filepath.Join(dir, "new", "x.db"), filepath.Join(link, "new", "x.db"), true},
		{one, filepath.Join(dir, "two.db"), false},
		{filepath.Join(dir, "new.db"), filepath.Join(dir, "other.db"), false},
	} {
		if same, err := Same(t.Context(), test.a, test.b); same != test.same || err != nil {
			t.Errorf("%s and %s", test.a, test.b)
		}
	}
}
