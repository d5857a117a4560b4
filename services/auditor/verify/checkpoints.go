package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/tidemark-chat/tidemark/services/auditor/notes"
	"github.com/tidemark-chat/tidemark/services/auditor/render"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

// checkpoints makes ready what is compared with checkpoints.
type checkpoints struct {
	*run
	keys  keyring
	found *findings
	seen  *CheckpointReport
}

// lane is the checks, as far as they could be made ready: it is to be closed also after an error.
func (c *checkpoints) lane(ctx context.Context) (*lane, error) {
	tree, err := c.resume(ctx)
	if err != nil {
		return newLane(OfCheckpoints, 0), err
	}
	roots := newRootCheck(ctx, c.found, c.seen, tree, c.through, c.state.Last)
	checks := []check{roots}
	if c.trail != nil {
		beside := *tree
		roots.entries = &entryCheck{
			ctx: ctx, trail: c.trail, keys: c.keys, epochs: &epochs{where: inAudit, epoch: c.state.Epoch},
			found: c.found, seen: c.seen, through: c.through, last: c.state.Last, tree: &beside,
		}
		checks = []check{roots.entries, roots}
		if err = c.abandoned(roots); err == nil {
			err = roots.entries.begin()
		}
	}
	for _, kept := range c.Kept {
		if err == nil {
			err = c.kept(ctx, roots, kept)
		}
	}
	if err == nil {
		err = roots.begin()
	}
	return newLane(OfCheckpoints, tree.Size(), checks...), err
}

// resume is the tree of before the span, or the nearest smaller one that is signed.
func (c *checkpoints) resume(ctx context.Context) (*notary.Tree, error) {
	empty := &notary.Tree{}
	if c.after == 0 {
		return empty, nil
	}
	tree, e, err := c.signedBefore(ctx)
	switch {
	case err == nil:
		c.remark("checkpoints: the tree goes on from the checkpoint at offset %d, as it was signed; the log up to there was not compared with it", e.Size)
		return tree, nil
	case errors.Is(err, notary.ErrNone) || fault.Is(err, fault.Corrupt):
		c.remark("checkpoints: the log was read from its beginning, because there is no tree to go on from: %s", render.Visible(err.Error()))
		return empty, nil
	}
	return nil, err
}

// signedBefore is the tree of the newest entry before the span. ErrNone or Corrupt if there is none that can be gone on from.
func (c *checkpoints) signedBefore(ctx context.Context) (*notary.Tree, notary.Entry, error) {
	if c.trail == nil {
		return nil, notary.Entry{}, notary.ErrNone
	}
	audit := notary.OpenAudit(c.JS)
	e, err := audit.At(ctx, c.after)
	if err != nil {
		return nil, e, err
	}
	checkpoint, err := c.keys.verify([]byte(e.Signed))
	if err != nil {
		return nil, e, fault.Errorf("verify AUDIT", fault.Corrupt, "message %d is %w", e.Sequence, err)
	}
	if checkpoint.Epoch != c.state.Epoch {
		return nil, e, notary.ErrNone
	}
	tree, err := notary.Resume(e.Size, audit.Hashes(ctx, e))
	if err != nil {
		return nil, e, err
	}
	if root, err := tree.Root(); err != nil || root != checkpoint.Root {
		return nil, e, fault.Errorf("verify AUDIT", fault.Corrupt, "the hashes of the tree of %d do not make its signed root", e.Size)
	}
	return tree, e, nil
}

// abandoned takes what AUDIT has before the newest tree.
func (c *checkpoints) abandoned(roots *rootCheck) error {
	roots.from(inAudit, false)
	for reached := uint64(0); ; {
		s, ok := c.trail.before()
		if !ok {
			return nil
		}
		if s.err != nil && !fault.Is(s.err, fault.Corrupt) {
			return s.err
		}
		if s.err != nil {
			c.found.add(Finding{Offset: reached + 1, Sequence: s.entry.Sequence, What: render.Visible(s.err.Error())})
		}
		if s.entry.Size == 0 {
			continue
		}
		reached = s.entry.Size
		checkpoint, err := s.entry.Checkpoint()
		if err != nil {
			return err
		}
		if !roots.entries.epochs.own(checkpoint) {
			continue
		}
		if _, err := c.keys.verify([]byte(s.entry.Signed)); err != nil {
			c.found.add(unsigned(&s.entry, err))
		}
		c.seen.Judged++
		c.seen.Newest = max(c.seen.Newest, checkpoint.Size)
		roots.add(checkpoint, s.entry.Sequence)
	}
}

// unsigned says that an entry is not signed as it must be.
func unsigned(e *notary.Entry, err error) Finding {
	return Finding{Offset: e.Size, Sequence: e.Sequence, What: fmt.Sprintf("AUDIT %d, the checkpoint at %d, is %v", e.Sequence, e.Size, err)}
}

// kept takes the checkpoints of a file.
func (c *checkpoints) kept(ctx context.Context, roots *rootCheck, kept Kept) error {
	name := render.Visible(kept.Name)
	roots.from(name, true)
	epochs := &epochs{where: name, epoch: c.state.Epoch}
	number, unreadable := uint64(0), uint64(0)
	var first error // of what is unreadable
	for signed, err := range notes.All(kept) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		number++
		if _, err := notes.Read(signed); err != nil {
			unreadable++
			first = cmp.Or(first, fmt.Errorf("checkpoint %d: %w", number, err))
			continue
		}
		checkpoint, err := c.keys.verify(signed)
		switch {
		case err != nil:
			c.found.add(Finding{Offset: checkpoint.Size, What: fmt.Sprintf("%s: checkpoint %d is %v", name, number, err)})
		case epochs.own(checkpoint):
			roots.add(checkpoint, number)
		}
	}
	epochs.end(c.found, c.seen)
	if number == 0 {
		return fmt.Errorf("%s holds no checkpoint", name)
	}
	if unreadable > 0 {
		c.unchecked(OfCheckpoints, fmt.Errorf("%s: %d of %d checkpoints cannot be read; %w", name, unreadable, number, first))
	}
	return nil
}
