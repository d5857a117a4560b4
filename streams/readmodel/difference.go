package readmodel

import (
	"errors"
	"iter"
	"math"
	"slices"
)

// DifferenceKind says what is wrong with a row.
type DifferenceKind string

// What is said of the table that was found: it lacks a row, it adds one, or it alters one.
const (
	Lacks  DifferenceKind = "lacks"
	Adds   DifferenceKind = "adds"
	Alters DifferenceKind = "alters"
)

// Difference is one row that is not as it must be.
type Difference struct {
	Table   Table
	Offset  uint64
	Kind    DifferenceKind
	Columns []string // the altered ones; none otherwise
	Want    TableRow // empty if the row is added
	Have    TableRow // empty if it is lacked
}

// Compare yields the differences between the rows that a table must have and those it has, by ascending offset. An error of
// either side ends them.
func Compare(table Table, want, have iter.Seq2[TableRow, error]) iter.Seq2[Difference, error] {
	return func(yield func(Difference, error) bool) {
		errEnough := errors.New("enough")
		c := NewComparison(table, have, func(d Difference) error {
			if !yield(d, nil) {
				return errEnough
			}
			return nil
		})
		defer c.Close()
		if err := c.wantAll(want); err != nil && !errors.Is(err, errEnough) {
			yield(Difference{}, err)
		}
	}
}

func (c *Comparison) wantAll(rows iter.Seq2[TableRow, error]) error {
	for row, err := range rows {
		if err == nil {
			err = c.Want(row)
		}
		if err != nil {
			return err
		}
	}
	return c.Through(math.MaxUint64)
}

// altered are the columns in which two rows differ.
func altered(table Table, want, have *TableRow) (columns []string) {
	for i, name := range Columns(table) {
		if want.Values[i] != have.Values[i] || slices.Contains(have.Mistyped, name) {
			columns = append(columns, name)
		}
	}
	return columns
}

// same is whether altered finds nothing.
func same(want, have *TableRow) bool {
	return len(have.Mistyped) == 0 && slices.Equal(want.Values, have.Values)
}
