package verify

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/services/auditor/render"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

// entryCheck walks the newest tree of stream AUDIT beside the log, leaf by leaf.
type entryCheck struct {
	ctx     context.Context
	trail   *trail
	keys    keyring
	epochs  *epochs
	found   *findings
	seen    *CheckpointReport
	resumed uint64 // size of the tree to begin with
	through uint64 // the span's end
	last    uint64 // the log's

	tree   *notary.Tree
	hand   *comparison   // the entry that the next leaves belong to; nil: no entry needs any more
	beyond *notary.Entry // the newest one that speaks of more than the log has
	adrift *Finding      // the first of some entries in a row whose root does not fit
	later  uint64        // how many follow it
	ended  bool          // all entries have been seen
}

// begin takes the first entry.
func (c *entryCheck) begin() error {
	c.resumed = c.tree.Size()
	c.seen.Newest, c.seen.Covered = max(c.seen.Newest, c.resumed), c.resumed
	return c.advance()
}

func (c *entryCheck) take(it *item) error { return c.leaf(it.Offset, leafOf(it)) }

// leafOf is the leaf that a notary would make.
func leafOf(it *item) tlog.Hash {
	if it.damage != nil {
		return notary.NoLeaf()
	}
	return notary.Leaf(&it.event)
}

func (c *entryCheck) hole(from, through uint64) error {
	for offset := from; offset <= through && c.hand != nil; offset++ {
		if err := c.leaf(offset, notary.NoLeaf()); err != nil {
			return err
		}
		if offset%(1<<16) == 0 && c.ctx.Err() != nil { // a hole can be of any length
			return c.ctx.Err()
		}
	}
	return nil
}

func (c *entryCheck) leaf(offset uint64, leaf tlog.Hash) error {
	if c.hand == nil {
		return nil
	}
	hashes, err := c.tree.Append(leaf)
	if err != nil {
		return err
	}
	c.hand.leaf(offset, hashes)
	if offset < c.hand.Size {
		return nil
	}
	if err := c.judge(); err != nil {
		return err
	}
	return c.advance()
}

func (c *entryCheck) judge() error {
	next, fits, err := c.hand.judge(c.tree, c.found)
	if err != nil {
		return err
	}
	c.tree = next
	switch {
	case fits:
		c.settle()
	case c.adrift == nil:
		from := c.hand.From + 1
		if c.hand.wrong > 0 {
			from = c.hand.wrong
		}
		c.adrift = &Finding{Offset: from, Through: c.hand.Size, Sequence: c.hand.Sequence, What: fmt.Sprintf(
			"the log does not make the root that was signed at %d, and %v: at which offset it was altered cannot be told", c.hand.Size, errAltered)}
	default:
		c.later++
	}
	return nil
}

// settle reports the entries in a row that did not fit.
func (c *entryCheck) settle() {
	if c.adrift == nil {
		return
	}
	if c.later > 0 {
		c.adrift.What += fmt.Sprintf("; nor does it make the roots of the %d checkpoints that follow", c.later)
	}
	c.found.add(*c.adrift)
	c.adrift, c.later = nil, 0
}

// advance takes entries up to the next one that needs leaves.
func (c *entryCheck) advance() error {
	c.hand = nil
	for c.hand == nil {
		s := c.trail.step()
		if !s.ok {
			return nil
		}
		if s.err != nil && !fault.Is(s.err, fault.Corrupt) {
			return s.err
		}
		if s.err != nil {
			c.found.add(Finding{Offset: c.tree.Size() + 1, Sequence: s.entry.Sequence, What: render.Visible(s.err.Error())})
		}
		if s.entry.Size > c.resumed {
			if err := c.use(s.entry); err != nil {
				return err
			}
		}
	}
	return nil
}

// use checks what an entry says of itself, and takes it in hand if it is to be compared with the log.
func (c *entryCheck) use(e notary.Entry) error {
	checkpoint, err := e.Checkpoint()
	if err != nil {
		return err // an entry is not read otherwise
	}
	if !c.epochs.own(checkpoint) {
		return nil
	}
	c.seen.Newest = max(c.seen.Newest, e.Size)
	if e.Size > c.through && c.through < c.last { // of what was not asked for
		return nil
	}
	if _, err := c.keys.verify([]byte(e.Signed)); err != nil {
		c.found.add(unsigned(&e, err))
	}
	c.seen.Judged++
	if e.Size > c.last {
		c.beyond = &e
		return nil
	}
	c.seen.Covered = max(c.seen.Covered, e.Size)
	if e.Size <= c.tree.Size() {
		return nil // it does not follow from the one before, which has been found
	}
	c.hand = &comparison{Entry: e, checkpoint: checkpoint}
	if c.tree.Size() == e.From {
		before := *c.tree
		c.hand.before = &before
	}
	return nil
}

func (c *entryCheck) end() error {
	c.settle()
	if e := c.beyond; e != nil {
		c.found.add(Finding{Offset: c.last + 1, Through: e.Size, Sequence: e.Sequence, What: fmt.Sprintf(
			"the log ends at offset %d, and the checkpoint at %d was signed: the log is an older copy, or has lost its end", c.last, e.Size)})
	}
	c.epochs.end(c.found, c.seen)
	c.ended = true
	return nil
}

func (c *entryCheck) close() { c.trail.close() }
