package verify

import (
	"context"
	"errors"
	"fmt"

	"github.com/tidemark-chat/tidemark/streams/notary"
)

// fixReadModel fixes how far the read model is compared, before the log's end is known: so it is not ahead of a log that grows.
func (r *run) fixReadModel(ctx context.Context) {
	if !r.asked(OfReadModel) {
		return
	}
	if r.Reader == nil {
		r.unchecked(OfReadModel, r.NoReader)
		return
	}
	position, err := r.Reader.Position(ctx)
	if err != nil {
		r.unchecked(OfReadModel, fmt.Errorf("read the read model's checkpoint: %w", err))
		return
	}
	r.position = position
}

// addReadModel adds the tables.
func (r *run) addReadModel(ctx context.Context) {
	if !r.asked(OfReadModel) {
		return
	}
	at := r.position.Offset
	seen := &ReadModelReport{Name: r.Reader.Name(), Checkpoint: at, Lag: r.state.Last - min(at, r.state.Last)}
	r.report.ReadModel = seen
	found := r.of(ReadModel)
	if at > 0 && r.position.Epoch != r.state.Epoch {
		// Every row would be another finding, and say nothing more.
		found.add(Finding{Offset: at, What: fmt.Sprintf("the read model is of another log: of epoch %q, and this log is of epoch %q; its rows were not compared",
			short(r.position.Epoch), r.state.Epoch)})
		return
	}
	if at > r.state.Last {
		found.add(Finding{Offset: r.state.Last + 1, Through: at, What: fmt.Sprintf(
			"the read model is at offset %d, and the log ends at offset %d: the log is an older copy, or has lost its end", at, r.state.Last)})
	}
	rows := newRowCheck(ctx, r.Reader, found, seen, r.position, r.after, max(r.after, min(r.through, at)))
	rows.whole = !r.part()
	if r.part() {
		r.remark("this is a part of the log: what follows from all messages (direct conversations), and rows at no offset of it, were not compared")
	}
	r.lanes = append(r.lanes, newLane(OfReadModel, r.after, rows))
}

// fixCheckpoints fixes how far AUDIT goes, before the log's end is known.
func (r *run) fixCheckpoints(ctx context.Context) {
	if !r.asked(OfCheckpoints) {
		return
	}
	var err error
	r.trail, err = openTrail(ctx, notary.OpenAudit(r.JS))
	switch {
	case errors.Is(err, notary.ErrNone) && len(r.Kept) > 0:
		r.remark("stream AUDIT holds no checkpoint: the log was compared with those kept elsewhere only")
	case errors.Is(err, notary.ErrNone):
		r.unchecked(OfCheckpoints, errors.New("stream AUDIT holds no checkpoint, and none kept elsewhere was given (--checkpoint)"))
	case err != nil:
		r.unchecked(OfCheckpoints, err)
	}
}

// addCheckpoints adds the trees.
func (r *run) addCheckpoints(ctx context.Context) {
	if !r.asked(OfCheckpoints) {
		return
	}
	keys := keyring(r.Keys)
	c := &checkpoints{run: r, keys: keys, found: r.of(Checkpoint), seen: &CheckpointReport{Keys: keys.names()}}
	r.report.Checkpoints = c.seen
	lane, err := c.lane(ctx)
	r.lanes = append(r.lanes, lane)
	if len(r.Keys) == 0 {
		r.unchecked(OfCheckpoints, fmt.Errorf("who signed the checkpoints is not known: %w", r.NoKey))
	}
	if err != nil {
		r.unchecked(OfCheckpoints, err)
	}
}
