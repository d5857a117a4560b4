package notary

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/fault"
)

// StreamName is the stream of checkpoints.
const StreamName = "AUDIT"

const (
	subjects          = "audit.>"          // that the stream takes
	subjectCheckpoint = "audit.checkpoint" // of all its messages, see Subject
)

// Errors of the stream of checkpoints.
var (
	// ErrNone says that there is no checkpoint, or no stream.
	ErrNone = errors.New("there is no checkpoint")
	// ErrFenced says that another notary has added an entry in between. Nothing was written.
	ErrFenced = errors.New("another notary has added a checkpoint")
)

// Audit is the stream. Safe for concurrent use.
//
// Who reads needs to publish to $JS.API.STREAM.INFO.AUDIT and $JS.API.DIRECT.GET.AUDIT, and who appends to audit.checkpoint.
// The errors of all its methods are Temporary where the stream could not be read or written, and Corrupt where it holds what
// it should not, or nothing where it should hold an entry.
type Audit struct {
	js jetstream.JetStream
}

// OpenAudit makes an Audit of a connection's JetStream. It does not talk to the server.
func OpenAudit(js jetstream.JetStream) *Audit { return &Audit{js: js} }

// Last is the newest entry, by the stream's leader: a notary sees what it has written itself. ErrNone if there is none.
//
// Where the newest message is no entry, that is a Corrupt error with its sequence in Entry. A notary can go on behind it only
// with another tree, over all of the log: Append(ctx, e.Sequence, ...) of an entry that begins one.
func (a *Audit) Last(ctx context.Context) (Entry, error) {
	r, err := a.open(ctx)
	if err != nil {
		return Entry{}, err
	}
	if r.last == 0 {
		return Entry{}, ErrNone
	}
	return r.get(ctx, r.last)
}

// At is the newest entry of the newest tree whose size is at most size. ErrNone if there is none. Where the stream has lost
// some, it is the newest of those it has.
func (a *Audit) At(ctx context.Context, size uint64) (Entry, error) {
	last, err := a.Last(ctx)
	if err != nil || last.Size <= size {
		return last, err
	}
	c := chain{ctx: ctx, audit: a, last: &last}
	over, err := c.first(func(e *Entry) bool { return e.Size > size })
	if err != nil {
		return Entry{}, err
	}
	for sequence := over.Sequence - 1; sequence >= last.Began; sequence-- {
		if e, err := c.entry(sequence); err != nil {
			return Entry{}, err
		} else if e != nil {
			return *e, nil
		}
	}
	return Entry{}, ErrNone
}

// Append adds an entry behind previous (0: the first one) and sets its Sequence and, where Began is 0 (it begins a tree), its
// Began. ErrFenced, Temporary, if another notary was quicker; Permanent if it is no entry that could stand there.
//
// After any other error the entry may have been stored, or may yet be. Whatever the error, begin again with Last: either it
// is there, or it is not and never will be once another has been stored in its place.
func (a *Audit) Append(ctx context.Context, previous uint64, e *Entry) error {
	const op = "append a checkpoint"
	next := *e
	next.Sequence = previous + 1
	if next.Began == 0 {
		next.Began = next.Sequence
	}
	if err := next.check(); err != nil {
		return fault.New(op, fault.Permanent, err)
	}
	message, err := json.Marshal(&next)
	if err != nil {
		return fault.New(op, fault.Permanent, err)
	}
	if err := connected(a.js); err != nil {
		return fault.New(op, fault.Temporary, err)
	}
	ack, err := a.js.Publish(ctx, subjectCheckpoint, message,
		jetstream.WithExpectStream(StreamName), jetstream.WithExpectLastSequence(previous))
	if wrongSequence(err) {
		return fault.Errorf(op, fault.Temporary, "%w behind %d", ErrFenced, previous)
	}
	if err != nil {
		return fault.New(op, fault.Temporary, err)
	}
	if ack.Sequence != next.Sequence {
		return fault.New(op, fault.Corrupt, fmt.Errorf("it became message %d instead of %d", ack.Sequence, next.Sequence))
	}
	*e = next
	return nil
}

// wrongSequence reports whether the server refused a message because it would not have come right behind the expected one.
// A stream with replicas says so in another way while the one before is not yet agreed upon.
func wrongSequence(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
		api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}
