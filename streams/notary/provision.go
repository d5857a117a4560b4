package notary

import (
	"context"
	"log/slog"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/provision"
)

// stream is the configuration the stream should have: nothing ever leaves it.
func stream(replicas int) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:              StreamName,
		Description:       "Tidemark's checkpoints: what shows that the event log was not altered",
		Subjects:          []string{subjects},
		Storage:           jetstream.FileStorage,
		Retention:         jetstream.LimitsPolicy,
		Discard:           jetstream.DiscardNew, // should it ever get a limit
		MaxBytes:          -1,
		MaxMsgs:           -1,
		MaxMsgsPerSubject: -1,
		MaxMsgSize:        -1,
		MaxConsumers:      -1,
		Replicas:          replicas,
		AllowDirect:       true,
		DenyDelete:        true,
		DenyPurge:         true,
		Metadata:          map[string]string{"tidemark-schema": "1"},
	}
}

// Provision makes the stream if there is none. One from which entries could be lost, or not be read, is a Permanent error that
// names the differences; it is never changed, and never deleted.
func Provision(ctx context.Context, js jetstream.JetStream, replicas int, log *slog.Logger) error {
	return ProvisionAs(ctx, js, replicas, provision.Make, log)
}

// ProvisionAs is Provision where perhaps nothing may be made.
func ProvisionAs(ctx context.Context, js jetstream.JetStream, replicas int, mode provision.Mode, log *slog.Logger) error {
	_, result, err := Stream(replicas).Ensure(ctx, js, mode)
	result.Log(log)
	return err
}

// Subject is where a notary publishes.
const Subject = subjectCheckpoint

// Stream is the stream of checkpoints, to be provisioned.
func Stream(replicas int) provision.Stream {
	return provision.Stream{Kind: "stream", Name: StreamName, Want: stream(replicas), Compare: compare}
}

// compare finds what could lose messages, or keep them from being stored or read.
func compare(have, want jetstream.StreamConfig, d *provision.Drift) {
	d.Replicas(have, want)
	if have.MaxBytes <= 0 || have.Discard == jetstream.DiscardNew {
		have.MaxBytes, have.Discard = want.MaxBytes, want.Discard // full, it refuses
	}
	d.Unsafe("subjects", strings.Join(have.Subjects, ","), strings.Join(want.Subjects, ","))
	d.Unsafe("storage", have.Storage, want.Storage)
	d.Unsafe("retention", have.Retention, want.Retention)
	d.Unsafe("max age", have.MaxAge, want.MaxAge)
	d.Unsafe("max messages", have.MaxMsgs, want.MaxMsgs)
	d.Unsafe("max messages per subject", have.MaxMsgsPerSubject, want.MaxMsgsPerSubject)
	d.Unsafe("max bytes", have.MaxBytes, want.MaxBytes)
	d.Unsafe("discard policy", have.Discard, want.Discard)
	d.Unsafe("message TTL allowed", have.AllowMsgTTL, want.AllowMsgTTL)
	d.Unsafe("deny delete", have.DenyDelete, want.DenyDelete)
	d.Unsafe("deny purge", have.DenyPurge, want.DenyPurge)
	d.Unsafe("direct get", have.AllowDirect, want.AllowDirect)
	d.Unsafe("persist mode", have.PersistMode, want.PersistMode)
	d.Unsafe("no ack", have.NoAck, want.NoAck)
	d.Unsafe("sealed", have.Sealed, want.Sealed)
}
