package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/tidemark-chat/tidemark/services/auditor/notes"
	"github.com/tidemark-chat/tidemark/services/auditor/proof"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

// named is the checkpoint that an argument names: a number of offsets, or a file.
func (e *evidence) named(ctx context.Context, argument string) (proof.Signed, error) {
	if size, err := strconv.ParseUint(argument, 10, 63); err == nil && size > 0 {
		return e.exactly(ctx, size)
	}
	file, err := os.Open(argument)
	if err != nil {
		return proof.Signed{}, could(fmt.Errorf("%q is neither a number of offsets nor a file that can be read: %w", argument, err))
	}
	defer file.Close()
	text, err := notes.Last(file)
	if err != nil {
		return proof.Signed{}, could(fmt.Errorf("%q holds no checkpoint: %w", argument, err))
	}
	signed, err := e.signed(text)
	if err != nil {
		return signed, verdict(fmt.Errorf("%q: %w", argument, err))
	}
	return signed, nil
}

// exactly is the checkpoint of so many offsets: that of the newest tree, or the newest of this log that an older tree has.
func (e *evidence) exactly(ctx context.Context, size uint64) (proof.Signed, error) {
	found, err := e.audit.At(ctx, size)
	if err != nil && !errors.Is(err, notary.ErrNone) {
		return proof.Signed{}, verdict(err)
	}
	if err != nil || found.Size != size {
		if found, err = e.search(ctx, size); err != nil {
			return proof.Signed{}, could(err)
		}
	}
	signed, err := e.signed(found.Signed)
	return signed, verdict(err)
}

// search looks through all checkpoints of this log. Its error names those whose sizes are nearest.
func (e *evidence) search(ctx context.Context, size uint64) (found notary.Entry, err error) {
	below, above := uint64(0), uint64(0)
	for entry, err := range e.audit.Entries(ctx) {
		if err != nil && !fault.Is(err, fault.Corrupt) {
			return found, err
		}
		c, unreadable := entry.Checkpoint()
		switch {
		case err != nil || unreadable != nil || c.Epoch != e.state.Epoch:
		case c.Size == size:
			found = entry
		case c.Size < size:
			below = max(below, c.Size)
		case above == 0 || c.Size < above:
			above = c.Size
		}
	}
	if found.Sequence > 0 {
		return found, nil
	}
	var nearest []string
	for _, n := range []uint64{below, above} {
		if n > 0 {
			nearest = append(nearest, strconv.FormatUint(n, 10))
		}
	}
	if len(nearest) == 0 {
		return found, e.noCheckpoint(0)
	}
	return found, fmt.Errorf("%w of %d offsets in stream %s; the nearest: %s (auditor checkpoint --list)",
		notary.ErrNone, size, notary.StreamName, strings.Join(nearest, " and "))
}
