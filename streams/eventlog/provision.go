package eventlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/fault"
)

// Provision makes the log if there is none and otherwise compares it with
// config. Where the log could lose events as it is, that is a Permanent error
// that names the difference. What only makes it safer or larger is updated. Any
// other difference is reported and left: services start with different settings,
// and none of them may shrink what all of them share. A log is never deleted.
func Provision(ctx context.Context, js jetstream.JetStream, config Config, log *slog.Logger) error {
	const op = "provision log"
	if err := connected(js); err != nil {
		return fault.New(op, fault.Temporary, err)
	}
	want := config.stream()
	stream, err := js.Stream(ctx, StreamName)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		_, err = js.CreateStream(ctx, want)
		if err == nil {
			log.Info("log created", "stream", StreamName, "replicas", want.Replicas)
			return nil
		}
		if !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			return fault.New(op, fault.Temporary, err)
		}
		stream, err = js.Stream(ctx, StreamName) // someone else made it just now
	}
	if err != nil {
		return fault.New(op, fault.Temporary, err)
	}

	have := stream.CachedInfo().Config
	d := reconcile(have, want)
	if len(d.unsafe) > 0 {
		return fault.Errorf(op, fault.Permanent,
			"stream %s differs from what Tidemark needs and cannot be changed safely: %s", StreamName, strings.Join(d.unsafe, "; "))
	}
	if len(d.left) > 0 {
		log.Warn("the log differs from the settings and is left as it is", "stream", StreamName, "differences", d.left)
	}
	if len(d.changes) == 0 {
		return nil
	}
	if _, err := js.UpdateStream(ctx, d.next); err != nil {
		return fault.Errorf(op, fault.Temporary, "update stream %s (%s): %w", StreamName, strings.Join(d.changes, "; "), err)
	}
	log.Warn("log settings changed", "stream", StreamName, "changes", d.changes)
	return nil
}

// drift is how a log differs from what it should be.
type drift struct {
	unsafe  []string // it could lose events: nothing may run on it
	left    []string // an operator may want to change it, with care
	changes []string // made in next
	next    jetstream.StreamConfig
}

func reconcile(have, want jetstream.StreamConfig) drift {
	d := drift{next: have}
	differ := func(list *[]string, what string, have, want any) bool {
		if have == want {
			return false
		}
		*list = append(*list, fmt.Sprintf("%s is %v, want %v", what, have, want))
		return true
	}
	differ(&d.unsafe, "subjects", strings.Join(have.Subjects, ","), strings.Join(want.Subjects, ","))
	differ(&d.unsafe, "storage", have.Storage, want.Storage)
	differ(&d.unsafe, "retention", have.Retention, want.Retention)
	differ(&d.unsafe, "max age", have.MaxAge, want.MaxAge)
	differ(&d.unsafe, "max messages", have.MaxMsgs, want.MaxMsgs)
	differ(&d.unsafe, "max messages per subject", have.MaxMsgsPerSubject, want.MaxMsgsPerSubject)
	differ(&d.unsafe, "deny delete", have.DenyDelete, want.DenyDelete)
	differ(&d.unsafe, "deny purge", have.DenyPurge, want.DenyPurge)
	differ(&d.unsafe, "persist mode", have.PersistMode, want.PersistMode)
	differ(&d.unsafe, "no ack", have.NoAck, want.NoAck)
	differ(&d.unsafe, "sealed", have.Sealed, want.Sealed)

	differ(&d.left, "replicas", have.Replicas, want.Replicas)
	// The server does not learn the older ids of a longer window, and a running
	// gateway goes on trusting the longer of two.
	differ(&d.left, "dedup window", have.Duplicates, want.Duplicates)
	differ(&d.left, "atomic publish", have.AllowAtomicPublish, want.AllowAtomicPublish)
	differ(&d.left, "max message size", have.MaxMsgSize, want.MaxMsgSize)

	if have.MaxBytes > want.MaxBytes || have.MaxBytes <= 0 {
		differ(&d.left, "max bytes", have.MaxBytes, want.MaxBytes)
	} else if differ(&d.changes, "max bytes", have.MaxBytes, want.MaxBytes) {
		d.next.MaxBytes = want.MaxBytes
	}
	if differ(&d.changes, "discard policy", have.Discard, want.Discard) {
		d.next.Discard = want.Discard
	}
	if differ(&d.changes, "direct get", have.AllowDirect, want.AllowDirect) {
		d.next.AllowDirect = want.AllowDirect
	}
	return d
}
