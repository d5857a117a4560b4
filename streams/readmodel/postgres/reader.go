package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

const (
	// version of the tables that can be read.
	version = 1

	tablesSQL = `SELECT count(*) FROM unnest(ARRAY['goose_db_version', 'messages', 'users', 'direct', 'dead_letter', 'checkpoint']) AS name
		WHERE to_regclass(name) IS NOT NULL`
	tables     = 6
	versionSQL = `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`

	// auditors bounds the connections of a reader. While rows are taken, each sequence has one of its own.
	auditors = 16
)

// ErrNoTables says that a database has none of the tables of a read model: one can be made there.
var ErrNoTables = errors.New("it has none of the tables of a read model")

// Reader is a read model in a PostgreSQL database that is only read. It implements readmodel.Reader.
type Reader struct {
	name string
	pool *pgxpool.Pool
}

var _ readmodel.Reader = (*Reader)(nil)

// OpenReader opens a database so that nothing can be written to it; a role that may only read is enough. It must hold a read
// model that this program can read, otherwise it is ErrNoTables or another error. A persister may write it meanwhile, and
// neither waits for the other.
func OpenReader(ctx context.Context, url string) (readmodel.Reader, error) {
	const op = "open the read model for reading"
	place, err := parse(url)
	if err != nil {
		return nil, failed(op, err)
	}
	r := &Reader{name: place.name()}
	if r.pool, err = place.pool(auditors, auditing); err == nil {
		err = r.check(ctx)
	}
	if err != nil {
		_ = r.Close()
		return nil, failed(op, fmt.Errorf("%s: %w", r.name, err))
	}
	return r, nil
}

// check finds out whether this is a read model that can be read.
func (r *Reader) check(ctx context.Context) error {
	const op = "read the version of its tables"
	var found, have int
	if err := r.pool.QueryRow(ctx, tablesSQL).Scan(&found); err != nil {
		return err
	}
	switch found {
	case 0:
		return fault.New(op, fault.Permanent, ErrNoTables)
	case tables:
	default:
		return fault.Errorf(op, fault.Permanent, "it is not a read model: it has %d of the %d tables of one", found, tables)
	}
	if err := r.pool.QueryRow(ctx, versionSQL).Scan(&have); err != nil {
		return err
	}
	if have != version {
		return fault.Errorf(op, fault.Permanent, "its tables are of version %d, and this program reads version %d", have, version)
	}
	return nil
}

// Position implements readmodel.Reader. A checkpoint that cannot be read is Corrupt.
func (r *Reader) Position(ctx context.Context) (readmodel.Position, error) {
	p, err := scanPosition(r.pool.QueryRow(ctx, positionSQL))
	return p, failed("read the checkpoint", err)
}

// KeyAt implements readmodel.Reader.
func (r *Reader) KeyAt(ctx context.Context, scope, key string) (uint64, error) {
	return r.offsetOf(ctx, `SELECT "offset" FROM messages
		WHERE sha256(scope) = sha256($1) AND sha256("key") = sha256($2) AND "key" IS NOT NULL`, []byte(scope), []byte(key))
}

// UserAt implements readmodel.Reader.
func (r *Reader) UserAt(ctx context.Context, id string) (uint64, error) {
	return r.offsetOf(ctx, `SELECT "offset" FROM users WHERE sha256(id) = sha256($1)`, []byte(id))
}

func (r *Reader) offsetOf(ctx context.Context, question string, args ...any) (uint64, error) {
	var offset int64
	err := r.pool.QueryRow(ctx, question, args...).Scan(&offset)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	return uint64(max(offset, 0)), failed("look up an offset", err)
}

// Name is the database and its server.
func (r *Reader) Name() string { return r.name }

// Close ends the connections, after the rows that are being read.
func (r *Reader) Close() error {
	if r.pool != nil {
		r.pool.Close()
	}
	return nil
}
