// Package replay reads a span of the log once, in order, as fast as the log's server can send it: what audits, proofs and
// rebuilds are made from. Package feed is for who follows a log that grows.
//
// It reads through a consumer that lives as long as the reading and changes nothing in the log. What is in hand is bounded
// (16 MiB, or 16,384 records), however slow the reader is.
package replay

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
)

// Record is one message of the stream as it holds it.
type Record struct {
	Offset  uint64 // sequence in the stream
	At      time.Time
	Subject string
	Header  nats.Header
	Content []byte
	// Missing counts the offsets just before this one at which the stream holds nothing. In an intact log it is always 0.
	Missing uint64
}

// Event decodes the record. Its error is Corrupt, and then what could be read comes with it.
func (r *Record) Event() (event.Event, error) {
	return event.Decode(r.Offset, r.At, r.Subject, r.Header, r.Content)
}

// Log reads the records of the log with after < offset <= through, in ascending offset, each once, and calls apply with each
// on one goroutine; apply may block. It returns how many offsets at the end of the span, after the last record, hold nothing:
// 0 in an intact log. through must not be beyond the log's end.
//
// Where the connection or the server goes away it goes on behind the last record when they are back, until several
// attempts in a row have brought nothing. The errors are apply's own, ctx's, and Temporary: the log cannot be read.
func Log(ctx context.Context, js jetstream.JetStream, after, through uint64, apply func(Record) error) (missing uint64, err error) {
	return Stream(ctx, js, eventlog.StreamName, after, through, apply)
}
