package appender

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
)

// Error codes of nats-server that jetstream gives no name.
const (
	codeInsufficientResources jetstream.ErrorCode = 10023
	codeStorageExceeded       jetstream.ErrorCode = 10047
	codeStoreFailed           jetstream.ErrorCode = 10077 // the stream's own limit, among others
	codeDuplicateInFlight     jetstream.ErrorCode = 10158 // the original is not stored yet: ask again
)

// batchHeaders is more than the headers take that make a message one of a batch.
const batchHeaders = 512

// inFlightRetry is the pause before asking again about an event whose original
// is being stored at this moment.
const inFlightRetry = 20 * time.Millisecond

// publish publishes one event; it has left, in order, when publish returns.
// ended is called after the request's own callback.
func (a *Appender) publish(r request, ended func()) {
	// No retries by the library: they would come behind what is published later.
	future, err := a.js.PublishMsgAsync(r.message(), jetstream.WithRetryAttempts(0))
	if err != nil {
		a.end(r, Receipt{}, failure(err))
		ended()
		return
	}
	go func() {
		defer ended()
		receipt, err := a.await(r, future)
		a.end(r, receipt, err)
	}()
}

// message is what the log is given: the event, and its trace where there is room.
func (r request) message() *nats.Msg {
	m := r.event.Encode()
	event.SetTrace(m, r.trace, eventlog.MaxMessageSize-batchHeaders)
	return m
}

// await waits for an event's ack, for as long as the appender's timeout.
func (a *Appender) await(r request, future jetstream.PubAckFuture) (Receipt, error) {
	deadline := time.NewTimer(a.timeout)
	defer deadline.Stop()
	for {
		select {
		case ack := <-future.Ok():
			return Receipt{Offset: ack.Sequence, Duplicate: ack.Duplicate}, nil
		case err := <-future.Err():
			if code(err) != codeDuplicateInFlight {
				return Receipt{}, failure(err)
			}
		case <-deadline.C:
			return Receipt{}, failure(nats.ErrTimeout)
		}
		select {
		case <-time.After(inFlightRetry):
		case <-deadline.C:
			return Receipt{}, failure(nats.ErrTimeout)
		}
		var err error
		if future, err = a.js.PublishMsgAsync(r.message()); err != nil {
			return Receipt{}, failure(err)
		}
	}
}

// commit appends requests as one atomic batch. If the log refuses it, nothing of
// it is stored: one repeated key is reason enough, without a word about which,
// as is an operator who has switched batches off. Then each is published singly.
func (a *Appender) commit(requests []request) {
	msgs := make([]*nats.Msg, len(requests))
	for i := range requests {
		msgs[i] = requests[i].message()
	}
	ctx, cancel := context.WithTimeout(context.Background(), a.timeout)
	defer cancel()
	ack, err := jetstreamext.PublishMsgBatch(ctx, a.js, msgs, jetstreamext.BatchFlowControl{})
	if refused := code(err); refused != 0 && !full(refused) {
		a.publishAll(requests)
		a.batchDone <- struct{}{}
		return
	}
	a.batchDone <- struct{}{} // the next may leave while these are told
	for i, r := range requests {
		if err != nil {
			a.end(r, Receipt{}, failure(err))
			continue
		}
		// The sequences of a batch are contiguous; the ack has the last.
		a.end(r, Receipt{Offset: ack.Sequence - uint64(len(requests)-1-i)}, nil)
	}
}

func (a *Appender) publishAll(requests []request) {
	var all sync.WaitGroup
	for _, r := range requests {
		all.Add(1)
		a.publish(r, all.Done)
	}
	all.Wait()
}

// failure gives a publish error its kind.
func failure(err error) error {
	const op = "append"
	switch c := code(err); {
	case full(c):
		return fault.Errorf(op, fault.Temporary, "%w: %w", ErrLogFull, err)
	case c == jetstream.JSErrCodeStreamMessageExceedsMaximum, errors.Is(err, nats.ErrMaxPayload):
		return fault.New(op, fault.Permanent, err)
	}
	return fault.New(op, fault.Temporary, err)
}

// full reports whether an error code says that the log has no room.
func full(c jetstream.ErrorCode) bool {
	return c == codeStoreFailed || c == codeStorageExceeded || c == codeInsufficientResources
}

// code is the server's error code in err, or 0. Both jetstream and its
// extension package wrap an APIError of the same type.
func code(err error) jetstream.ErrorCode {
	var js jetstream.JetStreamError
	if errors.As(err, &js) && js.APIError() != nil {
		return js.APIError().ErrorCode
	}
	return 0
}
