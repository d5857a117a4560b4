package notary

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/fault"
)

const opRead = "read checkpoints"

const (
	// A replica may be asked for what it does not have yet.
	replicaRetry    = 100 * time.Millisecond
	replicaAttempts = 20
)

// reader reads the stream as it was when it was opened.
type reader struct {
	js       jetstream.JetStream
	stream   jetstream.Stream
	last     uint64 // newest sequence, by the leader; 0: the stream is empty
	replicas int
}

// open asks the stream's leader how far it goes. ErrNone if there is no stream.
func (a *Audit) open(ctx context.Context) (*reader, error) {
	stream, err := a.js.Stream(ctx, StreamName)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, fault.New(opRead, fault.Temporary, err)
	}
	info := stream.CachedInfo()
	return &reader{js: a.js, stream: stream, last: info.State.LastSeq, replicas: info.Config.Replicas}, nil
}

// get reads the entry of a sequence up to last. What is no entry, or not there, is a Corrupt error with its sequence in Entry.
func (r *reader) get(ctx context.Context, sequence uint64) (Entry, error) {
	message, err := r.message(ctx, sequence)
	if err != nil {
		return Entry{Sequence: sequence}, err
	}
	return entryOf(sequence, message)
}

func entryOf(sequence uint64, message *jetstream.RawStreamMsg) (Entry, error) {
	if message.Subject != subjectCheckpoint || message.Sequence != sequence { // as its own headers can say, see numbered
		return corrupt(sequence, fmt.Errorf("it is said to be message %d, of subject %q", message.Sequence, message.Subject))
	}
	e, err := decode(sequence, message.Data)
	if err != nil {
		return corrupt(sequence, err)
	}
	return e, nil
}

func corrupt(sequence uint64, err error) (Entry, error) {
	return Entry{Sequence: sequence}, fault.Errorf(opRead, fault.Corrupt, "message %d of stream %s: %w", sequence, StreamName, err)
}

// message reads one message. With replicas, it waits for a while for the one that is asked to have it.
func (r *reader) message(ctx context.Context, sequence uint64) (*jetstream.RawStreamMsg, error) {
	for attempt := 1; ; attempt++ {
		message, err := r.stream.GetMsg(ctx, sequence)
		switch {
		case err == nil:
			return message, nil
		case !errors.Is(err, jetstream.ErrMsgNotFound):
			return nil, fault.New(opRead, fault.Temporary, err)
		case r.replicas <= 1 || attempt == replicaAttempts:
			_, err = corrupt(sequence, errors.New("there is none"))
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, fault.New(opRead, fault.Temporary, ctx.Err())
		case <-time.After(replicaRetry):
		}
	}
}
