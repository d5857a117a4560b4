package eventlog

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/provision"
)

// Provision makes the log if there is none and otherwise compares it with
// config. Where the log could lose events as it is, that is a Permanent error
// that names the difference. What only makes it safer or larger is updated. Any
// other difference is reported and left: services start with different settings,
// and none of them may shrink what all of them share. A log is never deleted.
//
// Where an operator provisions (Config.Mode), a log that is not there is a
// Temporary error, and nothing is changed.
func Provision(ctx context.Context, js jetstream.JetStream, config Config, log *slog.Logger) error {
	if err := connected(js); err != nil {
		return fault.New("provision log", fault.Temporary, err)
	}
	_, result, err := Stream(config).Ensure(ctx, js, config.Mode)
	result.Log(log)
	return err
}

// Stream is the log as config has it, to be provisioned.
func Stream(config Config) provision.Stream {
	return provision.Stream{Kind: "stream", Name: StreamName, Want: config.stream(), Compare: compare}
}

func compare(have, want jetstream.StreamConfig, d *provision.Drift) {
	d.Unsafe("subjects", strings.Join(have.Subjects, ","), strings.Join(want.Subjects, ","))
	d.Unsafe("storage", have.Storage, want.Storage)
	d.Unsafe("retention", have.Retention, want.Retention)
	d.Unsafe("max age", have.MaxAge, want.MaxAge)
	d.Unsafe("max messages", have.MaxMsgs, want.MaxMsgs)
	d.Unsafe("max messages per subject", have.MaxMsgsPerSubject, want.MaxMsgsPerSubject)
	d.Unsafe("deny delete", have.DenyDelete, want.DenyDelete)
	d.Unsafe("deny purge", have.DenyPurge, want.DenyPurge)
	d.Unsafe("persist mode", have.PersistMode, want.PersistMode)
	d.Unsafe("no ack", have.NoAck, want.NoAck)
	d.Unsafe("sealed", have.Sealed, want.Sealed)
	// By these a message says itself when it goes, which others go with it, or what it is;
	// or the log holds what was appended elsewhere, or under other subjects.
	d.Unsafe("message TTL allowed", have.AllowMsgTTL, want.AllowMsgTTL)
	d.Unsafe("roll-up headers", have.AllowRollup, want.AllowRollup)
	d.Unsafe("message counters", have.AllowMsgCounter, want.AllowMsgCounter)
	d.Unsafe("message schedules", have.AllowMsgSchedules, want.AllowMsgSchedules)
	d.Unsafe("mirror", have.Mirror != nil, want.Mirror != nil)
	d.Unsafe("sources", len(have.Sources), len(want.Sources))
	d.Unsafe("subject transform", have.SubjectTransform != nil, want.SubjectTransform != nil)

	// The server does not learn the older ids of a longer window, and a running
	// gateway goes on trusting the longer of two.
	d.Leave("dedup window", have.Duplicates, want.Duplicates)
	d.Leave("max message size", have.MaxMsgSize, want.MaxMsgSize)

	d.Replicas(have, want)
	if have.Replicas > want.Replicas {
		d.Leave("atomic publish", have.AllowAtomicPublish, want.AllowAtomicPublish)
	} else {
		d.Reshape("atomic publish", have.AllowAtomicPublish, want.AllowAtomicPublish, func(next *jetstream.StreamConfig) {
			next.AllowAtomicPublish = want.AllowAtomicPublish // gateways that still try find out, and publish singly
		})
	}
	switch ours := (Config{Republish: true}).stream().RePublish; {
	case want.RePublish == nil && destination(have.RePublish) == destination(ours):
		// Nothing is lost by it, and services that do not listen lack the setting.
		d.Note("republish", destination(have.RePublish), destination(want.RePublish))
	case want.RePublish == nil:
		d.Leave("republish", destination(have.RePublish), destination(want.RePublish))
	default:
		d.Reshape("republish", destination(have.RePublish), destination(want.RePublish), func(next *jetstream.StreamConfig) {
			next.RePublish = want.RePublish
		})
	}

	if have.MaxBytes > want.MaxBytes || have.MaxBytes <= 0 {
		d.Leave("max bytes", have.MaxBytes, want.MaxBytes)
	} else {
		d.Change("max bytes", have.MaxBytes, want.MaxBytes, func(next *jetstream.StreamConfig) { next.MaxBytes = want.MaxBytes })
	}
	d.Change("discard policy", have.Discard, want.Discard, func(next *jetstream.StreamConfig) { next.Discard = want.Discard })
	d.Change("direct get", have.AllowDirect, want.AllowDirect, func(next *jetstream.StreamConfig) { next.AllowDirect = want.AllowDirect })
}

// destination is what a log also sends its events to, in words.
func destination(r *jetstream.RePublish) string {
	switch {
	case r == nil:
		return "off"
	case r.HeadersOnly:
		return fmt.Sprintf("headers of %s to %s", r.Source, r.Destination)
	}
	return fmt.Sprintf("%s to %s", r.Source, r.Destination)
}
