package presence

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	watch "github.com/tidemark-chat/tidemark/streams/bucket"
	"github.com/tidemark-chat/tidemark/streams/provision"
)

const (
	presenceBucket = "PRESENCE"
	leasesBucket   = "LEASES"
)

// bucket is a key-value bucket and the stream behind it.
type bucket struct {
	jetstream.KeyValue
	stream jetstream.Stream
}

// watch follows the bucket until something is amiss or ctx ends, and returns why.
func (b bucket) watch(ctx context.Context, apply func(watch.Update)) error {
	return watch.Watch{Bucket: b.Bucket(), Stream: b.stream, Apply: apply}.Run(ctx)
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

// config is that of a key-value bucket as the client library lays it out, with
// marks of removed keys that do not stay for ever.
func config(name string, ttl time.Duration, o Options) jetstream.StreamConfig {
	duplicates := 2 * time.Minute // unused, but the server wants it within the lifetime
	if ttl > 0 {
		duplicates = min(duplicates, ttl)
	}
	return jetstream.StreamConfig{
		Name:              "KV_" + name,
		Description:       "Tidemark's presence",
		Subjects:          []string{"$KV." + name + ".>"},
		Storage:           o.storage(),
		Discard:           jetstream.DiscardNew,
		MaxAge:            ttl,
		MaxMsgs:           -1,
		MaxBytes:          -1, // it grows with connections, which gateways bound
		MaxMsgsPerSubject: 1,
		MaxConsumers:      -1,
		Duplicates:        duplicates,
		Replicas:          o.Replicas,
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
		return provision.Stream{Kind: "bucket", Name: name, Want: config(name, ttl, o), Compare: compare}
	}
	return []provision.Stream{of(presenceBucket, 0), of(leasesBucket, o.Lease)}
}

// storage is memory where gateways make the buckets: when a server forgets them,
// they make them again. What an operator makes nobody would make again, so it is
// on disk.
func (o Options) storage() jetstream.StorageType {
	if o.Mode == provision.Make {
		return jetstream.MemoryStorage
	}
	return jetstream.FileStorage
}

// compare looks at what of a bucket's config matters. Its storage does not: it
// cannot be changed, and presence works with either.
func compare(have, want jetstream.StreamConfig, d *provision.Drift) {
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
