package peers

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"
)

// outbox sends messages for a member, so many in flight.
type outbox struct {
	member *member
	slots  chan struct{} // has one for each message in flight
	echo   bool          // a message is in flight until its sender has received it, and not only its ack

	mu     sync.Mutex
	acks   []time.Duration // of each, from its sending
	echoes int
	freed  int
	no     error // why one was refused
}

// outbox makes the member one who sends; an earlier outbox of it must be empty.
func (m *member) newOutbox(window int, echo bool) *outbox {
	o := &outbox{member: m, slots: make(chan struct{}, window), echo: echo}
	m.mu.Lock()
	m.outbox = o
	m.mu.Unlock()
	return o
}

// sendUntil sends until a time, always with a full window, or at most so many messages, and then waits until nothing is
// in flight.
func (o *outbox) sendUntil(ctx context.Context, until time.Time, most int) (sent int, err error) {
	over := time.NewTimer(time.Until(until))
	defer over.Stop()
	for sent < most {
		select {
		case o.slots <- struct{}{}:
		case <-over.C:
			return sent, o.empty(ctx)
		case <-ctx.Done():
			return sent, context.Cause(ctx)
		}
		if !time.Now().Before(until) {
			<-o.slots
			break
		}
		if err := o.send(); err != nil {
			return sent, err
		}
		sent++
	}
	return sent, o.empty(ctx)
}

// send sends one message, for which a slot has been taken.
func (o *outbox) send() error {
	m := o.member
	m.keys++
	key := m.conn.SocketID() + "-" + strconv.Itoa(m.keys)
	at := time.Now()
	return m.conn.Ask(chatMessage(at, m.number, key), func(answer []byte) { o.acked(time.Since(at), answer) })
}

func (o *outbox) acked(after time.Duration, answer []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if refused(answer) {
		o.no = fmt.Errorf("a message was refused: %s", answer)
	}
	o.acks = append(o.acks, after)
	o.free()
}

func (o *outbox) returned() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.echoes++
	o.free()
}

// free gives a slot back when one more message is through.
func (o *outbox) free() {
	through := len(o.acks)
	if o.echo {
		through = min(through, o.echoes)
	}
	for ; o.freed < through; o.freed++ {
		<-o.slots
	}
}

// empty waits until nothing is in flight.
func (o *outbox) empty(ctx context.Context) error {
	deadline := time.NewTimer(awaitAtMost)
	defer deadline.Stop()
	for range cap(o.slots) {
		select {
		case o.slots <- struct{}{}:
		case <-deadline.C:
			return fmt.Errorf("a message was not acked within %v", awaitAtMost)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.no
}

// sendAll lets the first few members of a crowd send at the same time, and tells how many messages they have sent.
func (c *crowd) sendAll(ctx context.Context, senders, window int, echo bool, until time.Time, most int) (sent int, boxes []*outbox, err error) {
	counts := make([]int, senders)
	for _, m := range c.members[:senders] {
		boxes = append(boxes, m.newOutbox(window, echo))
	}
	err = inParallel(senders, senders, func(i int) (err error) {
		counts[i], err = boxes[i].sendUntil(ctx, until, most)
		return err
	})
	for _, n := range counts {
		sent += n
	}
	return sent, boxes, err
}

// sendPaced lets the first member send at a fixed rate, whether or not what it sent before is acked, and waits for the
// acks.
func (c *crowd) sendPaced(ctx context.Context, perSecond int, during time.Duration) (sent int, err error) {
	o := c.members[0].newOutbox(perSecond, false) // at most what is sent in a second is in flight
	ticker := time.NewTicker(time.Second / time.Duration(perSecond))
	defer ticker.Stop()
	for sent < int(during.Seconds()*float64(perSecond)) {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return sent, context.Cause(ctx)
		}
		select {
		case o.slots <- struct{}{}:
		default:
			return sent, fmt.Errorf("after a second, %d messages are not acked", cap(o.slots))
		}
		if err := o.send(); err != nil {
			return sent, err
		}
		sent++
	}
	return sent, o.empty(ctx)
}
