package proof

import (
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/streams/notary"
)

// Consistency proves that the log of a newer checkpoint begins with all of the log of an older one.
type Consistency struct {
	Kind   string      `json:"kind"`
	Older  string      `json:"older"` // signed
	Newer  string      `json:"newer"`
	Hashes []tlog.Hash `json:"hashes"` // never nil
}

// Signed is a checkpoint and the note that it was read from.
type Signed struct {
	Note       string
	Checkpoint notary.Checkpoint
}

// Extend makes the proof that newer extends older, from the hashes of newer's tree. It is ErrRefused if it does not; the hashes need
// not be trusted for either answer: they are checked against newer.
func Extend(older, newer Signed, hashes tlog.HashReader) (*Consistency, error) {
	o, n := older.Checkpoint, newer.Checkpoint
	if err := sameLog(o, n); err != nil {
		return nil, err
	}
	path, err := tlog.ProveTree(int64(n.Size), int64(o.Size), hashes)
	if err != nil {
		return nil, fmt.Errorf("read the tree's hashes: %w", err)
	}
	if path == nil {
		path = tlog.TreeProof{}
	}
	if err := extends(o, n, path); err != nil {
		return nil, blame(err, n, hashes)
	}
	return &Consistency{Kind: KindConsistency, Older: older.Note, Newer: newer.Note, Hashes: path}, nil
}

// sameLog tells whether newer can extend older at all.
func sameLog(older, newer notary.Checkpoint) error {
	switch {
	case older.Epoch != newer.Epoch:
		return refused("the checkpoints are of different logs: epochs %q and %q", older.Epoch, newer.Epoch)
	case older.Size == 0:
		return refused("the older checkpoint is of an empty log")
	case older.Size > newer.Size:
		return refused("the checkpoint of %d cannot extend that of %d", newer.Size, older.Size)
	}
	return nil
}

// extends checks the path from older to newer.
func extends(older, newer notary.Checkpoint, path []tlog.Hash) error {
	if tlog.CheckTree(path, int64(newer.Size), newer.Root, int64(older.Size), older.Root) != nil {
		return refused("the log of the checkpoint of %d, signed %s, does not begin with the log of the checkpoint of %d, signed %s",
			newer.Size, stamp(newer), older.Size, stamp(older))
	}
	return nil
}

func stamp(c notary.Checkpoint) string { return c.Time.UTC().Format("2006-01-02T15:04:05Z") }

// ReadConsistency reads a proof file. Nothing is proved before Check.
func ReadConsistency(file []byte) (*Consistency, error) {
	var p Consistency
	if err := Decode(file, &p); err != nil {
		return nil, err
	}
	if p.Kind != KindConsistency || p.Hashes == nil {
		return nil, errForm
	}
	return &p, nil
}

// Check checks the proof by the notary's keys alone, each checkpoint by any of them, and returns both checkpoints. Its error is ErrRefused.
func (p *Consistency) Check(keys ...note.Verifier) (older, newer notary.Checkpoint, err error) {
	if older, err = Verify(p.Older, keys...); err != nil {
		return older, newer, fmt.Errorf("the older checkpoint: %w", err)
	}
	if newer, err = Verify(p.Newer, keys...); err != nil {
		return older, newer, fmt.Errorf("the newer checkpoint: %w", err)
	}
	if err = sameLog(older, newer); err != nil {
		return older, newer, err
	}
	return older, newer, extends(older, newer, p.Hashes)
}
