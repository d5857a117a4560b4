package notary

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// MaxLeaves is how many leaves one entry may add: with their hashes it stays within what a NATS message can hold (1 MiB).
const MaxLeaves = 4000

// Entry is one message of the stream: a signed checkpoint, and the hashes that make its tree of the one before.
type Entry struct {
	Sequence uint64 `json:"-"` // in the stream, from 1
	// Began is the sequence of the entry that began this tree. Another tree is begun when the log has become another one,
	// of another epoch, and behind what is no entry.
	Began  uint64 `json:"began"`
	From   uint64 `json:"from"` // size of the tree before
	Size   uint64 `json:"size"` // the checkpoint's
	Signed string `json:"checkpoint"`
	// Hashes are the stored hashes of the leaves From to Size-1 (tlog.StoredHashes), 32 bytes each.
	Hashes []byte `json:"hashes"`
}

// MakeEntry adds leaves (1 to MaxLeaves) to a tree and signs what it is then, as the entry to [Audit.Append] behind previous.
// An empty tree begins another tree; else it must be previous' tree and epoch. The tree has grown only if there is no error; if
// Append then fails, the tree is ahead of the stream and is of no more use: see there.
func MakeEntry(previous Entry, tree *Tree, leaves []tlog.Hash, epoch string, at time.Time, signer note.Signer) (Entry, error) {
	const doing = "make an entry of a checkpoint"
	if n := len(leaves); n < 1 || n > MaxLeaves {
		return Entry{}, fmt.Errorf("%s: %d leaves are not 1 to %d", doing, n, MaxLeaves)
	}
	var began uint64
	if tree.Size() > 0 {
		began = previous.Began
		before, err := previous.Checkpoint()
		if err != nil {
			return Entry{}, fmt.Errorf("%s: the one before: %w", doing, err)
		}
		if before.Size != tree.Size() || before.Epoch != epoch {
			return Entry{}, fmt.Errorf("%s: a tree of %d of epoch %s cannot follow one of %d of epoch %s",
				doing, tree.Size(), epoch, before.Size, before.Epoch)
		}
	}
	next := *tree
	hashes, err := next.Grow(leaves)
	if err != nil {
		return Entry{}, fmt.Errorf("%s: %w", doing, err)
	}
	root, err := next.Root()
	if err != nil {
		return Entry{}, fmt.Errorf("%s: %w", doing, err)
	}
	signed, err := Sign(Checkpoint{Size: next.Size(), Root: root, Epoch: epoch, Time: at}, signer)
	if err != nil {
		return Entry{}, fmt.Errorf("%s: %w", doing, err)
	}
	e := Entry{Began: began, From: tree.Size(), Size: next.Size(), Signed: string(signed), Hashes: hashes}
	*tree = next
	return e, nil
}

// Checkpoint is what the entry's signed note says, whoever signed it (see [Verify]).
func (e *Entry) Checkpoint() (Checkpoint, error) { return Read([]byte(e.Signed)) }

// Leaves are the leaves of the offsets From+1 to Size, in order, as the stream has them: nothing but [Tree.Append] of all of
// them, and the signed root, shows that they are the log's.
func (e *Entry) Leaves() []tlog.Hash {
	leaves := make([]tlog.Hash, 0, e.Size-e.From)
	stored := e.Hashes
	for n := e.From; n < e.Size && len(stored) >= tlog.HashSize; n++ {
		leaves = append(leaves, tlog.Hash(stored[:tlog.HashSize]))
		// Behind a leaf come the hashes of the subtrees that it completes.
		stored = stored[min(len(stored), tlog.HashSize*(1+bits.TrailingZeros64(n+1))):]
	}
	return leaves
}

// decode reads the message of a sequence, and refuses what no notary has written.
func decode(sequence uint64, message []byte) (Entry, error) {
	var e Entry
	if err := json.Unmarshal(message, &e); err != nil {
		return Entry{}, err
	}
	e.Sequence = sequence
	if err := e.check(); err != nil {
		return Entry{}, err
	}
	return e, nil
}

// check says what is wrong with an entry by itself.
func (e *Entry) check() error {
	switch {
	case e.Size <= e.From || e.Size-e.From > MaxLeaves || e.Size > maxSize:
		return fmt.Errorf("it makes a tree of %d of one of %d", e.Size, e.From)
	case int64(len(e.Hashes)) != tlog.HashSize*(stored(e.Size)-stored(e.From)):
		return fmt.Errorf("%d bytes are not the hashes that make a tree of %d of one of %d", len(e.Hashes), e.Size, e.From)
	case e.Began == 0 || e.Began > e.Sequence || (e.Began == e.Sequence) != (e.From == 0):
		return fmt.Errorf("entry %d, from size %d, does not belong to a tree that began at %d", e.Sequence, e.From, e.Began)
	}
	c, err := e.Checkpoint()
	if err == nil && c.Size != e.Size {
		err = fmt.Errorf("its checkpoint is of size %d, it of %d", c.Size, e.Size)
	}
	return err
}

// follows says why an entry cannot come right behind another.
func (e *Entry) follows(before *Entry) error {
	if e.From == 0 {
		return nil // it begins a tree
	}
	if e.Began != before.Began || e.From != before.Size {
		return fmt.Errorf("entry %d goes on from size %d of tree %d, the one before ends at size %d of tree %d",
			e.Sequence, e.From, e.Began, before.Size, before.Began)
	}
	was, err1 := before.Checkpoint()
	is, err2 := e.Checkpoint()
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if was.Epoch != is.Epoch {
		return fmt.Errorf("entry %d goes on with epoch %s in a tree of epoch %s", e.Sequence, is.Epoch, was.Epoch)
	}
	return nil
}

// stored counts the hashes that are stored of a tree, which is the index of the next leaf.
func stored(size uint64) int64 { return tlog.StoredHashCount(int64(size)) }
