package presence

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/provision"
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

// Buckets are the buckets of gateways with such options, to be provisioned.
func Buckets(o Options) []provision.Stream {
	o = o.withDefaults()
	of := func(name string, ttl time.Duration) provision.Stream {
		return provision.Stream{Kind: "bucket", Name: name, Want: config(name, ttl, o.Replicas), Compare: compare}
	}
	return []provision.Stream{of(presenceBucket, 0), of(leasesBucket, o.Lease)}
}

// compare looks at what of a bucket's config matters.
func compare(have, want jetstream.StreamConfig, d *provision.Drift) {
	d.Leave("storage", have.Storage, want.Storage)
	d.Leave("lifetimes of keys", have.AllowMsgTTL, want.AllowMsgTTL)
	d.Reshape("lifetime", have.MaxAge, want.MaxAge, func(next *jetstream.StreamConfig) {
		next.MaxAge, next.Duplicates = want.MaxAge, want.Duplicates
	})
	d.Replicas(have, want)
}

// open finds the buckets, or makes them, if it may.
func (s *stay) open(ctx context.Context) (err error) {
	for i, b := range []*bucket{&s.presence, &s.leases} {
		var result provision.Result
		wanted := Buckets(s.options)[i]
		if b.stream, result, err = wanted.Ensure(ctx, s.js, s.options.Mode); err == nil {
			b.KeyValue, err = s.js.KeyValue(ctx, wanted.Name)
		}
		result.Log(s.log)
		if err != nil {
			return err
		}
	}
	return nil
}
