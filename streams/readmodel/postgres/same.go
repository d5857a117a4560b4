package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// identitySQL is what no two places of tables share: the server's files, the database and the schema.
const identitySQL = `SELECT format('%s/%s/%s', (SELECT system_identifier FROM pg_control_system()),
	(SELECT oid FROM pg_database WHERE datname = current_database()), current_schema())`

// Same reports whether two URLs name one place for tables, also where they say it differently. The first must be there; if the second
// does not answer, it is another one.
func Same(ctx context.Context, a, b string) (bool, error) {
	one, err := identity(ctx, a)
	if err != nil {
		return false, err
	}
	other, err := identity(ctx, b)
	return err == nil && one == other, nil
}

func identity(ctx context.Context, url string) (id string, err error) {
	const op = "find out which database it is"
	place, err := parse(url)
	if err != nil {
		return "", failed(op, err)
	}
	conn, err := pgx.ConnectConfig(ctx, place.connection(asking))
	if err == nil {
		err = conn.QueryRow(ctx, identitySQL).Scan(&id)
		err = errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
	}
	if err != nil {
		return "", failed(op, fmt.Errorf("%s: %w", place.name(), err))
	}
	return id, nil
}
