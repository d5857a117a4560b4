package persister

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/projection"
)

// lookEvery is how often a busy session looks whether all is as it thinks; an
// idle one does after each pull.
const lookEvery = 5 * time.Second

// lookTimeout bounds one look: a connection that has just gone does not say so.
const lookTimeout = 2 * time.Second

// session projects as long as nothing goes wrong.
type session struct {
	*worker
	consumer jetstream.Consumer
	intake   *intake
	epoch    string             // of the log, as it was found at the start
	position readmodel.Position // the checkpoint, as far as this session knows
	pin      string             // under which it was last delivered to
	rewound  bool               // since the last commit, because of a gap
	looked   time.Time
}

// session returns nil when ctx is done and otherwise with what went wrong.
func (w *worker) session(ctx context.Context) error {
	s := &session{worker: w}
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.intake.close()
	for {
		a, err := s.intake.next(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			err = s.step(ctx, a)
		}
		if err != nil {
			return err
		}
	}
}

// begin finds out where everything stands and makes the consumer agree with
// the checkpoint, unless another persister is at work with it.
func (s *session) begin(ctx context.Context) error {
	// The checkpoint first: were the log asked first, another persister could project in between what is not in the answer.
	if err := s.reload(ctx); err != nil {
		return err
	}
	state, err := s.link.log.State(ctx)
	if err != nil {
		return err
	}
	if err := s.sameLog(ctx, s.position, state); err != nil {
		return err
	}
	s.epoch = state.Epoch
	s.status.sawHead(state.Last)
	if err := s.serveQueries(); err != nil {
		return err
	}
	if s.consumer, err = s.worker.consumer(ctx); err != nil {
		return err
	}
	s.intake = &intake{consumer: s.consumer, size: s.options.BatchSize, wait: s.options.pull()}
	s.log.Info("projecting", "checkpoint", s.position.Offset, "head", state.Last, "database", s.store.Name())
	return s.align(ctx, true)
}

// step deals with what one wait for messages has brought.
func (s *session) step(ctx context.Context, a arrival) error {
	idle := len(a.deliveries) == 0
	if !idle {
		if err := s.take(ctx, a); err != nil {
			return err
		}
	}
	if idle || time.Since(s.looked) > lookEvery {
		return s.look(ctx, idle)
	}
	return nil
}

// take writes what continues the checkpoint. If something is missing between,
// the consumer is set back, once; if it then is still missing, and the log
// says so too, it is recorded as missing.
func (s *session) take(ctx context.Context, a arrival) error {
	s.status.set(active, nil)
	s.status.sawHead(a.head)
	if a.pin != s.pin { // another persister may have been at work in between
		if err := s.reload(ctx); err != nil {
			return err
		}
		s.pin = a.pin
	}
	dense, gap := projection.Dense(s.position.Offset, a.deliveries)
	if gap != 0 && len(dense) == 0 && s.rewound {
		if err := s.confirmMissing(ctx, s.position.Offset+1, gap-1); err != nil {
			return err
		}
		dense, gap = projection.Dense(gap-1, a.deliveries)
	}
	if len(dense) > 0 {
		if err := s.commit(ctx, dense); err != nil {
			return err
		}
	}
	if gap != 0 {
		return s.closeGap(ctx, gap)
	}
	return a.ack(ctx)
}

// commit projects dense deliveries in one transaction.
func (s *session) commit(ctx context.Context, dense []projection.Delivery) error {
	batch, skipped := projection.Project(s.position, s.epoch, dense)
	started, span := time.Now(), s.traced(dense)
	refused, err := s.store.Append(ctx, batch)
	if err != nil {
		span.End("not written")
		return err
	}
	span.Set("tidemark.checkpoint", int64(batch.Next.Offset)).End("")
	s.metrics.batchSeconds.Observe(time.Since(started).Seconds())
	s.position, s.rewound = batch.Next, false
	s.status.sawCheckpoint(s.position)
	s.report(len(batch.Messages)+len(batch.Users)-len(refused), append(batch.DeadLetters, refused...), skipped)
	return nil
}

// closeGap sets the consumer back, because it has passed over something.
func (s *session) closeGap(ctx context.Context, gap uint64) error {
	s.log.Warn("the consumer is ahead of the checkpoint, setting it back", "checkpoint", s.position.Offset, "delivered", gap)
	s.intake.drain()
	if err := s.reload(ctx); err != nil {
		return err
	}
	s.rewound = true
	return s.rewind(ctx, s.position.Offset)
}

// confirmMissing returns nil if the log holds nothing at the ends of a range
// that the consumer has passed over twice.
func (s *session) confirmMissing(ctx context.Context, from, through uint64) error {
	for _, offset := range []uint64{from, through} {
		_, err := s.link.log.Get(ctx, offset)
		switch {
		case errors.Is(err, eventlog.ErrNotFound):
		case err == nil || fault.Is(err, fault.Corrupt):
			return fault.Errorf("project", fault.Temporary, "the consumer passes over offset %d, which the log holds", offset)
		default:
			return err
		}
	}
	return nil
}

// look compares what the session thinks with the log, the checkpoint and the
// consumer.
func (s *session) look(ctx context.Context, idle bool) error {
	s.looked = time.Now()
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	if err := s.reload(ctx); err != nil { // first, as in begin
		return err
	}
	state, err := s.link.log.State(ctx)
	if err != nil {
		return err
	}
	if err := s.serveQueries(); err != nil {
		return err
	}
	if state.Epoch != s.epoch || state.Last < s.position.Offset {
		if err := s.sameLog(ctx, s.position, state); err != nil {
			return err
		}
		return fault.Errorf("project", fault.Temporary, "the log's epoch went from %s to %s", s.epoch, state.Epoch)
	}
	s.status.sawHead(state.Last)
	return s.align(ctx, idle && s.position.Offset < state.Last)
}

// align finds out who is pinned. If nothing is on its way to this persister
// although there should be, and nobody else is at work, the consumer is set to
// the checkpoint.
func (s *session) align(ctx context.Context, stuck bool) error {
	info, err := s.consumer.Info(ctx)
	if err != nil {
		return fault.New("look at the consumer", fault.Temporary, err)
	}
	switch pin := pinned(info); {
	case pin == "":
		s.status.set(waiting, nil)
	case pin == s.pin:
		s.status.set(active, nil)
	default:
		s.status.set(standby, nil)
		return nil
	}
	if stuck && !inStep(info, s.position.Offset) {
		s.log.Info("setting the consumer to the checkpoint", "checkpoint", s.position.Offset,
			"delivered", info.Delivered.Stream, "acknowledged", info.AckFloor.Stream, "unacknowledged", info.NumAckPending)
		return s.rewind(ctx, s.position.Offset)
	}
	return nil
}

// reload reads the checkpoint, which another persister may have moved.
func (s *session) reload(ctx context.Context) (err error) {
	if s.position, err = s.store.Position(ctx); err != nil {
		return fmt.Errorf("project: %w", err)
	}
	s.status.sawCheckpoint(s.position)
	return nil
}
