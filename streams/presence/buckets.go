package presence

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	presenceBucket = "PRESENCE"
	leasesBucket   = "LEASES"
	subjectPrefix  = "$KV." + presenceBucket + "."
)

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
	if s.leases, _, err = s.bucket(ctx, leasesBucket, s.options.Lease); err != nil {
		return err
	}
	s.presence, s.stream, err = s.bucket(ctx, presenceBucket, 0)
	return err
}

func (s *stay) bucket(ctx context.Context, name string, ttl time.Duration) (jetstream.KeyValue, jetstream.Stream, error) {
	want := config(name, ttl, s.options.Replicas)
	stream, err := s.js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		stream, err = s.js.CreateStream(ctx, want)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // someone else made it just now
			stream, err = s.js.Stream(ctx, want.Name)
		}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("bucket %s: %w", name, err)
	}
	have := stream.CachedInfo().Config
	if have.MaxAge != want.MaxAge || have.Storage != want.Storage || have.Replicas != want.Replicas || have.AllowMsgTTL != want.AllowMsgTTL {
		s.log.Warn("a presence bucket differs from the settings and is left as it is", "bucket", name,
			"have", fmt.Sprintf("%v, %v, %d replicas, marks expire: %v", have.MaxAge, have.Storage, have.Replicas, have.AllowMsgTTL),
			"want", fmt.Sprintf("%v, %v, %d replicas, marks expire: %v", want.MaxAge, want.Storage, want.Replicas, want.AllowMsgTTL))
	}
	kv, err := s.js.KeyValue(ctx, name)
	return kv, stream, err
}
