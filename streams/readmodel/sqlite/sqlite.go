// Package sqlite keeps the read model in one SQLite file, with a driver in
// pure Go.
//
// The file is in WAL mode, so that questions do not wait for the projection. A
// commit survives a kill of the process; a power loss may take back the newest ones
// as a whole, checkpoint included (synchronous NORMAL), and the persister goes on
// from what is left, because the log has it all. One connection
// writes, a few read; several processes may have the file open, on one machine.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

// readers bounds the questions answered at once.
const readers = 4

// Store is a read model in a SQLite file. It implements readmodel.Store.
type Store struct {
	path    string
	writer  *sql.DB // one connection
	reader  *sql.DB
	append  appendStatements
	queries queryStatements
}

var _ readmodel.Store = (*Store)(nil)

// Open opens the file, or makes it and the directory it is in, and brings its
// tables up to date.
func Open(ctx context.Context, path string) (*Store, error) {
	s := &Store{path: path}
	if err := s.open(ctx); err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, errors.Join(err, s.Close()))
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) (err error) {
	if err := os.MkdirAll(filepath.Dir(s.path), 0o750); err != nil {
		return err
	}
	// A writer takes its lock when it begins: to upgrade one later can fail.
	if s.writer, err = sql.Open("sqlite", dsn(s.path, "_txlock=immediate", "_pragma=cache_size(-65536)")); err != nil {
		return err
	}
	s.writer.SetMaxOpenConns(1)
	if err := migrate(ctx, s.writer); err != nil {
		return err
	}
	if s.reader, err = sql.Open("sqlite", dsn(s.path, "_pragma=query_only(1)", "_pragma=cache_size(-16384)")); err != nil {
		return err
	}
	s.reader.SetMaxOpenConns(readers)
	s.reader.SetMaxIdleConns(readers)
	if s.append, err = prepareAppend(ctx, s.writer); err != nil {
		return err
	}
	s.queries, err = prepareQueries(ctx, s.reader)
	return err
}

// dsn is the name under which the driver opens a file that may be written.
func dsn(path string, parameters ...string) string {
	common := []string{
		"_busy_timeout=5000", "_pragma=journal_mode(WAL)", "_pragma=synchronous(NORMAL)",
	}
	return uri(path, append(common, parameters...)...)
}

// uri names a file to the driver. A path may hold anything, so it is escaped.
func uri(path string, parameters ...string) string {
	escaped := (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()
	return "file:" + escaped + "?" + strings.Join(parameters, "&")
}

// Name is the path of the file.
func (s *Store) Name() string { return s.path }

// Close waits for the statements in hand and closes the file.
func (s *Store) Close() error {
	var errs []error
	for _, db := range []*sql.DB{s.reader, s.writer} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}
