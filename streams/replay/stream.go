package replay

import (
	"context"

	"github.com/nats-io/nats.go/jetstream"
)

// Stream is Log for any stream.
func Stream(ctx context.Context, js jetstream.JetStream, stream string, after, through uint64, apply func(Record) error) (missing uint64, err error) {
	panic("not yet")
}
