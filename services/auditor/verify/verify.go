// Package verify checks the log, the read model and the signed checkpoints, in one pass over the log:
//
//	log ──▶ decoded once ──┬──▶ rules of the log: dense, intact, in order, one event for one key
//	                       ├──▶ read model: its tables, row by row beside the log
//	                       └──▶ checkpoints: the tree, leaf by leaf beside stream AUDIT and what was kept elsewhere
//
// Each of the three is a goroutine that is given the same events; nothing is held for longer than it takes all of them to pass,
// but for the hashes of keys, which are sorted in a file beyond some 60 MiB. What is found is in the [Report]; an error of one check
// ends that check and nothing else.
//
// Everything that is compared is fixed before the log's end is: the read model's position, then the newest checkpoint, then
// the log. So all of it may go on growing meanwhile.
package verify

import (
	"context"
	"io"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/mod/sumdb/note"

	"github.com/tidemark-chat/tidemark/services/auditor/progress"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

// Part is one of the things to check.
type Part string

// The parts, as --only names them.
const (
	OfLog         Part = "log"
	OfReadModel   Part = "readmodel"
	OfCheckpoints Part = "checkpoints"
)

// Parts are all of them.
var Parts = []Part{OfLog, OfReadModel, OfCheckpoints}

// Options say what to check, and with what.
type Options struct {
	JS       jetstream.JetStream
	From, To uint64 // offsets, both included; 0: from the first, to the last
	Parts    []Part

	Reader   readmodel.Reader // nil: there is none to be had, as NoReader says
	NoReader error

	Keys  []note.Verifier // by one of which a checkpoint must be signed; none: there is none to be had, as NoKey says
	NoKey error
	Kept  []Kept // signed checkpoints kept elsewhere

	Progress func(total uint64) *progress.Bar // nil: it is not shown
}

// Kept is a file of signed checkpoints.
type Kept struct {
	Name string
	io.Reader
}

// Run checks what the options say. It always returns a report: where ctx ends, or the log cannot be read, one that says so.
func Run(ctx context.Context, o Options) *Report {
	r := &run{Options: o, began: time.Now()}
	r.check(ctx)
	r.report.Log.Seconds = time.Since(r.began).Seconds()
	r.report.conclude(r.findings)
	return &r.report
}
