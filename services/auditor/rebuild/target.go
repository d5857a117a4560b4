package rebuild

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math"
	"os"
	"path/filepath"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/origin"
	"github.com/tidemark-chat/tidemark/streams/readmodel/postgres"
	"github.com/tidemark-chat/tidemark/streams/readmodel/stores"
)

// ErrNotEmpty says that the database to rebuild into holds something.
var ErrNotEmpty = errors.New("it is not empty")

// begin finds where to begin. It only looks: what is refused has not been touched.
func (o *Options) begin(ctx context.Context, state eventlog.State) (readmodel.Position, error) {
	p, err := o.look(ctx, state)
	if err != nil {
		return p, fmt.Errorf("rebuild into %s: %w", o.into(), err)
	}
	return p, nil
}

func (o *Options) look(ctx context.Context, state eventlog.State) (p readmodel.Position, err error) {
	reader, err := o.there(ctx)
	if err != nil || reader == nil {
		return p, err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	if p, err = reader.Position(ctx); err != nil {
		return p, err
	}
	switch {
	case p.Offset == 0:
		return p, empty(ctx, reader)
	case !o.Continue:
		return p, fmt.Errorf("%w: it goes up to offset %d; give another place, or --continue if a rebuild was interrupted", ErrNotEmpty, p.Offset)
	}
	contradiction, err := origin.Contradiction(ctx, eventlog.Open(o.JS), p, state)
	if err == nil && contradiction != "" {
		err = fmt.Errorf("it was made from another log: %s; give another place", contradiction)
	}
	return p, err
}

// there opens what is at the place of the new database: nil if there is nothing, as there should be.
func (o *Options) there(ctx context.Context) (readmodel.Reader, error) {
	if stores.IsPostgres(o.Into) {
		reader, err := stores.OpenReader(ctx, o.Into)
		if errors.Is(err, postgres.ErrNoTables) {
			return nil, nil
		}
		return reader, err
	}
	info, err := os.Stat(o.Into)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode().IsRegular() && info.Size() == 0 {
		_, err = os.Stat(filepath.Dir(o.Into)) // a mistyped directory is not made
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	reader, err := stores.OpenReader(ctx, o.Into)
	if err != nil {
		return nil, errors.Join(ErrNotEmpty, err)
	}
	return reader, nil
}

// empty refuses a read model at its beginning that has rows all the same.
func empty(ctx context.Context, r readmodel.Reader) error {
	for _, table := range readmodel.Tables {
		if err := none(r.Rows(ctx, table, 0, math.MaxUint64)); err != nil {
			return fmt.Errorf("table %s: %w", table, err)
		}
		if err := none(r.Strays(ctx, table)); err != nil {
			return fmt.Errorf("table %s: %w", table, err)
		}
	}
	if err := none(r.Direct(ctx)); err != nil {
		return fmt.Errorf("table direct: %w", err)
	}
	return nil
}

func none[T any](rows iter.Seq2[T, error]) error {
	for _, err := range rows {
		return cmp.Or(err, ErrNotEmpty)
	}
	return nil
}

// Same reports whether two sources name one database, by whatever names. It need not be there yet if it is a file.
func Same(ctx context.Context, a, b string) (bool, error) {
	switch {
	case stores.IsPostgres(a) != stores.IsPostgres(b):
		return false, nil
	case stores.IsPostgres(a):
		return postgres.Same(ctx, a, b)
	}
	return sameFile(a, b), nil
}

func sameFile(a, b string) bool {
	is, errA := os.Stat(a)
	other, errB := os.Stat(b)
	if errA == nil && errB == nil {
		return os.SameFile(is, other)
	}
	return resolved(a) == resolved(b)
}

// resolved is a path without links, as far as it is there.
func resolved(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if whole, err := filepath.EvalSymlinks(path); err == nil {
		return whole
	}
	if parent := filepath.Dir(path); parent != path {
		return filepath.Join(resolved(parent), filepath.Base(path))
	}
	return path
}
