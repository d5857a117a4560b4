package readmodel

import (
	"fmt"
	"iter"
	"slices"
)

// maxSpare bounds how many rows at one offset, none of them wanted as it is, are kept to find out which one was altered.
const maxSpare = 16

// Comparison walks the rows that a table has beside the rows that it must have, which are given one after the other.
// What is found is reported by ascending offset. Not safe for concurrent use.
//
//	want   1  2     4  5        1 is the same
//	have   1  2' 3     5  5     2 altered, 3 added, 4 lacked, 5 is there and added once more
type Comparison struct {
	table  Table
	report func(Difference) error
	next   func() (TableRow, error, bool)
	stop   func()

	head   TableRow   // the next row of the table, if ahead
	ahead  bool       // head has been read
	ended  bool       // there are no more rows
	err    error      // of reading the rows; it stays
	wanted []TableRow // not settled yet; all of one offset
	floor  uint64     // nothing below it will be wanted any more
}

// NewComparison starts one. have is read as it is needed; report is called for each difference, by the methods below, and
// they return its error. Close it.
func NewComparison(table Table, have iter.Seq2[TableRow, error], report func(Difference) error) *Comparison {
	c := &Comparison{table: table, report: report}
	c.next, c.stop = iter.Pull2(have)
	return c
}

// Close ends the reading of the table. What has not been settled by then is not reported.
func (c *Comparison) Close() { c.stop() }

// Want says that the table must have a row. Rows are given by ascending offset. Several at one offset are kept in memory.
func (c *Comparison) Want(row TableRow) error {
	if row.Offset < c.floor {
		return fmt.Errorf("compare table %s: a row at offset %d is wanted, after all below %d", c.table, row.Offset, c.floor)
	}
	if len(c.wanted) > 0 && row.Offset > c.wanted[0].Offset {
		if err := c.settle(); err != nil {
			return err
		}
	}
	c.wanted, c.floor = append(c.wanted, row), row.Offset
	return nil
}

// Through says that no further row is wanted at or below an offset, and reports what is found up to there.
// math.MaxUint64 ends the comparison.
func (c *Comparison) Through(offset uint64) error {
	if len(c.wanted) > 0 && c.wanted[0].Offset <= offset {
		if err := c.settle(); err != nil {
			return err
		}
	}
	c.floor = max(c.floor, offset, offset+1) // the last offset has none after it
	return c.addedThrough(offset)
}

// settle compares what is wanted at one offset with what there is.
func (c *Comparison) settle() error {
	offset := c.wanted[0].Offset
	if offset > 0 {
		if err := c.addedThrough(offset - 1); err != nil {
			return err
		}
	}
	var spare []TableRow
	for {
		have, err := c.take(offset)
		switch {
		case err != nil:
			return err
		case have == nil:
			return c.pair(spare)
		case c.found(have):
		case len(spare) < maxSpare:
			spare = append(spare, *have)
		default:
			if err := c.added(*have); err != nil {
				return err
			}
		}
	}
}

// found ticks off a row if it is wanted just as it is.
func (c *Comparison) found(have *TableRow) bool {
	for i := range c.wanted {
		if same(&c.wanted[i], have) {
			c.wanted = slices.Delete(c.wanted, i, i+1)
			return true
		}
	}
	return false
}

// pair reports what is left of one offset: of rows that resemble each other one is the other one altered.
func (c *Comparison) pair(spare []TableRow) error {
	for _, want := range c.wanted {
		d := Difference{Table: c.table, Offset: want.Offset, Kind: Lacks, Want: want}
		closest := -1
		for i := range spare {
			if columns := altered(c.table, &want, &spare[i]); closest < 0 || len(columns) < len(d.Columns) {
				closest, d.Columns = i, columns
			}
		}
		if closest >= 0 {
			d.Kind, d.Have = Alters, spare[closest]
			spare = slices.Delete(spare, closest, closest+1)
		}
		if err := c.report(d); err != nil {
			return err
		}
	}
	c.wanted = c.wanted[:0]
	for _, have := range spare {
		if err := c.added(have); err != nil {
			return err
		}
	}
	return nil
}

// addedThrough reports all rows up to an offset: none of them is wanted.
func (c *Comparison) addedThrough(offset uint64) error {
	for {
		have, err := c.take(offset)
		if err != nil || have == nil {
			return err
		}
		if err := c.added(*have); err != nil {
			return err
		}
	}
}

func (c *Comparison) added(have TableRow) error {
	return c.report(Difference{Table: c.table, Offset: have.Offset, Kind: Adds, Have: have})
}

// take is the next row of the table, if it is not beyond an offset. A row out of order is given where it comes.
func (c *Comparison) take(through uint64) (*TableRow, error) {
	if !c.ahead && !c.ended && c.err == nil {
		row, err, ok := c.next()
		if err != nil {
			c.err = fmt.Errorf("read table %s: %w", c.table, err)
		}
		c.head, c.ahead, c.ended = row, ok && err == nil, !ok
	}
	if c.err != nil {
		return nil, c.err
	}
	if !c.ahead || c.head.Offset > through {
		return nil, nil
	}
	c.ahead = false
	return &c.head, nil
}
