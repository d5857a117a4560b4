// Package provision brings what Tidemark keeps in nats-server into being: the
// streams, and the streams behind key-value buckets. What each of them should
// be, and which differences matter, the package says that uses it; here is what
// may be done about them.
//
//	            missing    safe to change    concerns all services    could lose something
//	Make        made       changed           left, reported           Permanent error
//	Reshape     made       changed           changed                  Permanent error
//	Check       error      reported          reported                 Permanent error
//
// Nothing is ever deleted, and nothing that several services share gets smaller.
package provision

import (
	"context"
	"errors"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/fault"
)

// Mode is what may be done.
type Mode int

const (
	Make    Mode = iota // by a service when it starts
	Check               // nothing: an operator provides
	Reshape             // by an operator's command
)

// For is the mode of a service that may provision, or may not.
func For(provision bool) Mode {
	if provision {
		return Make
	}
	return Check
}

// ErrMissing says that what is not there may not be made.
var ErrMissing = errors.New("it has not been made yet; run: streams provision")

var errDisconnected = errors.New("no connection to nats-server")

// Stream is a stream, or the one behind a bucket, as it should be.
type Stream struct {
	Kind string // "stream" or "bucket"
	Name string // as operators know it: a bucket's without what its stream's begins with
	Want jetstream.StreamConfig
	// Compare tells d how a stream differs that exists.
	Compare func(have, want jetstream.StreamConfig, d *Drift)
}

// Ensure makes, checks or changes a stream. The Result tells what came of it,
// with an error as well: Permanent if nothing may run on it, ErrMissing
// (Temporary) if it is not there and may not be made, otherwise Temporary.
func (s Stream) Ensure(ctx context.Context, js jetstream.JetStream, mode Mode) (jetstream.Stream, Result, error) {
	op := "provision " + s.Kind + " " + s.Name
	r := Result{Kind: s.Kind, Name: s.Name, Outcome: Failed}
	if !js.Conn().IsConnected() {
		return nil, r, fault.New(op, fault.Temporary, errDisconnected)
	}
	stream, err := js.Stream(ctx, s.Want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if mode == Check {
			r.Outcome = Missing
			return nil, r, fault.New(op, fault.Temporary, ErrMissing)
		}
		if stream, err = js.CreateStream(ctx, s.Want); err == nil {
			r.Outcome = Made
			return stream, r, nil
		}
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // someone else made it just now
			stream, err = js.Stream(ctx, s.Want.Name)
		}
	}
	if err != nil {
		return nil, r, fault.New(op, fault.Temporary, err)
	}

	d := Drift{mode: mode, next: stream.CachedInfo().Config}
	s.Compare(d.next, s.Want, &d)
	r.Outcome, r.Left = Fits, d.left
	switch {
	case len(d.unsafe) > 0:
		r.Outcome, r.Unsafe = Unsafe, d.unsafe
		return stream, r, fault.Errorf(op, fault.Permanent,
			"it could lose what it holds, or not be read, as it is, and cannot be changed safely: %s", strings.Join(d.unsafe, "; "))
	case len(d.changes) == 0:
	case mode == Check:
		r.Left = append(d.changes, d.left...)
	default:
		if stream, err = js.UpdateStream(ctx, d.next); err != nil {
			r.Outcome, r.Left = Failed, append(d.changes, d.left...)
			return nil, r, fault.Errorf(op, fault.Temporary, "change it (%s): %w", strings.Join(d.changes, "; "), err)
		}
		r.Outcome, r.Changes = Changed, d.changes
	}
	if r.Outcome == Fits && len(r.Left) > 0 {
		r.Outcome = Differs
	}
	return stream, r, nil
}
