// Package readmodel defines what the persister keeps in a database: the
// messages and users of the log in a form that can be asked, how far it got, and
// what it could not read. It is a projection: dropped and replayed from the log it is
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

// Row is one row to write.
type Row struct {
	Event  event.Event
	Stored Stored // kept in a dead letter if the event is refused
}

// DeadLetter is what cannot be projected: a damaged event, one whose key or
// user is taken, or a range of offsets that the log does not hold.
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
	Messages       []Row // events of type event.Posted, ascending offset
	Users          []Row // events of type event.Registered, ascending offset
	DeadLetters    []DeadLetter
}

// Store is the database of the read model. Append is called by one goroutine;
// everything else by any.
type Store interface {
	query.Model

	// Position is how far the read model is.
	Position(ctx context.Context) (Position, error)

	// Append writes a batch, all or nothing, and with each direct
	// message what Direct and inboxes need of it. A message whose key is taken
	// and a user whose id is become dead letters and leave nothing else behind;
	// those are returned, messages first. The errors are ErrFenced, Temporary (try again), or Corrupt: the database is damaged, or
	// holds rows beyond its checkpoint. Once begun, it does not end with ctx.
	Append(ctx context.Context, batch Batch) (refused []DeadLetter, err error)

	// Name says to an operator which database this is.
	Name() string

	Close() error
}

// Reasons of dead letters whose event an earlier one has made impossible.
const (
	ReasonKeyTaken  = "an earlier event has this scope and key"
	ReasonUserTaken = "an earlier event has registered this user"
)

// DeadLetter is what becomes of a row that cannot be written.
func (r Row) DeadLetter(reason string) DeadLetter {
	return DeadLetter{
		Offset: r.Event.Offset, Through: r.Event.Offset, Reason: reason, At: r.Event.At, Stored: r.Stored,
	}
}
