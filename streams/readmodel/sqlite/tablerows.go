package sqlite

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"math"

	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

const (
	// rangeOffsets are read in one transaction, so that what a persister writes meanwhile does not pile up beside the file.
	rangeOffsets = 4096
	// lastOffset is the last one that has one after it in an SQL integer.
	lastOffset = math.MaxInt64 - 1
)

// yieldRow is told a row or, at the end, an error, and returns whether to go on.
type yieldRow = func(readmodel.TableRow, error) bool

// Rows implements readmodel.Reader.
func (r *Reader) Rows(ctx context.Context, table readmodel.Table, after, through uint64) iter.Seq2[readmodel.TableRow, error] {
	return r.rowsOf(table, func(s shape, yield yieldRow) (more bool, err error) {
		through := min(through, lastOffset)
		for after := after; after < through; {
			first, last, err := r.nextRange(ctx, s, after, through)
			if err != nil || first == 0 {
				return true, err
			}
			if more, err := r.each(ctx, s, yield, s.spanSQL(), int64(first), int64(last)+1); err != nil || !more {
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
		op := "read table " + string(table)
		more, s, err := true, shape{}, error(nil)
		if s, err = shapeOf(table); err == nil {
			more, err = read(s, yield)
		}
		if err != nil && more {
			yield(readmodel.TableRow{}, cmp.Or(r.still.check(op), failed(op, err)))
		}
	}
}

// nextRange is the next range of offsets to read, which begins where there is a row. first is 0 if there is none. Messages
// without their index are one range, since each would mean to read the whole table.
func (r *Reader) nextRange(ctx context.Context, s shape, after, through uint64) (first, last uint64, err error) {
	if s.table == readmodel.Messages && !r.indexed {
		return after + 1, through, nil
	}
	var found any
	err = r.db.QueryRowContext(ctx, s.nextSQL(), int64(after)+1, int64(through)+1).Scan(&found)
	first = offsetFrom(found)
	return first, min(first+rangeOffsets-1, through), err
}

// each yields the rows that one statement finds.
func (r *Reader) each(ctx context.Context, s shape, yield yieldRow, question string, args ...any) (more bool, err error) {
	rows, err := r.db.QueryContext(ctx, question, args...)
	if err != nil {
		return true, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		row, err := s.scan(rows)
		if err != nil {
			return true, err
		}
		if !yield(row, nil) {
			return false, nil
		}
	}
	return true, errors.Join(rows.Err(), r.still.check("read table "+string(s.table)))
}
