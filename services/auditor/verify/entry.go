package verify

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/streams/notary"
)

// comparison is one entry of stream AUDIT beside the leaves that the log has.
type comparison struct {
	notary.Entry
	checkpoint notary.Checkpoint
	before     *notary.Tree // the tree that the entry goes on from; nil if that is not known
	parted     []uint64     // offsets at which the log has another leaf than the entry; at most notary.MaxLeaves
	wrong      uint64       // the first offset at which any of the entry's hashes is not the log's; 0: none
}

// leaf compares what an offset adds to the tree.
func (c *comparison) leaf(offset uint64, hashes []tlog.Hash) {
	if offset <= c.From {
		return
	}
	at := tlog.HashSize * (tlog.StoredHashCount(int64(offset-1)) - tlog.StoredHashCount(int64(c.From)))
	kept := c.Hashes[at:]
	for i := range hashes {
		if bytes.Equal(hashes[i][:], kept[i*tlog.HashSize:(i+1)*tlog.HashSize]) {
			continue
		}
		if i == 0 {
			c.parted = append(c.parted, offset)
		}
		if c.wrong == 0 {
			c.wrong = offset
		}
	}
}

// errAltered says that the hashes that an entry keeps are not those of what it signed either.
var errAltered = errors.New("the hashes kept with it do not make that root either")

// signed is the tree that the entry signed, if the hashes it keeps are those of it.
func (c *comparison) signed() (*notary.Tree, error) {
	if c.before == nil || len(c.parted) == 0 {
		return nil, errAltered
	}
	tree := *c.before
	for _, leaf := range c.Leaves() {
		if _, err := tree.Append(leaf); err != nil {
			return nil, err
		}
	}
	if root, err := tree.Root(); err != nil || root != c.checkpoint.Root {
		return nil, errors.Join(errAltered, err)
	}
	return &tree, nil
}

// judge judges the entry once the tree of the log has its size. It returns the tree to go on with: that which was signed, where
// the leaves tell what it is, so that what comes later is judged by itself; and whether its root was or could be made.
func (c *comparison) judge(tree *notary.Tree, found *findings) (next *notary.Tree, fits bool, err error) {
	root, err := tree.Root()
	if err != nil {
		return nil, false, err
	}
	if root == c.checkpoint.Root {
		if c.wrong > 0 {
			found.add(Finding{Offset: c.wrong, Sequence: c.Sequence, What: fmt.Sprintf(
				"the log makes the root that was signed at %d, but the hashes that AUDIT keeps for proofs are others: proofs made of them do not hold", c.Size)})
		}
		return tree, true, nil
	}
	signed, err := c.signed()
	if errors.Is(err, errAltered) {
		return tree, false, nil
	}
	for _, offset := range c.parted {
		found.add(Finding{Offset: offset, Sequence: c.Sequence, What: fmt.Sprintf(
			"the log does not hold here what it held when the checkpoint at %d was signed, at %s", c.Size, timeText(c.checkpoint.Time))})
	}
	return signed, true, err
}
