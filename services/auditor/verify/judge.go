package verify

import (
	"fmt"
	"slices"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

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
