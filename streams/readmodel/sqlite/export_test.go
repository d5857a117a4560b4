package sqlite

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

// Durability is how the writing connection commits.
func Durability(t *testing.T, s *Store) (mode string, synchronous int) {
	for pragma, to := range map[string]any{"journal_mode": &mode, "synchronous": &synchronous} {
		if err := s.writer.QueryRow("PRAGMA " + pragma).Scan(to); err != nil {
			t.Fatal(err)
		}
	}
	return mode, synchronous
}

// Plans is how each question is answered, by its text.
func Plans(t *testing.T, s *Store) map[string]string {
	plans := make(map[string]string)
	for _, text := range questions(&queryStatements{}) {
		plans[text] = plan(t, s.reader, text)
	}
	return plans
}

func plan(t *testing.T, db *sql.DB, text string) (plan string) {
	args := make([]any, strings.Count(text, "?"))
	rows, err := db.Query("EXPLAIN QUERY PLAN "+text, args...)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		plan += detail + "\n"
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	return plan
}

// URI names a file to the driver.
func URI(path string) string { return uri(path, "_busy_timeout=5000") }

// RowPlans is how the rows of each table are found, and what else a reader asks of the messages.
func RowPlans(t *testing.T, reader readmodel.Reader) map[string]string {
	r := reader.(*Reader)
	plans := make(map[string]string)
	for _, table := range readmodel.Tables {
		shape, err := shapeOf(table)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{shape.spanSQL(), shape.nextSQL(), shape.straySQL()} {
			plans[text] = plan(t, r.db, text)
		}
	}
	return plans
}

// InboxSQL is the one question that sorts.
const InboxSQL = inboxSQL

// MigrateTo makes a database as a version of this program did that had so many
// migrations.
func MigrateTo(t *testing.T, path string, version int64) {
	db, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	provider, err := migrationsOf(db)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
}
