package verify

import (
	"errors"
	"fmt"
	"time"

	"github.com/tidemark-chat/tidemark/services/auditor/render"
	"github.com/tidemark-chat/tidemark/streams/event"
)

// denseCheck finds offsets at which the log holds nothing.
type denseCheck struct {
	silent
	found *findings
}

func (d denseCheck) hole(from, through uint64) error {
	what := "the log holds nothing here"
	if n := through - from + 1; n > 1 {
		what = fmt.Sprintf("the log holds nothing at these %d offsets", n)
	}
	d.found.add(Finding{Offset: from, Through: through, What: what})
	return nil
}

// intactCheck finds events that are not what was sealed, or are what they may not be, and counts the rest.
type intactCheck struct {
	silent
	digest, schema *findings
	seen           *RulesReport
}

// maxTypes is how many types are counted by name: the names are whatever was appended.
const maxTypes = 32

func (c intactCheck) take(it *item) error {
	e := &it.event
	switch {
	case it.damage != nil:
		c.digest.add(Finding{Offset: it.Offset, What: fmt.Sprintf("subject %q: %s", short(it.Subject), render.Visible(reason(it.damage)))})
		return nil
	case it.misplaced != nil:
		c.schema.add(Finding{Offset: it.Offset, What: fmt.Sprintf("%s: %s", render.Visible(string(e.Type)), it.misplaced)})
	case e.Schema > event.Schema:
		if c.seen.NewerSchemas++; c.seen.NewerSchemas == 1 {
			c.seen.NewerFrom = it.Offset
		}
	case !e.Known():
		c.seen.UnknownTypes++
	}
	name := render.Visible(short(string(e.Type)))
	if _, known := c.seen.Types[name]; !known && len(c.seen.Types) >= maxTypes {
		name = "other"
	}
	c.seen.Types[name]++
	return nil
}

// end says that not all was checked, if there are events whose digest this auditor does not know how to check.
func (c intactCheck) end() error {
	if c.seen.NewerSchemas == 0 {
		return nil
	}
	return fmt.Errorf("%d events, the first at offset %d, are of a newer schema than %d, which this auditor knows: "+
		"their digests were not checked, which a newer auditor does", c.seen.NewerSchemas, c.seen.NewerFrom, event.Schema)
}

// reason is what is wrong with an event, without the place that a finding names anyway.
func reason(err error) string {
	for range 2 { // the operation, then the offset and subject
		if inner := errors.Unwrap(err); inner != nil {
			err = inner
		}
	}
	return err.Error()
}

// orderCheck finds times that descend.
type orderCheck struct {
	silent
	found  *findings
	seen   *RulesReport
	before time.Time
	offset uint64 // of the event before
}

func (o *orderCheck) take(it *item) error {
	if it.At.Before(o.before) {
		o.found.add(Finding{Offset: it.Offset, What: fmt.Sprintf("its time, %s, is %s earlier than that of the event at offset %d",
			it.At.UTC().Format(time.RFC3339Nano), o.before.Sub(it.At), o.offset)})
	}
	if o.offset == 0 {
		o.seen.Began = it.At.UTC()
	}
	o.before, o.offset, o.seen.Ended = it.At, it.Offset, it.At.UTC()
	return nil
}
