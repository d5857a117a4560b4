package notary

import (
	"context"
	"errors"
	"iter"
	"log/slog"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/mod/sumdb/tlog"
)

// StreamName is the stream of checkpoints.
const StreamName = "AUDIT"

// subjectCheckpoint is the subject of all its messages.
const subjectCheckpoint = "audit.checkpoint"

// MaxLeaves is how many leaves one entry may add: with their hashes it stays within what a NATS message can hold (1 MiB).
const MaxLeaves = 4000

// Errors of the stream of checkpoints.
var (
	// ErrNone says that there is no checkpoint, or no stream.
	ErrNone = errors.New("there is no checkpoint")
	// ErrFenced says that another notary has added an entry in between. Nothing was written.
	ErrFenced = errors.New("another notary has added a checkpoint")
)

// Entry is one message of the stream: a signed checkpoint, and the hashes that make its tree of the one before.
type Entry struct {
	Sequence uint64 `json:"-"` // in the stream, from 1
	// Began is the sequence of the entry that began this tree. Another tree is begun when the log has become another one,
	// of another epoch.
	Began  uint64 `json:"began"`
	From   uint64 `json:"from"` // size of the tree before
	Size   uint64 `json:"size"` // the checkpoint's
	Signed string `json:"checkpoint"`
	// Hashes are the stored hashes of the leaves From to Size-1 (tlog.StoredHashes), 32 bytes each.
	Hashes []byte `json:"hashes"`
}

// Audit is the stream. Safe for concurrent use.
type Audit struct {
	js jetstream.JetStream
}

// OpenAudit makes an Audit of a connection's JetStream. It does not talk to the server.
func OpenAudit(js jetstream.JetStream) *Audit { return &Audit{js: js} }

var _ = []any{Provision, (*Audit).Last, (*Audit).At, (*Audit).Append, (*Audit).Entries, (*Audit).Hashes}

// Provision makes the stream if there is none, and checks that what there is denies delete and purge.
func Provision(ctx context.Context, js jetstream.JetStream, replicas int, log *slog.Logger) error {
	panic("not yet")
}

// Last is the newest entry. ErrNone if there is none.
func (a *Audit) Last(ctx context.Context) (Entry, error) { panic("not yet") }

// At is the newest entry of the newest tree whose size is at most size. ErrNone if there is none.
func (a *Audit) At(ctx context.Context, size uint64) (Entry, error) { panic("not yet") }

// Append adds an entry behind previous (0: the first one) and returns its sequence. ErrFenced if another notary was quicker.
// It sets e.Sequence and, where e.Began is 0, e.Began.
func (a *Audit) Append(ctx context.Context, previous uint64, e *Entry) error { panic("not yet") }

// Entries are all entries, in order. What is in the stream and is no entry is a Corrupt error with its sequence in Entry, and
// the next one follows; any other error is the last.
func (a *Audit) Entries(ctx context.Context) iter.Seq2[Entry, error] { panic("not yet") }

// Hashes reads stored hashes of the tree that an entry belongs to, up to its size, by bisection of the entries.
func (a *Audit) Hashes(ctx context.Context, last Entry) tlog.HashReader { panic("not yet") }
