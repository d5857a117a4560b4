package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

const (
	// Versions of the tables that can be read. The older one lacks the index of messages by offset, and is read more slowly.
	oldestRead = 2
	version    = 3

	tablesSQL  = `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('goose_db_version', 'messages', 'users', 'direct', 'dead_letter', 'checkpoint')`
	tables     = 6
	versionSQL = `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`
	indexSQL   = `SELECT count(*) > 0 FROM sqlite_master WHERE type = 'index' AND tbl_name = 'messages' AND name = 'messages_offset'`

	// idleReaders are connections kept for the next question. While rows are taken, each table has one of its own.
	idleReaders = 4
)

// Reader is a read model in a SQLite file that is only read. It implements readmodel.Reader.
type Reader struct {
	path    string
	db      *sql.DB
	still   *stillness // nil if the file may be written meanwhile
	indexed bool       // messages have their index by offset
}

var _ readmodel.Reader = (*Reader)(nil)

// OpenReader opens a file so that nothing can be written to it. It must exist and be a read model that this program can
// read. A persister may write it meanwhile, and neither waits for the other.
//
// Where none does, which is to be seen from the file that SQLite keeps beside it as long as one does, nothing is made beside
// it either; should one be started while it is read, reading it ends with ErrWritten, Temporary.
func OpenReader(ctx context.Context, path string) (readmodel.Reader, error) {
	r := &Reader{path: path}
	if err := r.open(ctx); err != nil {
		return nil, fmt.Errorf("open database %s for reading: %w", path, errors.Join(err, r.Close()))
	}
	return r, nil
}

func (r *Reader) open(ctx context.Context) error {
	info, err := os.Stat(r.path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errors.New("it is no file")
	}
	parameters := []string{"mode=ro", "_busy_timeout=5000", "_pragma=query_only(1)"}
	if !written(r.path) {
		r.still = &stillness{r.path, info}
		parameters = append(parameters, "immutable=1") // otherwise SQLite makes the files of a writer, and leaves them
	}
	if r.db, err = sql.Open("sqlite", uri(r.path, parameters...)); err != nil {
		return err
	}
	r.db.SetMaxIdleConns(idleReaders)
	return r.check(ctx)
}

// check finds out whether this is a read model that can be read.
func (r *Reader) check(ctx context.Context) error {
	const op = "read the version of its tables"
	var found, have int
	if err := r.db.QueryRowContext(ctx, tablesSQL).Scan(&found); err != nil {
		return failed(op, err)
	}
	if found != tables {
		return errors.New("it is not a read model: it has not the tables of one")
	}
	if err := r.db.QueryRowContext(ctx, versionSQL).Scan(&have); err != nil {
		return failed(op, err)
	}
	if have < oldestRead || have > version {
		return fmt.Errorf("its tables are of version %d, and this program reads versions %d to %d", have, oldestRead, version)
	}
	return failed(op, r.db.QueryRowContext(ctx, indexSQL).Scan(&r.indexed))
}

// Position implements readmodel.Reader. A checkpoint that cannot be read is Corrupt.
func (r *Reader) Position(ctx context.Context) (readmodel.Position, error) {
	const op = "read the checkpoint"
	rows, err := r.db.QueryContext(ctx, positionSQL)
	if err != nil {
		return readmodel.Position{}, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // its error is rows.Err's
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return readmodel.Position{}, failed(op, err)
		}
		return readmodel.Position{}, fault.New(op, fault.Corrupt, errors.New("there is none"))
	}
	p, err := scanPosition(rows)
	if err != nil {
		return p, fault.New(op, fault.Corrupt, err)
	}
	return p, r.still.check(op)
}

// KeyAt implements readmodel.Reader.
func (r *Reader) KeyAt(ctx context.Context, scope, key string) (uint64, error) {
	return r.offsetOf(ctx, `SELECT "offset" FROM messages WHERE scope = ? AND "key" = ?`, scope, key)
}

// UserAt implements readmodel.Reader.
func (r *Reader) UserAt(ctx context.Context, id string) (uint64, error) {
	return r.offsetOf(ctx, `SELECT "offset" FROM users WHERE id = ?`, id)
}

func (r *Reader) offsetOf(ctx context.Context, question string, args ...any) (uint64, error) {
	const op = "look up an offset"
	var offset any
	err := r.db.QueryRowContext(ctx, question, args...).Scan(&offset)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return offsetFrom(offset), cmp.Or(r.still.check(op), failed(op, err))
}

// Name is the path of the file.
func (r *Reader) Name() string { return r.path }

// Close closes the file. Rows that are being read end with an error.
func (r *Reader) Close() error {
	if r.db == nil {
		return nil
	}
	return r.db.Close()
}
