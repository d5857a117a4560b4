package proof

import (
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/services/auditor/record"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

// Inclusion proves that an event is in the log, at its offset and with its time, of which a checkpoint was signed.
type Inclusion struct {
	Kind       string        `json:"kind"`
	Event      record.Record `json:"event"`
	Hashes     []tlog.Hash   `json:"hashes"` // from the leaf up; never nil
	Checkpoint string        `json:"checkpoint"`
}

// Include makes the proof for an event, of the hashes of the tree that signed speaks of, whose checkpoint is c. The hashes need not be
// trusted: the proof has been checked against c.
func Include(event record.Record, signed string, c notary.Checkpoint, hashes tlog.HashReader) (*Inclusion, error) {
	path, err := Path(&event, c, hashes)
	if err != nil {
		return nil, err
	}
	return &Inclusion{Kind: KindInclusion, Event: event, Hashes: path, Checkpoint: signed}, nil
}

// Path is the hashes that lead from an event to the root of c, checked; never nil. It is ErrRefused if they do not lead there,
// which says what is wrong: the event or the hashes.
func Path(event *record.Record, c notary.Checkpoint, hashes tlog.HashReader) ([]tlog.Hash, error) {
	if event.Offset == 0 || event.Offset > c.Size {
		return nil, fmt.Errorf("offset %d is not in the checkpoint, which covers the offsets from 1 to %d", event.Offset, c.Size)
	}
	if !event.Faithful() {
		return nil, refused("the text of the event at offset %d is not UTF-8, and a proof could not hold it as it is", event.Offset)
	}
	if _, err := event.Event(); err != nil {
		return nil, refused("%w", err)
	}
	path, err := tlog.ProveRecord(int64(c.Size), int64(event.Offset)-1, hashes)
	if err != nil {
		return nil, fmt.Errorf("read the tree's hashes: %w", err)
	}
	if path == nil {
		path = tlog.RecordProof{}
	}
	if err := CheckPath(event, path, c); err != nil {
		return nil, blame(err, c, hashes)
	}
	return path, nil
}

// blame tells whether it is the tree's hashes that do not fit a checkpoint, or, as they do, what was to be shown by them.
func blame(err error, c notary.Checkpoint, hashes tlog.HashReader) error {
	root, rootErr := tlog.TreeHash(int64(c.Size), hashes)
	switch {
	case rootErr != nil:
		return fmt.Errorf("read the tree's hashes: %w", rootErr)
	case root != c.Root:
		return refused("the tree in the stream %s is not the one of which the checkpoint of %d, signed %s, speaks", notary.StreamName, c.Size, stamp(c))
	}
	return err
}

// CheckPath checks that an event is what was sealed, and that its path leads to the root of c. Its error is ErrRefused.
func CheckPath(event *record.Record, path []tlog.Hash, c notary.Checkpoint) error {
	e, err := event.Event()
	if err != nil {
		return refused("%w", err)
	}
	if err := tlog.CheckRecord(path, int64(c.Size), c.Root, int64(e.Offset)-1, notary.Leaf(&e)); err != nil {
		return refused("the event is not the one at offset %d of the log of which the checkpoint of %d was signed", e.Offset, c.Size)
	}
	return nil
}

// ReadInclusion reads a proof file. Nothing is proved before Check.
func ReadInclusion(file []byte) (*Inclusion, error) {
	var p Inclusion
	if err := Decode(file, &p); err != nil {
		return nil, err
	}
	if p.Kind != KindInclusion || p.Hashes == nil {
		return nil, errForm
	}
	return &p, nil
}

// Check checks the proof by the notary's keys alone and returns the checkpoint that it leads to. Its error is ErrRefused.
func (p *Inclusion) Check(keys ...note.Verifier) (notary.Checkpoint, error) {
	c, err := Verify(p.Checkpoint, keys...)
	if err != nil {
		return c, err
	}
	return c, CheckPath(&p.Event, p.Hashes, c)
}
