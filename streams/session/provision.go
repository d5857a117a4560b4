package session

import (
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/provision"
)

const (
	bucketName = "SESSIONS"
	streamName = "KV_" + bucketName
	// DefaultTTL is the lifetime of a session that is not renewed.
	DefaultTTL = 30 * 24 * time.Hour
	// maxBytes holds about two million sessions, at 232 bytes each. A full bucket
	// refuses new ones and drops none; an operator can raise it.
	maxBytes = 512 << 20
)

// Config says how sessions are kept.
type Config struct {
	TTL      time.Duration // lifetime without Renew; 0 is DefaultTTL
	Replicas int           // 1, 3 or 5; 0 is 1
	Mode     provision.Mode
	Log      *slog.Logger // what Provision found and did; nil for none
}

func (c Config) withDefaults() Config {
	if c.TTL == 0 {
		c.TTL = DefaultTTL
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Replicas = max(c.Replicas, 1)
	return c
}

// stream is a key-value bucket as the client library lays it out, except that
// direct reads are off: replicas would answer them, and may lag.
func (c Config) stream() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:              streamName,
		Description:       "Tidemark's sessions",
		Subjects:          []string{"$KV." + bucketName + ".>"},
		Storage:           jetstream.FileStorage,
		Discard:           jetstream.DiscardNew,
		MaxAge:            c.TTL,
		MaxBytes:          maxBytes,
		MaxMsgs:           -1,
		MaxMsgsPerSubject: 1,
		MaxConsumers:      -1,
		Duplicates:        min(c.TTL, 2*time.Minute),
		Replicas:          c.Replicas,
		AllowRollup:       true,
		DenyDelete:        true,
	}
}

// Provision makes the bucket if there is none. Otherwise it raises the lifetime
// if it is shorter, and turns off direct reads; any other difference is only
// reported, since services start with different settings and none may shorten
// what all of them share. Where an operator provisions (Config.Mode), nothing is
// made or changed.
func (s *Store) Provision(ctx context.Context) error {
	_, result, err := Bucket(s.config).Ensure(ctx, s.js, s.config.Mode)
	result.Log(s.config.Log)
	if result.Outcome == provision.Changed {
		s.handle.Store(nil) // it remembers how to read
	}
	return err
}

// Bucket is the bucket as config has it, to be provisioned.
func Bucket(config Config) provision.Stream {
	return provision.Stream{Kind: "bucket", Name: bucketName, Want: config.withDefaults().stream(), Compare: compare}
}

func compare(have, want jetstream.StreamConfig, d *provision.Drift) {
	if have.MaxAge > 0 && have.MaxAge < want.MaxAge { // 0 is for ever
		d.Change("lifetime", have.MaxAge, want.MaxAge, func(next *jetstream.StreamConfig) { next.MaxAge = want.MaxAge })
	} else {
		d.Leave("lifetime", have.MaxAge, want.MaxAge)
	}
	d.Change("direct reads", have.AllowDirect, want.AllowDirect, func(next *jetstream.StreamConfig) { next.AllowDirect = want.AllowDirect })
	d.Leave("storage", have.Storage, want.Storage)
	d.Leave("history", have.MaxMsgsPerSubject, want.MaxMsgsPerSubject)
	d.Leave("max bytes", have.MaxBytes, want.MaxBytes)
	d.Leave("discard policy", have.Discard, want.Discard)
	d.Replicas(have, want)
}
