package verify

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/projection"
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

// wanted is the row that an event must have, unless an earlier one stands in its way.
func wanted(it *item) (readmodel.Table, readmodel.TableRow, bool) {
	e := &it.event
	switch {
	case it.damage != nil || it.misplaced != nil:
		return readmodel.DeadLetters, buried(it, ""), true
	case e.Message():
		return readmodel.Messages, readmodel.MessageRow(e), true
	case e.Known():
		return readmodel.Users, readmodel.UserRow(e), true
	}
	return "", readmodel.TableRow{}, false
}

// buried is an event as a dead letter.
func buried(it *item, reason string) readmodel.TableRow {
	stored := readmodel.Stored{Subject: it.Subject, Header: it.Header, Content: it.Content}
	row := readmodel.Row{Event: it.event, Stored: stored}
	return readmodel.DeadLetterRow(row.DeadLetter(reason))
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

// judge judges what differs at the offset of an event.
func (r *rowCheck) judge(it *item) error {
	if it.damage != nil || it.misplaced != nil {
		r.drop(func(d *readmodel.Difference) bool { // the reason is free text, of the version that wrote it
			return d.Table == readmodel.DeadLetters && d.Kind == readmodel.Alters && slices.Equal(d.Columns, []string{"reason"})
		})
	} else if err := r.refused(it); err != nil {
		return err
	}
	for _, d := range r.differences {
		r.add(d)
	}
	return nil
}

// refused settles the differences of an event whose key or user is rightly taken.
func (r *rowCheck) refused(it *item) error {
	table, _, ok := wanted(it)
	if !ok {
		return nil
	}
	reason := readmodel.ReasonKeyTaken
	if table == readmodel.Users {
		reason = readmodel.ReasonUserTaken
	}
	letter := buried(it, reason)
	lacks := func(d *readmodel.Difference) bool { return d.Table == table && d.Kind == readmodel.Lacks }
	refusal := func(d *readmodel.Difference) bool {
		return d.Table == readmodel.DeadLetters && d.Kind == readmodel.Adds && slices.Equal(d.Have.Values, letter.Values) && len(d.Have.Mistyped) == 0
	}
	if !r.holds(lacks) || !r.holds(refusal) {
		return nil
	}
	earlier, err := r.holder(&it.event)
	if err != nil {
		return err
	}
	r.drop(func(d *readmodel.Difference) bool { return lacks(d) || refusal(d) })
	if earlier == 0 || earlier >= it.Offset {
		r.found.add(Finding{Offset: it.Offset, What: fmt.Sprintf("%s has the event and says that %s, but it holds no such one", readmodel.DeadLetters, reason)})
	}
	return nil
}

// holder is the offset of the event that has the key or user of e.
func (r *rowCheck) holder(e *event.Event) (uint64, error) {
	if e.Message() {
		return r.reader.KeyAt(r.ctx, e.Scope, e.Key)
	}
	return r.reader.UserAt(r.ctx, e.Sender)
}

func (r *rowCheck) holds(is func(*readmodel.Difference) bool) bool {
	return slices.ContainsFunc(r.differences, func(d readmodel.Difference) bool { return is(&d) })
}

func (r *rowCheck) drop(is func(*readmodel.Difference) bool) {
	r.differences = slices.DeleteFunc(r.differences, func(d readmodel.Difference) bool { return is(&d) })
}

// hollow is a hole in the log beside the read model.
type hollow struct {
	found         *findings
	from, through uint64
	cut           bool   // the hole may be longer than what of it is seen
	accounted     uint64 // how many of its offsets the read model says something of
	said          uint64 // the last offset that a dead letter speaks of
}

func (r *rowCheck) hole(from, through uint64) error {
	if through = min(through, r.through); from > through {
		return nil
	}
	cut := through == r.through || from == r.after+1 && r.after > 0
	r.hollow = &hollow{found: r.found, from: from, through: through, cut: cut}
	defer func() { r.hollow = nil }()
	if err := r.settle(through); err != nil {
		return err
	}
	r.hollow.end()
	return nil
}

// row is told of each row that the read model has at the offsets of the hole.
func (h *hollow) row(d readmodel.Difference) {
	have, ok := missingRange(d)
	if !ok {
		h.accounted++
		h.found.add(Finding{Offset: d.Offset, What: d.String() + ", and the log holds nothing here"})
		return
	}
	if through := have; through > h.through && !h.cut || d.Offset <= h.said {
		h.found.add(Finding{Offset: d.Offset, Through: through, What: fmt.Sprintf(
			"%s says that the log holds nothing at offsets %d to %d, which is not the hole", readmodel.DeadLetters, d.Offset, through)})
	}
	h.said = max(h.said, have)
	h.accounted += min(have, h.through) - d.Offset + 1
}

// missingRange is the last offset of the range of which a row says that the log does not hold it.
func missingRange(d readmodel.Difference) (through uint64, ok bool) {
	if d.Table != readmodel.DeadLetters {
		return 0, false
	}
	if _, err := fmt.Sscan(d.Have.Values[1].String, &through); err != nil || through < d.Offset {
		return 0, false
	}
	want := readmodel.DeadLetterRow(projection.Missing(d.Offset, through))
	return through, slices.Equal(want.Values, d.Have.Values) && len(d.Have.Mistyped) == 0
}

func (h *hollow) end() {
	if length := h.through - h.from + 1; h.accounted < length && !h.cut {
		h.found.add(Finding{Offset: h.from, Through: h.through, What: fmt.Sprintf(
			"the read model says nothing of %d of the %d offsets that the log does not hold", length-h.accounted, length)})
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
