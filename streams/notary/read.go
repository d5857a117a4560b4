package notary

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/fault"
)

const opRead = "read checkpoints"

// What JetStream's API is asked for a message by.
const (
	subjectGet = "$JS.API.DIRECT.GET." + StreamName
	getTimeout = 5 * time.Second
)

const (
	// A replica may be asked for what it does not have yet.
	replicaRetry    = 100 * time.Millisecond
	replicaAttempts = 20
)

// reader reads the stream as it was when it was opened.
type reader struct {
	js       jetstream.JetStream
	last     uint64 // newest sequence, by the leader; 0: the stream is empty
	replicas int
}

// open asks the stream's leader how far it goes. ErrNone if there is no stream.
func (a *Audit) open(ctx context.Context) (*reader, error) {
	if err := connected(a.js); err != nil {
		return nil, fault.New(opRead, fault.Temporary, err)
	}
	stream, err := a.js.Stream(ctx, StreamName)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, fault.New(opRead, fault.Temporary, err)
	}
	info := stream.CachedInfo()
	return &reader{js: a.js, last: info.State.LastSeq, replicas: info.Config.Replicas}, nil
}

// connected says at once, and in plain words, what a request would after a while: that the server is away.
func connected(js jetstream.JetStream) error {
	if !js.Conn().IsConnected() {
		return errors.New("no connection to nats-server")
	}
	return nil
}

// get reads the entry of a sequence up to last. What is no entry, or not there, is a Corrupt error with its sequence in Entry.
func (r *reader) get(ctx context.Context, sequence uint64) (Entry, error) {
	for attempt := 1; ; attempt++ {
		m, found, err := r.next(ctx, sequence)
		switch {
		case err != nil:
			return Entry{Sequence: sequence}, fault.Errorf(opRead, fault.Temporary, "message %d: %w", sequence, err)
		case found && m.sequence == sequence:
			return m.entry()
		case found, r.replicas <= 1, attempt == replicaAttempts:
			return corrupt(sequence, errors.New("there is none"))
		}
		select { // the one that was asked may not have got that far
		case <-ctx.Done():
			return Entry{Sequence: sequence}, fault.New(opRead, fault.Temporary, ctx.Err())
		case <-time.After(replicaRetry):
		}
	}
}

// next asks for the first message from a sequence on.
func (r *reader) next(ctx context.Context, sequence uint64) (m message, found bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, getTimeout)
	defer cancel()
	request := fmt.Appendf(nil, `{"seq":%d,"next_by_subj":"%s"}`, sequence, subjects)
	answer, err := r.js.Conn().RequestWithContext(ctx, subjectGet, request)
	if err != nil {
		return message{}, false, err
	}
	if m, found = messageOf(answer.Header, answer.Data); found {
		return m, true, nil
	}
	if status := answer.Header.Get("Status"); status != "404" {
		return message{}, false, fmt.Errorf("the answer is %s %q", status, answer.Header.Get("Description"))
	}
	return message{}, false, nil
}

// message is one of the stream's.
type message struct {
	sequence uint64
	subject  string
	body     []byte
}

// messageOf takes the message from an answer of the server, if it is one. What the server says stands behind what the message
// has been stored with, under the same names: so an answer is read from its end, which the client library does not.
func messageOf(header nats.Header, body []byte) (message, bool) {
	last := func(name string) string {
		if values := header[name]; len(values) > 0 {
			return values[len(values)-1]
		}
		return ""
	}
	sequence, err := strconv.ParseUint(last(jetstream.SequenceHeader), 10, 64)
	if err != nil || last(jetstream.StreamHeader) != StreamName {
		return message{}, false
	}
	return message{sequence, last(jetstream.SubjectHeader), body}, true
}

// entry is the entry that the message is.
func (m message) entry() (Entry, error) {
	if m.subject != subjectCheckpoint {
		return corrupt(m.sequence, fmt.Errorf("its subject is %q", m.subject))
	}
	e, err := decode(m.sequence, m.body)
	if err != nil {
		return corrupt(m.sequence, err)
	}
	return e, nil
}

func corrupt(sequence uint64, err error) (Entry, error) {
	return Entry{Sequence: sequence}, fault.Errorf(opRead, fault.Corrupt, "message %d of stream %s: %w", sequence, StreamName, err)
}
