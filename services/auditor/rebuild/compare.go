package rebuild

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/tidemark-chat/tidemark/services/auditor/progress"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/stores"
)

// compare compares the live read model, at its position, with the new one, as far as the log goes: where it holds nothing at its
// end, the new one ends before, and the live one must have nothing more.
func (o *Options) compare(ctx context.Context, live readmodel.Position, report *Report) (err error) {
	rebuilt, err := stores.OpenReader(ctx, o.Into)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rebuilt.Close()) }()
	position, err := rebuilt.Position(ctx)
	if err != nil {
		return err
	}
	c := &comparison{want: rebuilt, have: o.Live, report: report, through: min(live.Offset, report.Last)}
	report.Compared = &Compared{Live: o.Live.Name(), Checkpoint: live.Offset, Through: c.through}
	c.positions(position, live)
	if n := report.MissingAtEnd; n > 0 {
		report.add(Finding{Offset: report.Last - n + 1, What: fmt.Sprintf("the log holds nothing at its last %s: it has lost its end", plural(n, "offset"))})
	}
	for _, table := range readmodel.Tables {
		if err := c.table(ctx, table, o.Progress); err != nil {
			return err
		}
	}
	for d, err := range o.Live.Direct(ctx) {
		if err != nil {
			return err
		}
		report.add(Finding{Offset: max(d.Want, d.Have), What: d.String()})
	}
	return nil
}

// comparison is of two read models, table by table.
type comparison struct {
	want, have readmodel.Reader
	report     *Report
	through    uint64
}

// positions compares the checkpoints, if both are at one offset.
func (c *comparison) positions(want, have readmodel.Position) {
	switch {
	case have.Offset > c.report.Last:
		c.report.add(Finding{Offset: have.Offset, What: fmt.Sprintf(
			"the live read model goes up to here, and the log ends at offset %d: it has lost its end, or is an older copy", c.report.Last)})
	case have.Offset == want.Offset && !samePosition(have, want):
		c.report.add(Finding{Offset: have.Offset, What: fmt.Sprintf(
			"the checkpoint is of an event of %v with digest %s, and must be of one of %v with digest %s", have.At, have.Digest, want.At, want.Digest)})
	}
}

func samePosition(a, b readmodel.Position) bool {
	return a.Epoch == b.Epoch && a.At.Equal(b.At) && a.Digest == b.Digest
}

func (c *comparison) table(ctx context.Context, table readmodel.Table, start func(string, uint64) *progress.Bar) error {
	bar := start("compare "+string(table), c.through)
	defer bar.Stop()
	want := shown(c.want.Rows(ctx, table, 0, c.through), bar, &c.report.Compared.Rows)
	for d, err := range readmodel.Compare(table, want, c.have.Rows(ctx, table, 0, c.through)) {
		if err != nil {
			return err
		}
		if !inWords(d) {
			c.report.add(Finding{Offset: d.Offset, What: d.String()})
		}
	}
	for row, err := range c.have.Strays(ctx, table) {
		if err != nil {
			return err
		}
		d := readmodel.Difference{Table: table, Offset: row.Offset, Kind: readmodel.Adds, Have: row}
		c.report.add(Finding{Offset: d.Offset, What: d.String()})
	}
	return nil
}

// inWords reports whether a difference is only in the words that say how an event is damaged, which are not always the same. Those
// of an event whose key or user is taken, and of a hole, which has no subject, are.
func inWords(d readmodel.Difference) bool {
	if d.Table != readmodel.DeadLetters || !slices.Equal(d.Columns, []string{"reason"}) {
		return false
	}
	columns := readmodel.Columns(d.Table)
	reason, subject := d.Want.Values[slices.Index(columns, "reason")].String, d.Want.Values[slices.Index(columns, "subject")]
	return subject.Valid && reason != readmodel.ReasonKeyTaken && reason != readmodel.ReasonUserTaken
}

// shown counts rows as they are read, and shows how far that is.
func shown(rows iter.Seq2[readmodel.TableRow, error], bar *progress.Bar, n *uint64) iter.Seq2[readmodel.TableRow, error] {
	return func(yield func(readmodel.TableRow, error) bool) {
		for row, err := range rows {
			if err == nil {
				*n++
				bar.Set(row.Offset)
			}
			if !yield(row, err) {
				return
			}
		}
	}
}
