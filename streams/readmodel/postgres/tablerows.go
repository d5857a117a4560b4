package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

const (
	// rangeOffsets are read in one transaction, so that what is deleted or written meanwhile need not be kept for it.
	rangeOffsets = 4096
	// lastOffset is the last one that has one after it in an SQL integer.
	lastOffset = math.MaxInt64 - 1
)

// yieldRow is told a row or, at the end, an error, and returns whether to go on.
type yieldRow = func(readmodel.TableRow, error) bool

// shape is how the rows of a table are read.
type shape struct {
	table   readmodel.Table
	columns []string
	all     string // selects every row
}

func shapeOf(table readmodel.Table) (shape, error) {
	columns := readmodel.Columns(table)
	if columns == nil {
		return shape{}, fmt.Errorf("there is no table %q", table)
	}
	return shape{table, columns, `SELECT "` + strings.Join(columns, `", "`) + `" FROM ` + string(table)}, nil
}

func (s *shape) spanSQL() string {
	return s.all + ` WHERE "offset" > $1 AND "offset" <= $2 ORDER BY "offset"`
}

func (s *shape) nextSQL() string {
	return `SELECT min("offset") FROM ` + string(s.table) + ` WHERE "offset" > $1 AND "offset" <= $2`
}

// straySQL asks for each kind of stray apart, because only then the index is used.
func (s *shape) straySQL() string {
	return s.all + ` WHERE "offset" < 1 UNION ALL ` + s.all + ` WHERE "offset" >= 1 AND "offset" > (SELECT "offset" FROM checkpoint)`
}

// Rows implements readmodel.Reader.
func (r *Reader) Rows(ctx context.Context, table readmodel.Table, after, through uint64) iter.Seq2[readmodel.TableRow, error] {
	return r.rowsOf(table, func(s shape, yield yieldRow) (more bool, err error) {
		through := min(through, lastOffset)
		for after := after; after < through; {
			var first *int64
			if err := r.pool.QueryRow(ctx, s.nextSQL(), int64(after), int64(through)).Scan(&first); err != nil || first == nil {
				return true, err
			}
			last := min(uint64(*first)+rangeOffsets-1, through)
			if more, err := r.each(ctx, s, yield, s.spanSQL(), int64(after), int64(last)); err != nil || !more {
				return more, err
			}
			after = last
		}
		return true, nil
	})
}

// Strays implements readmodel.Reader.
func (r *Reader) Strays(ctx context.Context, table readmodel.Table) iter.Seq2[readmodel.TableRow, error] {
	return r.rowsOf(table, func(s shape, yield yieldRow) (more bool, err error) {
		return r.each(ctx, s, yield, s.straySQL())
	})
}

// rowsOf makes read, which gives rows to yield for as long as it returns true, into a sequence that its error ends.
func (r *Reader) rowsOf(table readmodel.Table, read func(s shape, yield yieldRow) (more bool, err error)) iter.Seq2[readmodel.TableRow, error] {
	return func(yield func(readmodel.TableRow, error) bool) {
		more, s, err := true, shape{}, error(nil)
		if s, err = shapeOf(table); err == nil {
			more, err = read(s, yield)
		}
		if err != nil && more {
			yield(readmodel.TableRow{}, failed("read table "+string(table), err))
		}
	}
}

// each yields the rows that one statement finds.
func (r *Reader) each(ctx context.Context, s shape, yield yieldRow, question string, args ...any) (more bool, err error) {
	rows, err := r.pool.Query(ctx, question, args...)
	if err != nil {
		return true, err
	}
	defer rows.Close()
	for rows.Next() {
		row, err := s.scan(rows)
		if err != nil {
			return true, err
		}
		if !yield(row, nil) {
			return false, nil
		}
	}
	return true, rows.Err()
}

// scan reads a row, whose columns are integers and bytes.
func (s *shape) scan(rows pgx.Rows) (row readmodel.TableRow, err error) {
	values, err := rows.Values()
	if err != nil {
		return row, err
	}
	row.Values = make([]sql.NullString, len(values))
	for i, value := range values {
		switch v := value.(type) {
		case nil:
		case int64:
			row.Values[i] = sql.NullString{String: strconv.FormatInt(v, 10), Valid: true}
		case []byte:
			row.Values[i] = sql.NullString{String: string(v), Valid: true}
		default:
			return row, errors.New("a column has another type than it was made with")
		}
	}
	offset, _ := values[slices.Index(s.columns, "offset")].(int64)
	row.Offset = uint64(max(offset, 0))
	return row, nil
}
