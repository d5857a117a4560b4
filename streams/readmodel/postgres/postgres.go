// Package postgres keeps the read model in a PostgreSQL database: the same tables, rows and answers as package sqlite, for
// persisters and databases on different machines.
//
// A commit is on the server's disk when it returns (synchronous_commit). One connection writes, a few read. Every statement is
// bounded in time, by the server and, should that be unreachable, by this process; a server that is away, starts, or fails over is
// a Temporary error and is connected to again.
package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

const (
	// readers bounds the questions answered at once.
	readers = 4
)

// Store is a read model in a PostgreSQL database. It implements readmodel.Store.
type Store struct {
	name   string
	writer *pgxpool.Pool // one connection
	reader *pgxpool.Pool
}

var _ readmodel.Store = (*Store)(nil)

// Open opens the database that a URL such as postgres://user:password@host/database names, and brings its tables up to date. Its
// errors are Temporary if the server cannot be reached or answer just now, and otherwise Permanent.
func Open(ctx context.Context, url string) (*Store, error) {
	const op = "open the read model"
	place, err := parse(url)
	if err != nil {
		return nil, failed(op, err)
	}
	s := &Store{name: place.name()}
	if err := s.open(ctx, place); err != nil {
		s.Close()
		return nil, failed(op, fmt.Errorf("%s: %w", s.name, err))
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, place *place) (err error) {
	if err := migrate(ctx, place); err != nil {
		return err
	}
	if s.writer, err = place.pool(1, writing); err != nil {
		return err
	}
	if s.reader, err = place.pool(readers, asking); err != nil {
		return err
	}
	return errors.Join(s.writer.Ping(ctx), s.reader.Ping(ctx))
}

// failed is the function of that name. Of a server that has gone it gives up all connections, so that each question after its return
// does not find out anew.
func (s *Store) failed(ctx context.Context, op string, err error) error {
	if lost(ctx, err) {
		s.reader.Reset()
		s.writer.Reset()
	}
	return failed(op, err)
}

// Name is the database and its server.
func (s *Store) Name() string { return s.name }

// Close ends the connections, after the questions in hand.
func (s *Store) Close() error {
	for _, pool := range []*pgxpool.Pool{s.reader, s.writer} {
		if pool != nil {
			pool.Close()
		}
	}
	return nil
}
