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
// config. What can be changed without risk is updated and reported; what
// cannot is a Permanent error that names it. A log is never deleted.
func Provision(ctx context.Context, js jetstream.JetStream, config Config, log *slog.Logger) error {
	const op = "provision log"
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
	next, changes, unsafe := reconcile(have, want)
	if len(unsafe) > 0 {
		return fault.Errorf(op, fault.Permanent,
			"stream %s differs from what Tidemark needs and cannot be changed safely: %s", StreamName, strings.Join(unsafe, "; "))
	}
	if len(changes) == 0 {
		return nil
	}
	if _, err := js.UpdateStream(ctx, next); err != nil {
		return fault.Errorf(op, fault.Temporary, "update stream %s (%s): %w", StreamName, strings.Join(changes, "; "), err)
	}
	log.Warn("log settings changed", "stream", StreamName, "changes", changes)
	return nil
}

// reconcile compares two configurations of the log: next is have with every
// safe change made; unsafe lists what differs and must not be touched.
func reconcile(have, want jetstream.StreamConfig) (next jetstream.StreamConfig, changes, unsafe []string) {
	next = have
	differ := func(list *[]string, what string, have, want any) bool {
		if have == want {
			return false
		}
		*list = append(*list, fmt.Sprintf("%s is %v, want %v", what, have, want))
		return true
	}
	differ(&unsafe, "subjects", strings.Join(have.Subjects, ","), strings.Join(want.Subjects, ","))
	differ(&unsafe, "storage", have.Storage, want.Storage)
	differ(&unsafe, "retention", have.Retention, want.Retention)
	differ(&unsafe, "max age", have.MaxAge, want.MaxAge)
	differ(&unsafe, "max messages", have.MaxMsgs, want.MaxMsgs)
	differ(&unsafe, "max messages per subject", have.MaxMsgsPerSubject, want.MaxMsgsPerSubject)
	differ(&unsafe, "deny delete", have.DenyDelete, want.DenyDelete)
	differ(&unsafe, "deny purge", have.DenyPurge, want.DenyPurge)
	differ(&unsafe, "persist mode", have.PersistMode, want.PersistMode)

	if differ(&changes, "discard policy", have.Discard, want.Discard) {
		next.Discard = want.Discard
	}
	if differ(&changes, "max bytes", have.MaxBytes, want.MaxBytes) {
		next.MaxBytes = want.MaxBytes // a smaller limit refuses appends, it drops nothing
	}
	if differ(&changes, "max message size", have.MaxMsgSize, want.MaxMsgSize) {
		next.MaxMsgSize = want.MaxMsgSize
	}
	if differ(&changes, "dedup window", have.Duplicates, want.Duplicates) {
		next.Duplicates = want.Duplicates
	}
	if differ(&changes, "replicas", have.Replicas, want.Replicas) {
		next.Replicas = want.Replicas
	}
	if differ(&changes, "direct get", have.AllowDirect, want.AllowDirect) {
		next.AllowDirect = want.AllowDirect
	}
	if differ(&changes, "atomic publish", have.AllowAtomicPublish, want.AllowAtomicPublish) {
		next.AllowAtomicPublish = want.AllowAtomicPublish
	}
	return next, changes, unsafe
}
