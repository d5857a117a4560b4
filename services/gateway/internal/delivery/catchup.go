package delivery

import (
	"context"
	"errors"
	"math"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// History is what lies before the tail, and the log's own end.
type History interface {
	// After reads messages of some topics after a cursor, in ascending
	// offset, at most limit. It returns up to which offset, above cursor, the
	// answer is complete; it need not go beyond through. A *TrimmedError says
	// that what follows cursor is gone for ever; any other error, that it
	// cannot be read now.
	After(ctx context.Context, topics []subject.Conversation, cursor, through uint64, limit int) ([]event.Event, uint64, error)
	// Head is the log's newest offset.
	Head(ctx context.Context) (uint64, error)
}

// TrimmedError says that the log and the read model begin at First.
type TrimmedError struct{ First uint64 }

func (*TrimmedError) Error() string { return "the oldest events are gone" }

const (
	// readBatch is how many events are read for a member in one go.
	readBatch = 128
	// packBytes is about how much out of the tail is made ready for a member in
	// one go: it may have no room for more.
	packBytes = 64 << 10
	// lastLook is how many events may still be read for a member under the
	// hub's lock, so that it goes live even while events keep coming.
	lastLook = 32
	lastSpan = 1000 // and over how many offsets
	// longReplay is how many offsets a client may be behind and yet not be told before
	// it is sent them: that few come within a blink.
	longReplay = 1000
)

// verdict is how a step of catching up ended.
type verdict uint8

const (
	again    verdict = iota // more to read, from the tail
	history                 // more to read, from the history
	full                    // the outlet is full
	caughtUp                // the member is live
	failed                  // what it missed cannot be read now
)

// serve reads for the members of a queue until it is closed. Each is read one
// batch for, and goes to the end of the queue again.
func (h *Hub) serve(ctx context.Context, q *queue) {
	for m := q.pop(); m != nil; m = q.pop() {
		h.mu.Lock()
		if m.state != waiting {
			h.mu.Unlock()
			continue
		}
		m.state, m.drained = reading, false
		h.mu.Unlock()
		h.settle(m, h.step(ctx, m, q == h.old))
	}
}

// settle puts a member where its step says. A member that left meanwhile stays
// gone. One that has gone live is no longer this reader's: by now it may have
// fallen behind again, and be in another reader's hands.
func (h *Hub) settle(m *Member, v verdict) {
	if v == caughtUp {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if m.state != reading {
		return
	}
	switch {
	case v == failed:
		h.cut(m)
		h.options.Metrics.cut.Inc()
	case v == full && !m.drained:
		m.state = parked
	case v == history:
		m.state = waiting
		h.old.push(m)
	default:
		m.state = waiting
		h.recent.push(m)
	}
}

// drained is called by a member's outlet when it has room again.
func (h *Hub) drained(m *Member) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m.drained = true
	if m.state == parked {
		m.state = waiting
		h.recent.push(m)
	}
}

// step reads one batch for a member and sends it. Only with far may it ask the
// history, which can take its time.
func (h *Hub) step(ctx context.Context, m *Member, far bool) verdict {
	if m.start != nil {
		if ok, err := h.resolve(ctx, m, far); err != nil {
			h.warn("a client's offset cannot be judged", "error", err)
			return failed
		} else if !ok {
			return history
		}
	}
	if !h.tellReplay(m) {
		return full
	}
	i := h.interestOf(m)
	events, through, ok := h.tail.After(m.cursor, i.topics, readBatch)
	most := packBytes
	switch {
	case ok:
		h.options.Metrics.Read(FromTail)
		h.options.Metrics.fromTail.Add(float64(len(events)))
	case !far:
		return history
	default:
		var err error
		most = math.MaxInt // what was hard to get is not read twice if that can be helped
		if events, through, err = h.readHistory(ctx, m, i); err != nil {
			h.warn("what a client missed cannot be read", "after", m.cursor, "error", err)
			return failed
		}
	}
	p, through := pack(m, i, events, through, most)
	return h.hand(m, i, p, through)
}

func (h *Hub) interestOf(m *Member) *interest {
	h.mu.Lock()
	defer h.mu.Unlock()
	return m.interest
}

// readHistory reads what the tail does not hold. Where that is gone for ever,
// it moves the member past the loss and notes it.
func (h *Hub) readHistory(ctx context.Context, m *Member, i *interest) ([]*event.Event, uint64, error) {
	first, _, _ := h.tail.Stats()
	found, through, err := h.history.After(ctx, i.topics, m.cursor, first-1, readBatch)
	if trimmed := (*TrimmedError)(nil); errors.As(err, &trimmed) {
		m.recovery.Recovered, m.recovery.Reason = false, contract.Trimmed
		return nil, trimmed.First - 1, nil
	}
	if err != nil {
		return nil, 0, err
	}
	events := make([]*event.Event, len(found))
	for i := range found {
		events[i] = &found[i]
	}
	h.options.Metrics.fromHistory.Add(float64(len(events)))
	return events, through, nil
}

// hand sends what was read for a member, if the member still wants just that,
// and takes it live if nothing, or only a little, is left to send.
func (h *Hub) hand(m *Member, i *interest, p parcel, through uint64) verdict {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case m.state != reading:
		return failed // it left; settle leaves it alone
	case m.interest != i:
		return again
	case !h.send(m, p, through):
		return full
	}
	if h.tail.Position() > m.cursor+lastSpan {
		return again // too far to look at under the lock
	}
	rest, through, ok := h.tail.After(m.cursor, i.topics, lastLook)
	if !ok {
		return history
	}
	p, through = pack(m, i, rest, through, packBytes)
	if !h.send(m, p, through) {
		return full
	}
	if m.cursor < h.tail.Position() {
		return again
	}
	if !h.tellRecovery(m) {
		return full
	}
	h.goLive(m)
	return caughtUp
}

// tellReplay sends the replay event, once, before the first event, if there is far to
// go. It is false if the outlet is full, or the member has left.
func (h *Hub) tellReplay(m *Member) bool {
	if m.announced {
		return true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if m.state != reading {
		return false
	}
	if from, head := m.recovery.From, h.tail.Position(); head > from+longReplay {
		if m.outlet.Send(transport.NewFrame(contract.Replay(from, head))) == 0 {
			return false
		}
	}
	m.announced = true
	return true
}

// tellRecovery sends the recovery event, once, after the last replayed event.
func (h *Hub) tellRecovery(m *Member) bool {
	if m.told {
		return true
	}
	m.recovery.Head = m.cursor
	if m.outlet.Send(transport.NewFrame(m.recovery.Packet())) == 0 {
		return false
	}
	m.told, m.shown = true, m.cursor
	h.options.Metrics.recoveries[m.recovery.Reason].Inc()
	return true
}

// resolve turns what a client said about its start into a cursor. It is false
// if the log must be asked and far is not set.
func (h *Hub) resolve(ctx context.Context, m *Member, far bool) (ok bool, err error) {
	r := contract.Recovery{Recovered: true, From: m.start.offset, Epoch: h.options.Epoch}
	switch {
	case m.start.epoch != "" && m.start.epoch != h.options.Epoch && r.From > 0:
		r.Recovered, r.From, r.Reason = false, 0, contract.EpochChanged
	case r.From > h.tail.Position():
		if !far {
			return false, nil
		}
		// Another gateway's feed may be further than this one's: only the log
		// knows whether the offset was ever issued.
		head, err := h.history.Head(ctx)
		if err != nil {
			return false, err
		}
		if r.From > head {
			r.Recovered, r.From, r.Reason = false, 0, contract.AheadOfLog
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	m.recovery, m.cursor, m.start = r, r.From, nil
	close(m.resolved)
	return true, nil
}
