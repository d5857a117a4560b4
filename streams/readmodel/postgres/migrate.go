package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/tidemark-chat/tidemark/streams/fault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrationLock is the advisory lock of who changes the tables of a read model in a database: "tidemark".
const migrationLock = 0x746964656d61726b

func migrationsOf(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, files, goose.WithDisableGlobalRegistry(true))
}

// migrate brings the tables up to date. Of several processes that do so at once, one does and the others wait.
func migrate(ctx context.Context, p *place) (err error) {
	config := p.connection(migrating)
	lock, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close(context.WithoutCancel(ctx))) }() // which gives the lock back
	if _, err := lock.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(migrationLock)); err != nil {
		return err
	}
	if err := mayWrite(ctx, lock); err != nil {
		return err
	}
	db := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(err, db.Close()) }()
	provider, err := migrationsOf(db)
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fault.Errorf("migrate", kindOf(err), "%w", err)
	}
	have, known, err := provider.GetVersions(ctx)
	if err == nil && have > known {
		err = fault.Errorf("migrate", fault.Permanent,
			"its tables are of version %d, and this program knows %d: it is older than the database", have, known)
	}
	return err
}

// mayWrite refuses a role that can neither make the tables nor write those that are there, which the server says in many ways.
func mayWrite(ctx context.Context, conn *pgx.Conn) error {
	var there, create, write bool
	err := conn.QueryRow(ctx, `SELECT to_regclass('checkpoint') IS NOT NULL, coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
		coalesce(has_table_privilege(to_regclass('checkpoint'), 'UPDATE'), false)`).Scan(&there, &create, &write)
	if err == nil && (there && !write || !there && !create) {
		err = fault.New("migrate", fault.Permanent, errors.New(advice[insufficientPrivilege]))
	}
	return err
}
