// Package stores opens a read model wherever it is. What names it is what config.DatabaseSource gives: a URL that begins with
// postgres:// or postgresql://, or else the path of a SQLite file.
package stores

import (
	"context"
	"strings"

	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/postgres"
	"github.com/tidemark-chat/tidemark/streams/readmodel/sqlite"
)

// Open opens a read model and brings its tables up to date. A file that is not there is made; a PostgreSQL database must be there, and
// a server that is away is a Temporary error.
func Open(ctx context.Context, source string) (readmodel.Store, error) {
	if IsPostgres(source) {
		s, err := postgres.Open(ctx, source)
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	s, err := sqlite.Open(ctx, source)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// OpenReader opens a read model, which must be there, so that nothing can be written to it.
func OpenReader(ctx context.Context, source string) (readmodel.Reader, error) {
	if IsPostgres(source) {
		return postgres.OpenReader(ctx, source)
	}
	return sqlite.OpenReader(ctx, source)
}

// IsPostgres reports whether a source is a PostgreSQL database. Its name for people, without the password, is what
// Store.Name and Reader.Name say.
func IsPostgres(source string) bool {
	return strings.HasPrefix(source, "postgres://") || strings.HasPrefix(source, "postgresql://")
}
