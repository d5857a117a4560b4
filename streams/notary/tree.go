package notary

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Tree is a tree that grows, kept by its right edge alone: at most one hash for each of its levels. Not safe for concurrent use.
type Tree struct {
	size int64
	edge [64]node // the newest complete subtree of each level
}

// node is a stored hash and its index among all stored hashes (tlog.StoredHashIndex).
type node struct {
	index int64
	hash  tlog.Hash
}

// Resume is the tree of so many leaves whose hashes r has.
func Resume(size uint64, r tlog.HashReader) (*Tree, error) {
	t := &Tree{size: int64(size)}
	if size == 0 {
		return t, nil
	}
	// What the root is made of is just the edge that what follows is made of.
	_, err := tlog.TreeHash(t.size, tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes, err := r.ReadHashes(indexes)
		if err == nil {
			for i, index := range indexes {
				t.keep(index, hashes[i])
			}
		}
		return hashes, err
	}))
	if err != nil {
		return nil, fmt.Errorf("resume the tree of %d: %w", size, err)
	}
	return t, nil
}

// Size is how many leaves there are, which is the offset of the last one.
func (t *Tree) Size() uint64 { return uint64(t.size) }

// Append adds the leaf of the next offset and returns the hashes that are new with it, in the order in which all hashes are
// stored.
func (t *Tree) Append(leaf tlog.Hash) ([]tlog.Hash, error) {
	hashes, err := tlog.StoredHashesForRecordHash(t.size, leaf, t)
	if err != nil {
		return nil, err
	}
	first := tlog.StoredHashIndex(0, t.size)
	for i, hash := range hashes {
		t.keep(first+int64(i), hash)
	}
	t.size++
	return hashes, nil
}

// Root is the tree's hash.
func (t *Tree) Root() (tlog.Hash, error) { return tlog.TreeHash(t.size, t) }

func (t *Tree) keep(index int64, hash tlog.Hash) {
	level, _ := tlog.SplitStoredHashIndex(index)
	t.edge[level] = node{index, hash}
}

// ReadHashes implements tlog.HashReader for what the root and the next leaf need.
func (t *Tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		level, _ := tlog.SplitStoredHashIndex(index)
		if t.edge[level].index != index {
			return nil, fmt.Errorf("hash %d is not on the edge of the tree of %d", index, t.size)
		}
		hashes[i] = t.edge[level].hash
	}
	return hashes, nil
}
