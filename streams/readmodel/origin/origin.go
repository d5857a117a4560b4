// Package origin tells whether a log is the one that a read model was made from.
//
// The epoch alone is not enough, because an older copy of the log, put back, has the same one and issues offsets a second
// time. So the event at the checkpoint is compared as well.
package origin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

// Contradiction says how the log contradicts a checkpoint: its epoch, its end, or the event at the checkpoint. It is empty if
// nothing does. With several replicas it can come from one that is behind.
func Contradiction(ctx context.Context, log *eventlog.Log, p readmodel.Position, state eventlog.State) (string, error) {
	if c := ofLog(p, state); c != "" || p.Offset == 0 {
		return c, nil
	}
	e, err := log.Get(ctx, p.Offset)
	switch {
	case errors.Is(err, eventlog.ErrNotFound):
		return fmt.Sprintf("the database's last event is at offset %d, where the log (offsets %d to %d) holds none", p.Offset, state.First, state.Last), nil
	case err != nil && !fault.Is(err, fault.Corrupt): // a damaged event can be the very one that was projected
		return "", err
	}
	return ofEvent(p, e), nil
}

// ofLog says how the log as a whole contradicts a checkpoint.
func ofLog(p readmodel.Position, state eventlog.State) string {
	switch {
	case p.Offset == 0:
		return ""
	case p.Epoch != state.Epoch:
		return fmt.Sprintf("the database is of epoch %s, the log of epoch %s", p.Epoch, state.Epoch)
	case state.Last < p.Offset:
		return fmt.Sprintf("the database is at offset %d, the log ends at %d", p.Offset, state.Last)
	}
	return ""
}

// ofEvent says how the event at the checkpoint contradicts it.
func ofEvent(p readmodel.Position, e event.Event) string {
	switch {
	case !p.At.Equal(e.At):
		return fmt.Sprintf("at offset %d the database has an event of %s, the log one of %s",
			p.Offset, p.At.Format(time.RFC3339Nano), e.At.Format(time.RFC3339Nano))
	case p.Digest != (event.Digest{}) && p.Digest != e.Digest:
		return fmt.Sprintf("at offset %d the database has an event with digest %s, the log one with %s", p.Offset, p.Digest, e.Digest)
	}
	return ""
}
