// Package appender appends events to the log: durably, once, in the order they
// were given, and many at a time when many are waiting.
//
// With one replica the server fsyncs once per message, so appends in flight
// are group-committed: with few waiting each is published singly, with many
// they leave as one atomic batch, one batch in flight.
//
//	Append ──▶ queue (bounded) ──▶ Run ──┬── few waiting:  publish singly, up to maxSingles in flight
//	                                     └── many waiting: one atomic batch of up to maxBatch
//
// An event given before another is stored before it, unless its append fails.
package appender

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/fault"
)

const (
	queueSize = 1024
	// Below batchFrom events waiting, publishing singly is faster: an atomic
	// batch has a floor of about 2.5 ms on one replica.
	batchFrom = 32
	maxBatch  = 256
	// In flight singly at most: with group commit what more arrives gathers
	// into a batch; without it, Raft batches the fsyncs of many.
	maxSinglesGrouped = 32
	maxSingles        = 1024
)

var (
	// ErrLogFull says that the log has reached its maximum size. Temporary:
	// an operator can make room.
	ErrLogFull = errors.New("the log is full")
	// ErrOverloaded says that an event waited too long for its turn. Temporary.
	ErrOverloaded = errors.New("too many appends are waiting")
	// ErrClosed says that the appender has stopped. Temporary.
	ErrClosed = errors.New("the appender has stopped")
)

// Receipt says where the log holds an event.
type Receipt struct {
	Offset uint64
	// Duplicate: the log already held an event under this key; Offset is that
	// event's, and whether it is the same message is for the caller to check.
	Duplicate bool
}

// Done is told how an append ended, once. It runs on the appender's goroutines
// and must not block. An error is Permanent (never stored), or Temporary: then
// the event may or may not be stored, and only its key can tell.
type Done func(Receipt, error)

// Appender appends to the log over one connection, which should publish only.
type Appender struct {
	js      jetstream.JetStream
	group   bool
	timeout time.Duration
	observe func(took time.Duration, r Receipt, err error) // nil: nobody is told
	queue   chan request

	singleDone chan struct{} // one value for each single that ended
	batchDone  chan struct{} // one value for each batch that was stored or refused
	batches    sync.WaitGroup
	stopped    chan struct{} // closed when Run no longer takes requests
	// callers is read-held by every Append, so that Run can wait for the last
	// one before it answers what is left in the queue.
	callers sync.RWMutex
}

type request struct {
	event  event.Event
	done   Done
	queued time.Time
	trace  string // that it is to carry; empty for none
}

// New makes an appender. group allows group commit: it needs a log that takes
// atomic batches (eventlog.State.AtomicBatch). timeout bounds how long an event
// waits for its turn, and then how long it waits for its ack: whatever has not
// left by then never does, because its sender may have given up. The appender
// works while Run does.
func New(js jetstream.JetStream, group bool, timeout time.Duration) *Appender {
	return &Appender{
		js: js, group: group, timeout: timeout,
		queue:      make(chan request, queueSize),
		singleDone: make(chan struct{}, maxSingles),
		batchDone:  make(chan struct{}, 1),
		stopped:    make(chan struct{}),
	}
}

// Observe has a function told of every append that was queued: how long it took
// from there, and how it ended. To be called before the first; like Done it must
// not block.
func (a *Appender) Observe(ended func(took time.Duration, r Receipt, err error)) { a.observe = ended }

// end tells how an append ended.
func (a *Appender) end(r request, receipt Receipt, err error) {
	if a.observe != nil {
		a.observe(time.Since(r.queued), receipt, err)
	}
	r.done(receipt, err)
}

// Append hands over a sealed event, with the trace that ctx has for it. It blocks while the queue is full, and
// returns an error, without calling done, if it could not be queued.
func (a *Appender) Append(ctx context.Context, e event.Event, done Done) error {
	a.callers.RLock()
	defer a.callers.RUnlock()
	select {
	case <-a.stopped:
		return fault.New("append", fault.Temporary, ErrClosed)
	default:
	}
	select {
	case a.queue <- request{e, done, time.Now(), event.Trace(ctx)}:
		return nil
	case <-a.stopped:
		return fault.New("append", fault.Temporary, ErrClosed)
	case <-ctx.Done():
		return fault.New("append", fault.Temporary, ctx.Err())
	}
}

// Run appends until ctx ends. Then it fails what is still queued, waits for
// what is in flight, and returns.
func (a *Appender) Run(ctx context.Context) {
	s := scheduler{a: a}
	for ctx.Err() == nil {
		s.wait(ctx)
		s.start()
	}
	close(a.stopped)
	s.finish()
}

// scheduler is the state of Run: what waits and what is in flight.
type scheduler struct {
	a        *Appender
	waiting  []request
	singles  int
	batching bool
}

// wait returns when something has changed: a request came or an append ended.
func (s *scheduler) wait(ctx context.Context) {
	queue := s.a.queue
	if len(s.waiting) >= maxBatch {
		queue = nil
	}
	select {
	case r := <-queue:
		s.waiting = append(s.waiting, r)
		for len(s.waiting) < maxBatch {
			select {
			case r := <-queue:
				s.waiting = append(s.waiting, r)
				continue
			default:
			}
			break
		}
	case <-s.a.singleDone:
		s.singles--
	case <-s.a.batchDone:
		s.batching = false
	case <-ctx.Done():
	}
}

// start starts what may start now. Nothing starts while a batch is in flight:
// it would be stored before the batch is.
func (s *scheduler) start() {
	if s.batching {
		return
	}
	s.expire(time.Now().Add(-s.a.timeout))
	if s.a.group && len(s.waiting) >= batchFrom {
		s.batching = true
		batch := s.waiting
		s.a.batches.Go(func() { s.a.commit(batch) })
		s.waiting = nil
		return
	}
	limit := maxSingles
	if s.a.group {
		limit = maxSinglesGrouped
	}
	n := min(len(s.waiting), limit-s.singles)
	for _, r := range s.waiting[:n] {
		s.singles++
		s.a.publish(r, func() { s.a.singleDone <- struct{}{} })
	}
	s.waiting = s.waiting[n:]
	if len(s.waiting) == 0 {
		s.waiting = nil
	}
}

// expire fails what has waited since before a time.
func (s *scheduler) expire(before time.Time) {
	for len(s.waiting) > 0 && s.waiting[0].queued.Before(before) {
		s.a.end(s.waiting[0], Receipt{}, fault.New("append", fault.Temporary, ErrOverloaded))
		s.waiting = s.waiting[1:]
	}
}

// finish fails what waits and waits for what is in flight.
func (s *scheduler) finish() {
	closed := fault.New("append", fault.Temporary, ErrClosed)
	for _, r := range s.waiting {
		s.a.end(r, Receipt{}, closed)
	}
	for s.batching || s.singles > 0 {
		select {
		case <-s.a.singleDone:
			s.singles--
		case <-s.a.batchDone:
			s.batching = false
		}
	}
	s.a.batches.Wait()
	s.a.callers.Lock() // the last Append has left; no further one queues
	defer s.a.callers.Unlock()
	for len(s.a.queue) > 0 {
		r := <-s.a.queue
		s.a.end(r, Receipt{}, closed)
	}
}
