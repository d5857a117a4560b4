package revocation

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/provision"
)

const (
	bucketName = "REVOCATIONS"
	streamName = "KV_" + bucketName
	// maxBytes holds about 80,000 revocations, which are at most 20 MB of memory in
	// each gateway. A full bucket refuses new ones and drops none; an operator lifts
	// old ones, or raises it.
	maxBytes = 16 << 20
)

// Bucket is the bucket, to be provisioned. What it holds stays until it is lifted: no
// token and no session could outlive it.
func Bucket(replicas int) provision.Stream {
	return provision.Stream{Kind: "bucket", Name: bucketName, Compare: compare, Want: jetstream.StreamConfig{
		Name:              streamName,
		Description:       "Tidemark's revocations of users and sessions",
		Subjects:          []string{"$KV." + bucketName + ".>"},
		Storage:           jetstream.FileStorage,
		Discard:           jetstream.DiscardNew,
		MaxBytes:          maxBytes,
		MaxMsgs:           -1,
		MaxMsgsPerSubject: 1,
		MaxConsumers:      -1,
		Duplicates:        2 * time.Minute,
		Replicas:          max(replicas, 1),
		AllowRollup:       true,
		DenyDelete:        true,
	}}
}

func compare(have, want jetstream.StreamConfig, d *provision.Drift) {
	d.Unsafe("subjects", strings.Join(have.Subjects, ","), strings.Join(want.Subjects, ","))
	d.Change("lifetime", have.MaxAge, want.MaxAge, func(next *jetstream.StreamConfig) { next.MaxAge = want.MaxAge })
	d.Change("discard policy", have.Discard, want.Discard, func(next *jetstream.StreamConfig) { next.Discard = want.Discard })
	d.Leave("storage", have.Storage, want.Storage)
	d.Leave("max bytes", have.MaxBytes, want.MaxBytes)
	d.Replicas(have, want)
}

// Provision makes the bucket if there is none, and otherwise puts right what could
// forget a revocation.
func Provision(ctx context.Context, js jetstream.JetStream, replicas int, log *slog.Logger) error {
	_, result, err := Bucket(replicas).Ensure(ctx, js, provision.Make)
	result.Log(log)
	return err
}
