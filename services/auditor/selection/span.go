package selection

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
)

// slack widens what is read for a bound of time. Times ascend with the offsets as long as one server leads the log; its
// successor's clock may be behind. With so much more to read, no event is missed whose time is up to half of it before the
// time of an earlier one.
const slack = time.Minute

// Span is what of the log has to be read: after < offset <= through. It may be empty, which is no error, and it may hold events
// that are not meant, also by their time. An offset beyond the end of the log is an error that is Permanent and names the end;
// only what follows directly behind the end may be asked for, as who has read everything and asks for more does.
func (s *Selection) Span(ctx context.Context, js jetstream.JetStream, state eventlog.State) (after, through uint64, err error) {
	if err := s.check(state.Last); err != nil {
		return 0, 0, fault.New("select", fault.Permanent, err)
	}
	through = state.Last
	if s.From > 0 {
		after = s.From - 1
	}
	if s.To > 0 {
		through = s.To
	}
	if !s.Since.IsZero() {
		begin, err := begins(ctx, js, s.Since.Add(-slack), state.Last)
		if err != nil {
			return 0, 0, err
		}
		if begin > 0 {
			after = max(after, begin-1)
		}
	}
	if !s.Until.IsZero() {
		begin, err := begins(ctx, js, s.Until.Add(slack), state.Last)
		if err != nil {
			return 0, 0, err
		}
		if begin > 0 {
			through = min(through, begin-1)
		}
	}
	return min(after, through), through, nil
}

// check compares the offsets with each other and with the log's end.
func (s *Selection) check(last uint64) error {
	end := fmt.Sprintf("the log ends at %d", last)
	switch {
	case s.To > 0 && s.From > s.To+1:
		return fmt.Errorf("--from %d is behind --to %d", s.From, s.To)
	case !s.Until.IsZero() && s.Since.After(s.Until):
		return fmt.Errorf("--since %s is later than --until %s", s.Since.Format(time.RFC3339), s.Until.Format(time.RFC3339))
	case s.To > last:
		return fmt.Errorf("--to %d is beyond the end: %s", s.To, end)
	case s.From > last+1 && !s.Growing:
		return fmt.Errorf("--from %d is beyond the end: %s", s.From, end)
	}
	return nil
}

// begins is the first offset whose event is not older than t, at most last+1, or 0 if the server that answered cannot tell. It
// costs the server a search by halving.
func begins(ctx context.Context, js jetstream.JetStream, t time.Time, last uint64) (uint64, error) {
	const op = "look for a time in the log"
	switch {
	case last == 0 || t.Before(time.Unix(0, 0)):
		return 1, nil
	case t.After(time.Unix(0, math.MaxInt64)): // beyond what the server can count in nanoseconds
		return last + 1, nil
	}
	msg, err := first(ctx, js, jetstreamext.GetBatchStartTime(t))
	if err != nil {
		return 0, fault.New(op, fault.Temporary, err)
	}
	if msg != nil {
		return min(msg.Sequence, last+1), nil
	}
	// All is older, or the one that was asked does not have all: in a cluster, each may be asked.
	newest, err := first(ctx, js, jetstreamext.GetBatchSeq(last))
	if err != nil || newest == nil || !newest.Time.Before(t) {
		return 0, fault.New(op, fault.Temporary, err)
	}
	return last + 1, nil
}

// first asks for one message; nil if there is none.
func first(ctx context.Context, js jetstream.JetStream, where jetstreamext.GetBatchOpt) (*jetstream.RawStreamMsg, error) {
	msgs, err := jetstreamext.GetBatch(ctx, js, eventlog.StreamName, 1, where)
	if err != nil {
		return nil, err
	}
	for msg, err := range msgs {
		if errors.Is(err, jetstreamext.ErrNoMessages) {
			return nil, nil
		}
		return msg, err
	}
	return nil, errors.New("the log's answer was cut short")
}
