package stat

import (
	"context"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/services/auditor/selection"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/replay"
)

// Read counts the events of a selection with after < offset <= through (its Span) in one pass. match is the selection's.
// reached is told of each offset.
func Read(
	ctx context.Context, js jetstream.JetStream, s *selection.Selection, match func(*event.Event) bool, after, through uint64,
	reached func(offset uint64),
) (*Counts, error) {
	c := NewCounts()
	hole := func(from, to uint64) {
		if from, to = s.Clip(from, to); from <= to {
			c.Missing(to - from + 1)
		}
	}
	var e event.Event // not allocated for each
	missing, err := replay.Log(ctx, js, after, through, func(r replay.Record) error {
		hole(r.Offset-r.Missing, r.Offset-1)
		var damaged error
		switch e, damaged = r.Event(); {
		case damaged == nil && match(&e):
			c.Add(&e)
		case damaged != nil && s.Within(e.Offset, e.At):
			c.Damaged()
		}
		reached(r.Offset)
		return nil
	})
	hole(through-missing+1, through)
	return c, err
}
