package notary

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/fault"
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
	const op = "provision the stream of checkpoints"
	if err := connected(js); err != nil {
		return fault.New(op, fault.Temporary, err)
	}
	want := stream(replicas)
	have, err := js.Stream(ctx, StreamName)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		have, err = js.CreateStream(ctx, want)
		if err == nil {
			log.Info("stream of checkpoints created", "stream", StreamName, "replicas", replicas)
		}
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // someone else made it just now
			have, err = js.Stream(ctx, StreamName)
		}
	}
	if err != nil {
		return fault.New(op, fault.Temporary, err)
	}
	config := have.CachedInfo().Config
	if wrong := unsafe(config, want); len(wrong) > 0 {
		return fault.Errorf(op, fault.Permanent, "stream %s could lose checkpoints as it is: %s", StreamName, strings.Join(wrong, "; "))
	}
	if config.Replicas != want.Replicas {
		log.Warn("the stream of checkpoints differs from the settings and is left as it is",
			"stream", StreamName, "replicas", config.Replicas, "want", want.Replicas)
	}
	return nil
}

// unsafe names what could lose messages, or keep them from being stored or read.
func unsafe(have, want jetstream.StreamConfig) (wrong []string) {
	if have.MaxBytes <= 0 || have.Discard == jetstream.DiscardNew {
		have.MaxBytes, have.Discard = want.MaxBytes, want.Discard // full, it refuses
	}
	for _, d := range []struct {
		what       string
		have, want any
	}{
		{"subjects", strings.Join(have.Subjects, ","), strings.Join(want.Subjects, ",")},
		{"storage", have.Storage, want.Storage},
		{"retention", have.Retention, want.Retention},
		{"max age", have.MaxAge, want.MaxAge},
		{"max messages", have.MaxMsgs, want.MaxMsgs},
		{"max messages per subject", have.MaxMsgsPerSubject, want.MaxMsgsPerSubject},
		{"max bytes", have.MaxBytes, want.MaxBytes},
		{"discard policy", have.Discard, want.Discard},
		{"message TTL allowed", have.AllowMsgTTL, want.AllowMsgTTL},
		{"deny delete", have.DenyDelete, want.DenyDelete},
		{"deny purge", have.DenyPurge, want.DenyPurge},
		{"direct get", have.AllowDirect, want.AllowDirect},
		{"persist mode", have.PersistMode, want.PersistMode},
		{"no ack", have.NoAck, want.NoAck},
		{"sealed", have.Sealed, want.Sealed},
	} {
		if d.have != d.want {
			wrong = append(wrong, fmt.Sprintf("%s is %v, want %v", d.what, d.have, d.want))
		}
	}
	return wrong
}
