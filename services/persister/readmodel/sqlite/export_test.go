package sqlite

import (
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

// Plans is how each question is answered, one line each.
func Plans(t *testing.T, s *Store) (plans []string) {
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
			if !strings.Contains(detail, "checkpoint") {
				plans = append(plans, detail)
			}
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return plans
}
