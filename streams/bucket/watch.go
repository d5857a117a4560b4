// Package bucket follows key-value buckets.
package bucket

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// watchBatch is how many updates are asked for in advance.
	watchBatch = 500
	// watcherTTL is when the server forgets a watcher that no longer asks.
	watcherTTL = 30 * time.Second
)

var errGap = errors.New("a watch left something out")

// Update is something written to a key.
type Update struct {
	Key   string
	Value []byte
	Put   bool      // or removed
	Seq   uint64    // of the stream behind the bucket
	At    time.Time // by the server's clock
}

// Watch is one watch of a bucket.
type Watch struct {
	Bucket string           // its name
	Stream jetstream.Stream // behind it
	Apply  func(Update)
	// CaughtUp is called once, when all has been applied that was there when the watch
	// began, as far as the server knows that the watch is on: one of a cluster may be
	// behind its leader. May be nil.
	CaughtUp func()
	// Heartbeat is how often the server has to show that the watch is alive: it ends
	// after twice as long in silence. 0 is 15 s.
	Heartbeat time.Duration
}

// Run calls Apply with the last update of every key, and then with each that is
// made, until something is amiss or ctx ends, and returns why. The client library's
// own watcher would repair what is amiss without a word, and may outlast its context.
func (w Watch) Run(ctx context.Context) error {
	prefix := "$KV." + w.Bucket + "."
	consumer, err := w.Stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		DeliverPolicy:     jetstream.DeliverLastPerSubjectPolicy,
		FilterSubject:     prefix + ">",
		AckPolicy:         jetstream.AckNonePolicy,
		InactiveThreshold: watcherTTL,
		Replicas:          1,
		MemoryStorage:     true,
	})
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	options := []jetstream.PullMessagesOpt{jetstream.PullMaxMessages(watchBatch)}
	if w.Heartbeat > 0 {
		options = append(options, jetstream.PullHeartbeat(w.Heartbeat))
	}
	messages, err := consumer.Messages(options...)
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	defer messages.Stop()
	behind := consumer.CachedInfo().NumPending > 0
	if !behind {
		w.caughtUp()
	}
	for delivered := uint64(1); ; delivered++ {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("watch: %w", err)
		}
		meta, err := msg.Metadata()
		if err != nil || meta.Sequence.Consumer != delivered {
			return errGap
		}
		h := msg.Headers()
		w.Apply(Update{
			Key:   strings.TrimPrefix(msg.Subject(), prefix),
			Value: msg.Data(),
			Put:   h.Get("KV-Operation") == "" && h.Get(jetstream.MarkerReasonHeader) == "" || astray(h),
			Seq:   meta.Sequence.Stream,
			At:    meta.Timestamp,
		})
		if behind && meta.NumPending == 0 {
			behind = false
			w.caughtUp()
		}
	}
}

// astray reports whether a message is the answer to a read of a stream, which somebody
// had sent to a key. It has the headers of what was read, and so may pass for a removal,
// by one who may write to that stream and not to this bucket.
func astray(h nats.Header) bool { return h.Get(jetstream.StreamHeader) != "" }

func (w Watch) caughtUp() {
	if w.CaughtUp != nil {
		w.CaughtUp()
	}
}
