package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// attempts bounds how often migrations are tried again: two processes that
// open a new file at once get into each other's way, and the one that loses
// finds the work done.
const attempts = 3

func migrationsOf(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
}

func migrate(ctx context.Context, db *sql.DB) error {
	provider, err := migrationsOf(db)
	if err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		_, err = provider.Up(ctx)
		if err == nil || attempt == attempts || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	have, known, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if have > known {
		return fmt.Errorf("its tables are of version %d, and this program knows %d: it is older than the database", have, known)
	}
	return nil
}
