package delivery_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/delivery"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

const timeout = 20 * time.Second

func room(i int) subject.Conversation {
	return subject.Conversation{Kind: subject.Room, Name: fmt.Sprint("room", i)}
}

func message(offset uint64, c subject.Conversation) event.Event {
	return event.Event{Offset: offset, At: time.Unix(int64(offset), 0).UTC(), Schema: event.Schema, Type: event.Posted, Conversation: c, Content: fmt.Sprint(offset)}
}

// outlet is a connection with room for a few frames, emptied by take.
type outlet struct {
	mu       sync.Mutex
	capacity int
	queued   []transport.Frame
	refused  bool
	drain    func()
	closed   chan struct{}
	once     sync.Once
	arrived  chan struct{} // a token when something was queued
}

func newOutlet(capacity int) *outlet {
	return &outlet{capacity: capacity, closed: make(chan struct{}), arrived: make(chan struct{}, 1)}
}

func (o *outlet) Send(frames ...transport.Frame) (sent int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, f := range frames {
		if len(o.queued) >= o.capacity {
			o.refused = true
			break
		}
		o.queued = append(o.queued, f)
		sent++
	}
	select {
	case o.arrived <- struct{}{}:
	default:
	}
	return sent
}

func (o *outlet) OnDrain(f func()) { o.drain = f }

func (o *outlet) Time(time.Time) {}

func (o *outlet) Close() { o.once.Do(func() { close(o.closed) }) }

// take waits for frames and removes up to n.
func (o *outlet) take(t *testing.T, n int) []transport.Frame {
	t.Helper()
	for {
		o.mu.Lock()
		if n = min(n, len(o.queued)); n > 0 {
			frames := o.queued[:n:n]
			o.queued = o.queued[n:]
			drained := o.refused && len(o.queued) <= o.capacity/2
			o.refused = o.refused && !drained
			o.mu.Unlock()
			if drained {
				o.drain()
			}
			return frames
		}
		o.mu.Unlock()
		n = 1
		select {
		case <-o.arrived:
		case <-time.After(timeout):
			t.Error("nothing came")
			return nil
		}
	}
}

// past is a history that holds everything up to an offset, and may fail.
type past struct {
	mu      sync.Mutex
	events  []event.Event // at index offset-1
	trimmed uint64        // nothing below this offset is left
	err     error
}

func (p *past) After(_ context.Context, cs []subject.Conversation, cursor, through uint64, limit int) (found []event.Event, reached uint64, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return nil, 0, p.err
	}
	if cursor+1 < p.trimmed {
		return nil, 0, &delivery.TrimmedError{First: p.trimmed}
	}
	for o := cursor + 1; o <= min(through, uint64(len(p.events))); o++ {
		for _, c := range cs {
			if p.events[o-1].Conversation == c {
				found = append(found, p.events[o-1])
			}
		}
		if len(found) == limit {
			return found, o, nil
		}
	}
	return found, through, nil
}

func (p *past) Head(context.Context) (uint64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return uint64(len(p.events)), p.err
}

func (p *past) add(e event.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events = append(p.events, e)
}

// stranger has sent nothing.
type stranger struct{}

func (stranger) Own(*event.Event) bool  { return false }
func (stranger) Sent(*event.Event) bool { return false }
func (stranger) ID() string             { return "" }

// replay reads a replay event; ok is false if the frame is another.
func replay(f transport.Frame) (from, head uint64, ok bool) {
	if !bytes.HasPrefix(f.Text(), []byte(`2["replay"`)) {
		return 0, 0, false
	}
	n, err := fmt.Sscanf(string(f.Text()), `2["replay",{"from":%d,"head":%d}]`, &from, &head)
	return from, head, n == 2 && err == nil
}

// expect reads until all wanted events and the recovery have come, and before them the
// replay where it began far behind, or nearly.
func (o *outlet) expect(t *testing.T, begin uint64, far bool, want []uint64, pace int) {
	told, first := false, true
	for len(want) > 0 || !told {
		frames := o.take(t, pace)
		if frames == nil {
			t.Errorf("still waiting for %d events, recovery told: %v", len(want), told)
			return
		}
		for _, f := range frames {
			from, head, announced := replay(f)
			if first && far && !announced || announced && (!first || from != begin || head <= begin+1000) {
				t.Errorf("a start after %d, far behind: %v; first frame: %v, %s", begin, far, first, f.Text())
			}
			if first = false; announced {
				continue
			}
			offset, r := parse(t, f)
			if r != nil {
				if told || !r.Recovered || r.From != begin {
					t.Errorf("recovery %+v for a start after %d, told before: %v", r, begin, told)
				}
				told = true
				continue
			}
			if len(want) == 0 || offset != want[0] {
				t.Errorf("got offset %d, want %v", offset, want[:min(3, len(want))])
				return
			}
			want = want[1:]
		}
	}
}
