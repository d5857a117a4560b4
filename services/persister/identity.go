package persister

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/origin"
)

// ErrOtherLog says that the log is not the one the database was made from.
var ErrOtherLog = errors.New("the log is not the one this database was made from")

const (
	// With several replicas a read can be answered by one that is behind, so
	// what looks like another log has to look like it for a while.
	confirmations = 10
	confirmEvery  = 500 * time.Millisecond
)

// sameLog compares the checkpoint with the log.
func (w *worker) sameLog(ctx context.Context, p readmodel.Position, state eventlog.State) error {
	return sameLog(ctx, w.link.log, w.store.Name(), p, state)
}

// sameLog compares the checkpoint of a database with the log.
func sameLog(ctx context.Context, log *eventlog.Log, database string, p readmodel.Position, state eventlog.State) error {
	const op = "compare the database with the log"
	for attempt := 1; ; attempt++ {
		difference, err := origin.Contradiction(ctx, log, p, state)
		if err != nil {
			return fault.New(op, fault.Temporary, err)
		}
		if difference == "" {
			return nil
		}
		if state.Replicas == 1 || attempt == confirmations {
			return fault.New(op, fault.Corrupt, otherLog(database, difference))
		}
		if !pause(ctx, confirmEvery) {
			return ctx.Err()
		}
		if state, err = log.State(ctx); err != nil {
			return err
		}
	}
}

// otherLog names both sides and the way out.
func otherLog(database, difference string) error {
	return fmt.Errorf("%w: %s. Either put back the log that belongs to database %s, or stop all persisters, "+
		"move that database away and start again: it is rebuilt from the log", ErrOtherLog, difference, database)
}
