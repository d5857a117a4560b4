package notary

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/streams/fault"
)

// What a reader of hashes keeps of entries: about so many bytes, and then nothing of them.
const (
	maxKept  = 64 << 20
	keptEach = 1 << 10 // of an entry besides its hashes
)

// Hashes reads stored hashes of the tree that an entry belongs to, up to its size: what tlog.ProveRecord and tlog.ProveTree
// ask for. It finds the entries by bisection, one round trip for each it has not seen. Not safe for concurrent use; it ends
// with ctx.
//
// The hashes are what the stream has, and are not to be trusted: check what is made of them against a root that is signed
// (tlog.CheckRecord, tlog.CheckTree).
func (a *Audit) Hashes(ctx context.Context, last Entry) tlog.HashReader {
	c := &chain{ctx: ctx, audit: a, last: &last}
	return tlog.HashReaderFunc(c.readHashes)
}

// LeafAt is the leaf that a tree has of an offset, from 1.
func LeafAt(r tlog.HashReader, offset uint64) (tlog.Hash, error) {
	if offset == 0 || offset > maxSize {
		return tlog.Hash{}, fault.Errorf(opRead, fault.Permanent, "there is no leaf of offset %d", offset)
	}
	hashes, err := r.ReadHashes([]int64{tlog.StoredHashIndex(0, int64(offset-1))})
	if err != nil {
		return tlog.Hash{}, err
	}
	return hashes[0], nil
}

// chain is the entries of one tree, last.Began to last.Sequence: each makes the tree larger. Where the stream has lost some of
// them, what the others hold is still found.
type chain struct {
	ctx    context.Context // of the reading
	audit  *Audit
	reader *reader // nil until something is read
	last   *Entry
	kept   map[uint64]*Entry // nil for one that is lost
	bytes  int               // of what is kept
}

func (c *chain) readHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index < 0 || index >= stored(c.last.Size) {
			return nil, fault.Errorf(opRead, fault.Permanent, "hash %d is outside of the tree of %d", index, c.last.Size)
		}
		e, err := c.first(func(e *Entry) bool { return index < stored(e.Size) })
		if err != nil {
			return nil, err
		}
		at := tlog.HashSize * (index - stored(e.From))
		if at < 0 || at+tlog.HashSize > int64(len(e.Hashes)) {
			_, err := corrupt(e.Sequence-1, fmt.Errorf("hash %d of the tree of %d was in it and is lost", index, c.last.Size))
			return nil, err
		}
		hashes[i] = tlog.Hash(e.Hashes[at : at+tlog.HashSize])
	}
	return hashes, nil
}

// first is the first entry that is such, of those that are not lost; all behind it are such, and so is last.
func (c *chain) first(such func(*Entry) bool) (*Entry, error) {
	low, high, found := c.last.Began, c.last.Sequence, c.last
	for low < high {
		middle := low + (high-low)/2
		e, err := c.entry(middle)
		for next := middle + 1; err == nil && e == nil && next < high; next++ {
			e, err = c.entry(next)
		}
		switch {
		case err != nil:
			return nil, err
		case e == nil: // as all up to high are
			high = middle
		case such(e):
			high, found = middle, e
		default:
			low = e.Sequence + 1
		}
	}
	return found, nil
}

// entry is the entry of a sequence, nil if it is lost.
func (c *chain) entry(sequence uint64) (*Entry, error) {
	if sequence == c.last.Sequence {
		return c.last, nil
	}
	if e, ok := c.kept[sequence]; ok {
		return e, nil
	}
	e, err := c.read(sequence)
	if err == nil {
		c.keep(sequence, e)
	}
	return e, err
}

func (c *chain) keep(sequence uint64, e *Entry) {
	size := keptEach
	if e != nil {
		size += len(e.Hashes)
	}
	if c.bytes += size; c.kept == nil || c.bytes > maxKept {
		c.kept, c.bytes = make(map[uint64]*Entry), size
	}
	c.kept[sequence] = e
}

func (c *chain) read(sequence uint64) (*Entry, error) {
	if c.reader == nil {
		r, err := c.audit.open(c.ctx)
		if err != nil {
			return nil, err
		}
		c.reader = r
	}
	e, err := c.reader.get(c.ctx, sequence)
	switch {
	case fault.Is(err, fault.Corrupt):
		return nil, nil
	case err != nil:
		return nil, err
	case e.Began != c.last.Began || e.Size > c.last.From: // it is not of this tree, whoever put it there
		return nil, nil
	}
	return &e, nil
}
