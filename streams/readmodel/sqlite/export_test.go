package sqlite

import (
	"database/sql"
	"strings"
	"testing"
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
		args := make([]any, strings.Count(text, "?"))
		rows, err := s.reader.Query("EXPLAIN QUERY PLAN "+text, args...)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			plans[text] += detail + "\n"
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
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
