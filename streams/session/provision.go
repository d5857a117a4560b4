package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/fault"
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
	Log      *slog.Logger  // what Provision found and did; nil for none
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
// what all of them share.
func (s *Store) Provision(ctx context.Context) error {
	const op = "provision sessions"
	if !s.js.Conn().IsConnected() {
		return fault.New(op, fault.Temporary, errDisconnected)
	}
	want := s.config.stream()
	stream, err := s.js.Stream(ctx, streamName)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if _, err = s.js.CreateStream(ctx, want); err == nil {
			s.config.Log.Info("session bucket created", "lifetime", want.MaxAge, "replicas", want.Replicas)
			return nil
		}
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // someone else made it just now
			stream, err = s.js.Stream(ctx, streamName)
		}
	}
	if err != nil {
		return fault.New(op, fault.Temporary, err)
	}
	next, changes, left := reconcile(stream.CachedInfo().Config, want)
	if len(left) > 0 {
		s.config.Log.Warn("the session bucket differs from the settings and is left as it is", "differences", left)
	}
	if len(changes) == 0 {
		return nil
	}
	if _, err := s.js.UpdateStream(ctx, next); err != nil {
		return fault.New(op, fault.Temporary, err)
	}
	s.handle.Store(nil) // it remembers how to read
	s.config.Log.Warn("session bucket changed", "changes", changes)
	return nil
}

func reconcile(have, want jetstream.StreamConfig) (next jetstream.StreamConfig, changes, left []string) {
	next = have
	differ := func(list *[]string, what string, have, want any) {
		if have != want {
			*list = append(*list, fmt.Sprintf("%s is %v, want %v", what, have, want))
		}
	}
	if have.MaxAge > 0 && have.MaxAge < want.MaxAge { // 0 is for ever
		next.MaxAge = want.MaxAge
		differ(&changes, "lifetime", have.MaxAge, want.MaxAge)
	} else {
		differ(&left, "lifetime", have.MaxAge, want.MaxAge)
	}
	next.AllowDirect = want.AllowDirect
	differ(&changes, "direct reads", have.AllowDirect, want.AllowDirect)
	differ(&left, "storage", have.Storage, want.Storage)
	differ(&left, "history", have.MaxMsgsPerSubject, want.MaxMsgsPerSubject)
	differ(&left, "max bytes", have.MaxBytes, want.MaxBytes)
	differ(&left, "discard policy", have.Discard, want.Discard)
	differ(&left, "replicas", have.Replicas, want.Replicas)
	return next, changes, left
}
