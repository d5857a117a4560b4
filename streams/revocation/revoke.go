package revocation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/provision"
)

// Revoke makes a revocation as of now, by the server's clock, and returns it with its
// time. It is done when this returns; gateways hear of it a moment later. An earlier
// one of the same target is replaced: by one that is not older, whatever the clock of the
// server says that leads now, and that still knows whose the session was.
func Revoke(ctx context.Context, js jetstream.JetStream, r Revocation) (Revocation, error) {
	const op = "revoke"
	stream, revocations, err := open(ctx, js)
	if err != nil {
		return Revocation{}, fault.New(op, fault.Temporary, err)
	}
	r.At = stream.CachedInfo().TimeStamp.UTC().Truncate(time.Millisecond).Add(time.Millisecond)
	switch before, err := revocations.Get(ctx, r.key()); {
	case err == nil:
		old, _ := decode(r.key(), before.Value(), before.Created()) // what was not understood has counted as well
		r.Of = cmp.Or(r.Of, old.Of)
		if old.At.After(r.At) {
			r.At = old.At
		}
	case !errors.Is(err, jetstream.ErrKeyNotFound):
		return Revocation{}, fault.New(op, fault.Temporary, err)
	}
	body, err := r.encode()
	if err != nil {
		return Revocation{}, fault.New(op, fault.Permanent, err)
	}
	if _, err := revocations.Put(ctx, r.key(), body); err != nil {
		return Revocation{}, fault.New(op, fault.Temporary, err)
	}
	return r, nil
}

// Lift ends a revocation, and reports whether there was one.
func Lift(ctx context.Context, js jetstream.JetStream, t Target) (bool, error) {
	const op = "lift a revocation"
	_, revocations, err := open(ctx, js)
	if err != nil {
		return false, fault.New(op, fault.Temporary, err)
	}
	if _, err := revocations.Get(ctx, t.key()); errors.Is(err, jetstream.ErrKeyNotFound) {
		return false, nil
	} else if err != nil {
		return false, fault.New(op, fault.Temporary, err)
	}
	return true, fault.New(op, fault.Temporary, revocations.Delete(ctx, t.key()))
}

func open(ctx context.Context, js jetstream.JetStream) (jetstream.Stream, jetstream.KeyValue, error) {
	if !js.Conn().IsConnected() {
		return nil, nil, errDisconnected
	}
	stream, err := js.Stream(ctx, streamName)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, nil, fmt.Errorf("bucket %s: %w", bucketName, provision.ErrMissing)
	}
	if err != nil {
		return nil, nil, err
	}
	revocations, err := js.KeyValue(ctx, bucketName)
	return stream, revocations, err
}
