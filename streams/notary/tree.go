package notary

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// maxSize bounds the size of a tree, so that the indexes of its stored hashes fit into an int64.
const maxSize = 1 << 60

// Tree is a tree that grows, kept by its right edge alone: one hash for each bit of its size that is set, that of a complete
// subtree of so many leaves. A leaf is added as one is added to a binary number. A copy is a tree of its own. Not safe for
// concurrent use.
type Tree struct {
	size  uint64
	edge  [64]tlog.Hash // of level i, where bit i of size is set
	fresh [64]tlog.Hash // what Append returns
}

// Resume is the tree of so many leaves whose hashes r has. It is as true as they are: compare its Root with a signed one.
func Resume(size uint64, r tlog.HashReader) (*Tree, error) {
	t := &Tree{size: size}
	if size > maxSize {
		return nil, fmt.Errorf("resume the tree of %d: it is too large", size)
	}
	if size == 0 {
		return t, nil
	}
	var levels []int
	var indexes []int64
	for level := range t.edge {
		if t.has(level) {
			levels = append(levels, level)
			indexes = append(indexes, tlog.StoredHashIndex(level, t.newest(level)))
		}
	}
	hashes, err := r.ReadHashes(indexes)
	if err == nil && len(hashes) != len(indexes) {
		err = fmt.Errorf("%d hashes instead of %d", len(hashes), len(indexes))
	}
	if err != nil {
		return nil, fmt.Errorf("resume the tree of %d: %w", size, err)
	}
	for i, level := range levels {
		t.edge[level] = hashes[i]
	}
	return t, nil
}

// Size is how many leaves there are, which is the offset of the last one.
func (t *Tree) Size() uint64 { return t.size }

// Append adds the leaf of the next offset and returns the hashes that are new with it, in the order in which all hashes are
// stored (as tlog.StoredHashes does). They are the tree's own, until the next Append.
func (t *Tree) Append(leaf tlog.Hash) ([]tlog.Hash, error) {
	if t.size == maxSize {
		return nil, errors.New("the tree is full")
	}
	level := 0
	t.fresh[0] = leaf
	for ; t.has(level); level++ {
		t.fresh[level+1] = tlog.NodeHash(t.edge[level], t.fresh[level])
	}
	t.edge[level] = t.fresh[level]
	t.size++
	return t.fresh[:level+1], nil
}

// Grow appends leaves and returns all hashes that are new with them, 32 bytes each: what [Entry.Hashes] holds.
func (t *Tree) Grow(leaves []tlog.Hash) ([]byte, error) {
	stored := make([]byte, 0, tlog.HashSize*(2*len(leaves)+64))
	for _, leaf := range leaves {
		hashes, err := t.Append(leaf)
		if err != nil {
			return nil, err
		}
		for _, hash := range hashes {
			stored = append(stored, hash[:]...)
		}
	}
	return stored, nil
}

// Root is the tree's hash; that of the empty tree is that of nothing.
func (t *Tree) Root() (tlog.Hash, error) { return tlog.TreeHash(int64(t.size), t) }

// ReadHashes implements tlog.HashReader for what is on the edge, which is what the root and the next leaf need.
func (t *Tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index < 0 {
			return nil, fmt.Errorf("there is no hash %d", index)
		}
		level, n := tlog.SplitStoredHashIndex(index)
		if !t.has(level) || n != t.newest(level) {
			return nil, fmt.Errorf("hash %d is not on the edge of the tree of %d", index, t.size)
		}
		hashes[i] = t.edge[level]
	}
	return hashes, nil
}

// has reports whether the edge has a hash of a level.
func (t *Tree) has(level int) bool { return t.size>>level&1 == 1 }

// newest is the number, within its level, of the subtree that the edge has.
func (t *Tree) newest(level int) int64 { return int64(t.size>>level) - 1 }
