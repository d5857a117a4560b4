package postgres

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// WriterSetting and ReaderSetting are settings of the connections as the server has them.
func WriterSetting(t *testing.T, s *Store, name string) string { return setting(t, s.writer, name) }
func ReaderSetting(t *testing.T, s *Store, name string) string { return setting(t, s.reader, name) }

func setting(t *testing.T, pool *pgxpool.Pool, name string) (value string) {
	if err := pool.QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

// Plans is how each question about messages and people is answered, without knowing who and what is asked for, by its text.
func Plans(t *testing.T, s *Store) map[string]string {
	conn, err := s.reader.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	execute := func(text string) {
		if _, err := conn.Exec(t.Context(), text, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(text, err)
		}
	}
	execute("SET plan_cache_mode = force_generic_plan")
	plans := make(map[string]string)
	for _, text := range []string{pageSQL, lookupSQL, afterSQL, momentSQL, inboxSQL, newestDirectSQL, newestUsersSQL, usersByIDSQL} {
		execute("PREPARE question AS " + text)
		parameters := 0
		for strings.Contains(text, fmt.Sprint("$", parameters+1)) {
			parameters++
		}
		nulls := strings.TrimSuffix(strings.Repeat("NULL, ", parameters), ", ")
		rows, err := conn.Query(t.Context(), "EXPLAIN EXECUTE question ("+nulls+")", pgx.QueryExecModeSimpleProtocol)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(text, err)
		}
		plans[text] = strings.Join(lines, "\n")
		execute("DEALLOCATE question")
	}
	return plans
}
