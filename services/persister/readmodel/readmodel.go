// Package readmodel defines what the persister keeps in a database: the
// messages of the log in a form that can be asked, how far it got, and what it
// could not read. It is a projection: dropped and replayed from the log it is
// the same again, row for row, so nothing in it comes from a clock, a counter
// or the process that wrote it.
//
// A Store is the database. Subpackages implement it; all pass the suite in
// package modeltest.
package readmodel

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/query"
)

// ErrFenced says that the checkpoint is not where the writer left it: another
// persister has moved it. Nothing was written.
var ErrFenced = errors.New("another persister has moved the checkpoint")

// Position is a place in the log and what identifies it. The zero Position is
// the beginning of any log.
type Position struct {
	Offset uint64
	At     time.Time // when the log stored the event at Offset, UTC
	Epoch  string    // eventlog.State.Epoch
	// Digest is that event's, as its header says; zero where the event has
	// none that can be read.
	Digest event.Digest
}

// Stored is a message of the log as the log holds it.
type Stored struct {
	Subject string
	Header  nats.Header
	Content []byte
}

// Message is one row to write.
type Message struct {
	Event  event.Event
	Stored Stored // kept in a dead letter if the event is refused
}

// DeadLetter is what cannot be projected: a damaged event, one whose key is
// taken, or a range of offsets that the log does not hold.
type DeadLetter struct {
	Offset  uint64
	Through uint64 // last offset of a missing range; otherwise Offset
	Reason  string
	At      time.Time // when the log stored it; zero for a missing range
	Stored  Stored    // empty for a missing range
}

// Batch is what one transaction writes: everything between two positions.
type Batch struct {
	Previous, Next Position
	Messages       []Message // ascending offset
	DeadLetters    []DeadLetter
}

// Store is the database of the read model. Append is called by one goroutine;
// everything else by any.
type Store interface {
	query.Model

	// Position is how far the read model is.
	Position(ctx context.Context) (Position, error)

	// Append writes a batch, all or nothing, durably. A message whose key is
	// taken becomes a dead letter; those are returned. The errors are
	// ErrFenced, Temporary (try again), or Corrupt: the database is damaged, or
	// holds rows beyond its checkpoint. Once begun, it does not end with ctx.
	Append(ctx context.Context, batch Batch) (refused []DeadLetter, err error)

	// Name says to an operator which database this is.
	Name() string

	Close() error
}

// ReasonKeyTaken is the reason of a dead letter whose event came under an
// idempotency key that an earlier one has.
const ReasonKeyTaken = "an earlier event has this scope and key"

// Refuse makes the dead letter of a message whose key is taken.
func Refuse(m Message) DeadLetter {
	return DeadLetter{
		Offset: m.Event.Offset, Through: m.Event.Offset, Reason: ReasonKeyTaken, At: m.Event.At, Stored: m.Stored,
	}
}
