// Package layout is all that Tidemark keeps in nats-server:
//
//	stream    CHAT         the log                              file
//	stream    AUDIT        the notary's checkpoints             file
//	bucket    SESSIONS     who is behind a session              file
//	bucket    REVOCATIONS  who may no longer connect            file
//	bucket    PRESENCE     who is connected, by gateway         file, or memory if gateways make it
//	bucket    LEASES       which gateways live                  file, or memory if gateways make it
//	consumer  persister    how far the log has been projected   of CHAT
//
// Each package that uses one of them says what it has to be like.
package layout

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/notary"
	"github.com/tidemark-chat/tidemark/streams/presence"
	"github.com/tidemark-chat/tidemark/streams/provision"
	"github.com/tidemark-chat/tidemark/streams/revocation"
	"github.com/tidemark-chat/tidemark/streams/session"
)

// Log is the log as the settings have it.
func Log(cfg config.Config) eventlog.Config {
	return eventlog.Config{
		Replicas: cfg.NATS.Replicas, MaxBytes: int64(cfg.Stream.MaxBytes), DedupWindow: cfg.Stream.DedupWindow,
		Republish: cfg.Stream.Republish, Mode: provision.For(cfg.NATS.Provision),
	}
}

// Streams are the streams and buckets as the settings have them, and as an operator
// makes them: all on disk, so that a server that starts again has them.
func Streams(cfg config.Config) []provision.Stream {
	all := []provision.Stream{
		eventlog.Stream(Log(cfg)),
		notary.Stream(cfg.NATS.Replicas),
		session.Bucket(session.Config{TTL: cfg.Gateway.SessionTTL, Replicas: cfg.NATS.Replicas}),
		revocation.Bucket(cfg.NATS.Replicas),
	}
	return append(all, presence.Buckets(presence.Options{
		Lease: cfg.Gateway.PresenceLease, Replicas: cfg.NATS.Replicas, Mode: provision.Reshape,
	})...)
}

// Ensure makes, checks or changes everything, and tells of each what became of
// it. It does not stop at the first error; they are those of package provision.
func Ensure(ctx context.Context, js jetstream.JetStream, cfg config.Config, mode provision.Mode) ([]provision.Result, error) {
	var results []provision.Result
	var errs []error
	for _, s := range Streams(cfg) {
		_, result, err := s.Ensure(ctx, js, mode)
		results, errs = append(results, result), append(errs, err)
	}
	consumer := eventlog.Consumer{BatchSize: cfg.Persister.BatchSize, PinTTL: cfg.Persister.PinTTL}
	_, result, err := consumer.Ensure(ctx, js, mode)
	return append(results, result), errors.Join(append(errs, err)...)
}
