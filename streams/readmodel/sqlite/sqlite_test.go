package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/modeltest"
	"github.com/tidemark-chat/tidemark/streams/readmodel/sqlite"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB, path string) *sqlite.Store {
	s, err := sqlite.Open(context.Background(), path)
	if err != nil {
		t.Error(err)
		return nil
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestStore(t *testing.T) {
	modeltest.TestStore(t, func(t *testing.T) modeltest.Place {
		path := filepath.Join(t.TempDir(), "new", "a %41?#b.db")
		return modeltest.Place{
			Open:    func(t *testing.T) readmodel.Store { return open(t, path) },
			Reader:  func(t *testing.T) readmodel.Reader { return openReader(t, path) },
			Execute: func(t *testing.T, statement string) { execute(t, path, statement) },
		}
	})
}

func TestModelOverTheQueryService(t *testing.T) {
	js := logtest.Start(t).Connect()
	modeltest.TestModel(t, func(t *testing.T) (query.Model, func(...event.Event)) {
		s := open(t, filepath.Join(t.TempDir(), "x.db"))
		service, err := query.Serve(js.Conn(), s, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = service.Stop() })
		return query.NewClient(js.Conn()), func(events ...event.Event) { modeltest.Project(t, s, events...) }
	})
}

func TestWhatIsLeftAfterAPowerLossIsInOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	mode, synchronous := sqlite.Durability(t, open(t, path))
	if mode != "wal" || synchronous != 1 { // in this mode the newest commits may be lost, but only as a whole
		t.Errorf("journal mode %s, synchronous %d, want wal and 1 (normal)", mode, synchronous)
	}
}

func TestADatabaseOfANewerVersionIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	execute(t, path, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)`)
	if _, err := sqlite.Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), "version 99") || !strings.Contains(err.Error(), path) {
		t.Errorf("%v", err)
	}
}

func TestAFileThatIsNoDatabaseIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), path); err == nil {
		t.Error("no error")
	}
}

func TestQuestionsUseTheIndexes(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "x.db"))
	for text, plan := range sqlite.Plans(t, s) {
		plan = strings.ReplaceAll(plan, "SCAN checkpoint", "")                     // it has one row
		plan = strings.ReplaceAll(plan, "SCAN users USING INDEX users_offset", "") // to its limit
		if strings.Contains(plan, "SCAN ") || strings.Contains(plan, "TEMP B-TREE") != (text == sqlite.InboxSQL) {
			t.Errorf("%s\nplan: %s", text, plan)
		}
	}
}

func TestADatabaseFromBeforeDirectMessagesGoesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	sqlite.MigrateTo(t, path, 1)
	old := modeltest.Keyed(1, modeltest.Room("a"), "old", "k")
	execute(t, path, fmt.Sprintf(`INSERT INTO messages VALUES ('room:a', 1, '%s', %d, 'u1', 'Zoë', '', '%s', 'k', 'old', '%s')`,
		old.ID, old.At.UnixNano(), old.Scope, old.Digest))
	execute(t, path, fmt.Sprintf(`UPDATE checkpoint SET "offset" = 1, at = %d, epoch = '%s', digest = '%s'`, old.At.UnixNano(), modeltest.Epoch, old.Digest))

	s := open(t, path)
	direct := modeltest.Direct(2, "u1", "u2", "new")
	modeltest.Project(t, s, direct, modeltest.Registered(3, "u1", "Zoë"))
	after, err := s.After(t.Context(), query.AfterRequest{Conversations: []subject.Conversation{modeltest.Room("a"), subject.Inbox("u1")}})
	if err != nil || len(after.Events) != 2 || after.Events[0] != old || after.Events[1] != direct || after.Through != 3 {
		t.Errorf("%+v, %v", after, err)
	}
	users, err := s.Users(t.Context(), query.UsersRequest{IDs: []string{"u1"}})
	if err != nil || len(users.Users) != 1 {
		t.Errorf("%+v, %v", users, err)
	}
}

func TestDeadLettersAreKeptAsStored(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	s := open(t, path)
	e := modeltest.Keyed(1, modeltest.Room("a"), "x\x00", "k")
	b := modeltest.Batch(readmodel.Position{}, e)
	b.DeadLetters = []readmodel.DeadLetter{b.Messages[0].DeadLetter(readmodel.ReasonKeyTaken), {Offset: 2, Through: 9, Reason: "gone"}}
	b.Messages = nil
	if _, err := s.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var at int64
	var subject, headers, content string
	row := db.QueryRow(`SELECT at, subject, headers, content FROM dead_letter WHERE "offset" = 1 AND through = 1 AND reason = ?`, readmodel.ReasonKeyTaken)
	if err := row.Scan(&at, &subject, &headers, &content); err != nil {
		t.Fatal(err)
	}
	if at != e.At.UnixNano() || subject != "chat.0.room.na" || content != e.Content || !strings.Contains(headers, "Tidemark-Key: k\r\n") {
		t.Errorf("%d, %q, %q, %q", at, subject, headers, content)
	}
	row = db.QueryRow(`SELECT through FROM dead_letter WHERE "offset" = 2 AND at IS NULL AND subject IS NULL AND headers IS NULL AND content IS NULL`)
	if err := row.Scan(&at); err != nil || at != 9 {
		t.Errorf("range: through %d, %v", at, err)
	}
}

func execute(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", sqlite.URI(path))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}
