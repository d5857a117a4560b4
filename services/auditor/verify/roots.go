package verify

import (
	"context"
	"fmt"
	"iter"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/streams/notary"
)

// rootCheck compares the roots that checkpoints have, in whatever order they were signed, with those of the log's own tree: those
// kept elsewhere, and those of trees that AUDIT has abandoned.
type rootCheck struct {
	ctx     context.Context
	found   *findings
	seen    *CheckpointReport
	sorter  *sorter[root]
	resumed uint64
	through uint64 // the span's end
	last    uint64 // the log's
	origins []*origin
	entries *entryCheck // of AUDIT, in the same lane and before this one; nil: AUDIT holds none

	tree *notary.Tree
	fit  uint64 // size at which a root last did fit
	next func() (root, error, bool)
	stop func()
	head root
	more bool
}

// origin is where checkpoints are from.
type origin struct {
	name      string
	elsewhere bool // not from AUDIT
	newest    uint64
	beyond    root     // the newest one that speaks of more than the log has
	first     *Finding // the first whose root does not fit
	others    int      // which do not fit either
}

// newRootCheck makes one without any roots. tree is its own.
func newRootCheck(ctx context.Context, found *findings, seen *CheckpointReport, tree *notary.Tree, through, last uint64) *rootCheck {
	return &rootCheck{
		ctx: ctx, found: found, seen: seen, sorter: newSorter(ctx, roots, chunk/4), tree: tree, resumed: tree.Size(),
		fit: tree.Size(), through: through, last: last,
	}
}

// from adds an origin.
func (c *rootCheck) from(name string, elsewhere bool) *origin {
	c.origins = append(c.origins, &origin{name: name, elsewhere: elsewhere})
	return c.origins[len(c.origins)-1]
}

// add takes a checkpoint of the newest origin.
func (c *rootCheck) add(checkpoint notary.Checkpoint, number uint64) {
	o := c.origins[len(c.origins)-1]
	o.newest = max(o.newest, checkpoint.Size)
	r := root{checkpoint.Size, checkpoint.Root, uint64(len(c.origins) - 1), number}
	switch {
	case r.size > c.last:
		if r.size > o.beyond.size {
			o.beyond = r
		}
	case r.size <= c.through && (r.size > c.resumed || c.resumed == 0):
		c.sorter.add(r)
	default:
		return // outside of what was asked for
	}
	if o.elsewhere {
		c.seen.Kept++
	}
}

// begin comes after the last add.
func (c *rootCheck) begin() error {
	c.next, c.stop = iter.Pull2(c.sorter.all())
	if err := c.pull(); err != nil {
		return err
	}
	return c.judge() // of the empty log
}

func (c *rootCheck) pull() (err error) {
	c.head, err, c.more = c.next()
	if err != nil {
		return fmt.Errorf("sort checkpoints: %w", err)
	}
	return nil
}

func (c *rootCheck) take(it *item) error { return c.leaf(leafOf(it)) }

func (c *rootCheck) hole(from, through uint64) error {
	for offset := from; offset <= through && c.more; offset++ {
		if err := c.leaf(notary.NoLeaf()); err != nil {
			return err
		}
		if offset%(1<<16) == 0 && c.ctx.Err() != nil {
			return c.ctx.Err()
		}
	}
	return nil
}

func (c *rootCheck) leaf(leaf tlog.Hash) error {
	if !c.more {
		return nil
	}
	if _, err := c.tree.Append(leaf); err != nil {
		return err
	}
	return c.judge()
}

// judge compares the roots that are said to be those of the tree as it is.
func (c *rootCheck) judge() error {
	if !c.more || c.head.size != c.tree.Size() {
		return nil
	}
	hash, err := c.tree.Root()
	if err != nil {
		return err
	}
	fit := c.fit
	for c.more && c.head.size == c.tree.Size() {
		if c.head.hash == hash {
			c.fit = c.head.size
		} else {
			c.origins[c.head.origin].differs(c.head, fit)
		}
		if err := c.pull(); err != nil {
			return err
		}
	}
	return nil
}

func (o *origin) differs(r root, fit uint64) {
	if o.first != nil {
		o.others++
		return
	}
	o.first = &Finding{Offset: min(fit+1, r.size), Through: r.size, What: fmt.Sprintf(
		"%s: checkpoint %d, of the log up to offset %d, is not of what the log holds: something was altered at one of these offsets", o.name, r.number, r.size)}
}

func (c *rootCheck) end() error {
	for _, o := range c.origins {
		if o.first != nil {
			if o.others > 0 {
				o.first.What += fmt.Sprintf("; nor are %d further ones", o.others)
			}
			c.found.add(*o.first)
		}
		if (c.entries == nil || c.entries.ended) && o.newest > c.seen.Newest {
			c.found.add(Finding{Offset: c.seen.Newest + 1, Through: o.newest, What: fmt.Sprintf(
				"%s: there is a checkpoint of the log up to offset %d, and stream AUDIT goes to offset %d only: it is an older copy, or has lost its end",
				o.name, o.newest, c.seen.Newest)})
		}
		if r := o.beyond; r.size > 0 {
			c.found.add(Finding{Offset: c.last + 1, Through: r.size, What: fmt.Sprintf(
				"%s: checkpoint %d is of the log up to offset %d, and the log ends at offset %d: it is an older copy, or has lost its end",
				o.name, r.number, r.size, c.last)})
		}
	}
	return nil
}

func (c *rootCheck) close() {
	if c.stop != nil {
		c.stop()
	}
	c.sorter.close()
}
