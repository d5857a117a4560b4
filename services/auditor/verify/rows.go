package verify

import (
	"context"
	"fmt"
	"iter"

	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

// maxCrowd is how many differences at one offset are judged together. Further ones are findings as they are.
const maxCrowd = 64

// rowCheck walks the tables of a read model beside the log.
//
//	event                     row
//	a message, in place       in messages, or a dead letter if an earlier event has its key
//	a registration, in place  in users, or a dead letter if an earlier event has its user
//	damaged, out of place     a dead letter with what the log holds
//	of another type, newer    none
//	a hole                    a dead letter of the range
type rowCheck struct {
	ctx      context.Context
	reader   readmodel.Reader
	found    *findings
	seen     *ReadModelReport
	position readmodel.Position // read before the log's end was
	after    uint64             // what is compared: after < offset <= through
	through  uint64
	whole    bool // everything up to the checkpoint is

	tables      map[readmodel.Table]*readmodel.Comparison
	differences []readmodel.Difference // not judged yet, all of one offset
	hollow      *hollow                // set while a hole is compared
}

func newRowCheck(ctx context.Context, reader readmodel.Reader, found *findings, seen *ReadModelReport, position readmodel.Position, after, through uint64) *rowCheck {
	r := &rowCheck{
		ctx: ctx, reader: reader, found: found, seen: seen, position: position, after: after, through: through,
		tables: make(map[readmodel.Table]*readmodel.Comparison, len(readmodel.Tables)),
	}
	seen.Rows = make(map[readmodel.Table]uint64, len(readmodel.Tables))
	for _, table := range readmodel.Tables {
		r.tables[table] = readmodel.NewComparison(table, r.counted(table), r.differs)
	}
	return r
}

// counted are the rows of a table.
func (r *rowCheck) counted(table readmodel.Table) iter.Seq2[readmodel.TableRow, error] {
	return func(yield func(readmodel.TableRow, error) bool) {
		var n uint64
		defer func() { r.seen.Rows[table] = n }()
		for row, err := range r.reader.Rows(r.ctx, table, r.after, r.through) {
			if err == nil {
				n++
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

func (r *rowCheck) close() {
	for _, comparison := range r.tables {
		comparison.Close()
	}
}

// differs is told of each difference.
func (r *rowCheck) differs(d readmodel.Difference) error {
	switch {
	case r.hollow != nil:
		r.hollow.row(d)
	case len(r.differences) < maxCrowd:
		r.differences = append(r.differences, d)
	default:
		r.add(d)
	}
	return nil
}

func (r *rowCheck) add(d readmodel.Difference) {
	r.found.add(Finding{Offset: d.Offset, What: d.String()})
}

func (r *rowCheck) take(it *item) error {
	if it.Offset > r.through {
		return nil
	}
	if it.Offset == r.position.Offset {
		r.compareCheckpoint(it)
	}
	if table, row, ok := wanted(it); ok {
		if err := r.tables[table].Want(row); err != nil {
			return err
		}
	}
	if err := r.settle(it.Offset); err != nil || len(r.differences) == 0 {
		return err
	}
	defer func() { r.differences = r.differences[:0] }()
	return r.judge(it)
}

// settle reports what differs up to an offset.
func (r *rowCheck) settle(offset uint64) error {
	for _, table := range readmodel.Tables {
		if err := r.tables[table].Through(offset); err != nil {
			return err
		}
	}
	return nil
}

// compareCheckpoint compares the read model's checkpoint with the event that it says it is at.
func (r *rowCheck) compareCheckpoint(it *item) {
	if !r.position.At.Equal(it.At) {
		r.found.add(Finding{Offset: it.Offset, What: fmt.Sprintf("the checkpoint says that the event here is of %s, the log that it is of %s",
			timeText(r.position.At), timeText(it.At))})
	}
	if r.position.Digest != it.event.Digest {
		r.found.add(Finding{Offset: it.Offset, What: fmt.Sprintf("the checkpoint says that the event here has the digest %s, the log that it has %s",
			r.position.Digest, it.event.Digest)})
	}
}

// end looks at what has no place in the log.
func (r *rowCheck) end() error {
	if err := r.settle(^uint64(0)); err != nil { // only a through of 0 leaves anything
		return err
	}
	if !r.whole {
		return nil
	}
	for _, table := range readmodel.Tables {
		for row, err := range r.reader.Strays(r.ctx, table) {
			if err != nil {
				return fmt.Errorf("read table %s: %w", table, err)
			}
			d := readmodel.Difference{Table: table, Offset: row.Offset, Kind: readmodel.Adds, Have: row}
			r.found.add(Finding{Offset: row.Offset, What: d.String() + ", where no persister can have written one"})
		}
	}
	for d, err := range r.reader.Direct(r.ctx) {
		if err != nil {
			return fmt.Errorf("read direct conversations: %w", err)
		}
		r.found.add(Finding{Offset: max(d.Want, d.Have), What: d.String()})
	}
	return nil
}
