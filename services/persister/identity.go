package persister

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

// ErrOtherLog says that the log is not the one the database was made from.
var ErrOtherLog = errors.New("the log is not the one this database was made from")

const (
	// With several replicas a read can be answered by one that is behind, so
	// what looks like another log has to look like it for a while.
	confirmations = 10
	confirmEvery  = 500 * time.Millisecond
)

// sameLog compares the checkpoint with the log: its epoch, its end, and the
// event at the checkpoint. The epoch alone is not enough, because an older copy
// of the log, put back, has the same one and issues offsets a second time.
func (w *worker) sameLog(ctx context.Context, p readmodel.Position, state eventlog.State) error {
	const op = "compare the database with the log"
	for attempt := 1; ; attempt++ {
		difference, err := w.difference(ctx, p, state)
		if err != nil {
			return fault.New(op, fault.Temporary, err)
		}
		if difference == "" {
			return nil
		}
		if state.Replicas == 1 || attempt == confirmations {
			return fault.New(op, fault.Corrupt, w.otherLog(difference))
		}
		if !pause(ctx, confirmEvery) {
			return ctx.Err()
		}
		if state, err = w.link.log.State(ctx); err != nil {
			return err
		}
	}
}

func (w *worker) difference(ctx context.Context, p readmodel.Position, state eventlog.State) (string, error) {
	if d := differentLog(p, state); d != "" || p.Offset == 0 {
		return d, nil
	}
	e, err := w.link.log.Get(ctx, p.Offset)
	switch {
	case errors.Is(err, eventlog.ErrNotFound):
		return fmt.Sprintf("the database's last event is at offset %d, where the log (offsets %d to %d) holds none", p.Offset, state.First, state.Last), nil
	case err != nil && !fault.Is(err, fault.Corrupt): // a damaged event can be the very one that was projected
		return "", err
	}
	return differentEvent(p, e), nil
}

// differentLog says how the log as a whole contradicts a checkpoint.
func differentLog(p readmodel.Position, state eventlog.State) string {
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

// differentEvent says how the event at the checkpoint contradicts it.
func differentEvent(p readmodel.Position, e event.Event) string {
	switch {
	case !p.At.Equal(e.At):
		return fmt.Sprintf("at offset %d the database has an event of %s, the log one of %s",
			p.Offset, p.At.Format(time.RFC3339Nano), e.At.Format(time.RFC3339Nano))
	case p.Digest != (event.Digest{}) && p.Digest != e.Digest:
		return fmt.Sprintf("at offset %d the database has an event with digest %s, the log one with %s", p.Offset, p.Digest, e.Digest)
	}
	return ""
}

// otherLog names both sides and the way out.
func (w *worker) otherLog(difference string) error {
	return fmt.Errorf("%w: %s. Either put back the log that belongs to database %s, or stop all persisters, "+
		"move that database away and start again: it is rebuilt from the log", ErrOtherLog, difference, w.store.Name())
}
