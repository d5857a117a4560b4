// Package replay reads a span of the log once, in order, as fast as the log's server can send it: what audits, proofs and
// rebuilds are made from. Package feed is for who follows a log that grows.
//
// It reads through a consumer that lives as long as the reading and changes nothing in the log. What is in hand is bounded
// (16 MiB, or 16,384 records), however slow the reader is.
package replay

import (
	"time"

	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/streams/event"
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
