// Package eventlog is the log itself: one JetStream stream holding every
// event, how it is set up, told apart from another, and read.
//
// An ack of this stream means "on disk": the server runs with sync_interval
// always (package embedded does; an own nats-server must be told to), and the
// stream never uses asynchronous persistence. Nothing is ever deleted from it:
// it has no limits of age or count, and denies delete and purge, so that its
// sequence is dense and a gap is a finding.
package eventlog

import (
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/provision"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// StreamName is the log's stream.
const StreamName = "CHAT"

// MaxMessageSize bounds one event in the log, headers included, in bytes.
const MaxMessageSize = 64 << 10

const (
	metadataSchema = "tidemark-schema"
	metadataEpoch  = "tidemark-epoch" // an operator bumps it when restoring an older copy
)

// Config is what an operator may choose about the log.
type Config struct {
	Replicas    int           // 1, 3 or 5
	MaxBytes    int64         // a full log refuses appends; it never drops events
	DedupWindow time.Duration // how long the log itself recognises a repeated append
	Republish   bool          // each event is sent to a core subject too, see FeedSubject
	Mode        provision.Mode
}

// FeedSubject is where a log that republishes sends each event, its own subject
// behind it: chat.0.room.ngeneral becomes feed.0.room.ngeneral.
const FeedSubject = "feed.>"

// stream is the configuration the log should have.
func (c Config) stream() jetstream.StreamConfig {
	config := jetstream.StreamConfig{
		Name:               StreamName,
		Description:        "Tidemark's event log",
		Subjects:           []string{subject.All},
		Storage:            jetstream.FileStorage,
		Retention:          jetstream.LimitsPolicy,
		Discard:            jetstream.DiscardNew,
		MaxBytes:           c.MaxBytes,
		MaxMsgs:            -1,
		MaxMsgsPerSubject:  -1,
		MaxConsumers:       -1,
		MaxMsgSize:         MaxMessageSize,
		Duplicates:         c.DedupWindow,
		Replicas:           c.Replicas,
		AllowDirect:        true,
		DenyDelete:         true,
		DenyPurge:          true,
		AllowAtomicPublish: c.Replicas == 1, // group commit; with more, Raft batches
		Metadata:           map[string]string{metadataSchema: "1", metadataEpoch: "1"},
	}
	if c.Republish {
		config.RePublish = &jetstream.RePublish{Source: subject.All, Destination: FeedSubject}
	}
	return config
}
