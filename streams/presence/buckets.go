package presence

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	presenceBucket = "PRESENCE"
	leasesBucket   = "LEASES"
	// watchBatch is how many updates are asked for in advance.
	watchBatch = 500
	// watcherTTL is when the server forgets a watcher that no longer asks.
	watcherTTL = 30 * time.Second
)

var errGap = errors.New("a watch left something out")

// bucket is a key-value bucket and the stream behind it.
type bucket struct {
	jetstream.KeyValue
	stream jetstream.Stream
}

// update is something written to a key.
type update struct {
	key   string
	value []byte
	put   bool // or removed
}

// watch calls apply with the last update of every key, and then with each that
// is made, until something is amiss or ctx ends, and returns why. The client
// library's own watcher would repair what is amiss without a word, and may
// outlast its context.
func (b bucket) watch(ctx context.Context, apply func(update)) error {
	consumer, err := b.stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		DeliverPolicy:     jetstream.DeliverLastPerSubjectPolicy,
		FilterSubject:     b.subject(">"),
		AckPolicy:         jetstream.AckNonePolicy,
		InactiveThreshold: watcherTTL,
		Replicas:          1,
		MemoryStorage:     true,
	})
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(watchBatch))
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	defer messages.Stop()
	for delivered := uint64(1); ; delivered++ {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("watch: %w", err)
		}
		if meta, err := msg.Metadata(); err != nil || meta.Sequence.Consumer != delivered {
			return errGap
		}
		h := msg.Headers()
		apply(update{
			key:   strings.TrimPrefix(msg.Subject(), b.subject("")),
			value: msg.Data(),
			put:   h.Get("KV-Operation") == "" && h.Get(jetstream.MarkerReasonHeader) == "",
		})
	}
}

// purge removes all keys of an incarnation, without a mark.
func (b bucket) purge(ctx context.Context, incarnation string) error {
	for _, keys := range []string{incarnation + ".>", incarnation} {
		if err := b.stream.Purge(ctx, jetstream.WithPurgeSubject(b.subject(keys))); err != nil {
			return err
		}
	}
	return nil
}

func (b bucket) subject(keys string) string { return "$KV." + b.Bucket() + "." + keys }

// config is that of a key-value bucket as the client library lays it out, in
// memory, and with marks of removed keys that do not stay for ever.
func config(name string, ttl time.Duration, replicas int) jetstream.StreamConfig {
	duplicates := 2 * time.Minute // unused, but the server wants it within the lifetime
	if ttl > 0 {
		duplicates = min(duplicates, ttl)
	}
	return jetstream.StreamConfig{
		Name:              "KV_" + name,
		Description:       "Tidemark's presence",
		Subjects:          []string{"$KV." + name + ".>"},
		Storage:           jetstream.MemoryStorage,
		Discard:           jetstream.DiscardNew,
		MaxAge:            ttl,
		MaxMsgs:           -1,
		MaxBytes:          -1, // it grows with connections, which gateways bound
		MaxMsgsPerSubject: 1,
		MaxConsumers:      -1,
		Duplicates:        duplicates,
		Replicas:          replicas,
		AllowDirect:       true,
		AllowMsgTTL:       true,
		AllowRollup:       true,
		DenyDelete:        true,
	}
}

// open finds the buckets, or makes them.
func (s *stay) open(ctx context.Context) (err error) {
	if s.leases, err = s.bucket(ctx, leasesBucket, s.options.Lease); err == nil {
		s.presence, err = s.bucket(ctx, presenceBucket, 0)
	}
	return err
}

func (s *stay) bucket(ctx context.Context, name string, ttl time.Duration) (b bucket, err error) {
	want := config(name, ttl, s.options.Replicas)
	b.stream, err = s.js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		b.stream, err = s.js.CreateStream(ctx, want)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // someone else made it just now
			b.stream, err = s.js.Stream(ctx, want.Name)
		}
	}
	if err != nil {
		return b, fmt.Errorf("bucket %s: %w", name, err)
	}
	have := b.stream.CachedInfo().Config
	if shape(have) != shape(want) {
		s.log.Warn("a presence bucket differs from the settings and is left as it is",
			"bucket", name, "have", shape(have), "want", shape(want))
	}
	b.KeyValue, err = s.js.KeyValue(ctx, name)
	return b, err
}

// shape is what of a bucket's config matters.
func shape(c jetstream.StreamConfig) string {
	return fmt.Sprintf("%v, lifetime %v, %d replicas, lifetimes of keys: %v", c.Storage, c.MaxAge, c.Replicas, c.AllowMsgTTL)
}
