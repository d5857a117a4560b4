package transport_test

import (
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
)

type observer struct {
	written chan time.Time
	stalled atomic.Int64
}

func newObserver() *observer { return &observer{written: make(chan time.Time, 100)} }

func (o *observer) Written(stored time.Time) { o.written <- stored }
func (o *observer) Stalled()                 { o.stalled.Add(1) }

func TestAnEventIsTimedUntilItIsWritten(t *testing.T) {
	seen := newObserver()
	s := newServer(t, transport.Limits{SendBudget: 32 << 20, Observer: seen})
	ws := mustConnect(t, s.addr)
	link := s.link(ws.id)
	f := event(0, 100<<10)
	total := 0
	for range 200 { // more than the network takes by itself
		total += f.Size()
		link.Send(f)
	}
	first, second := time.Unix(1, 0), time.Unix(2, 0)
	link.Time(first)
	link.Time(second) // while the first is timed
	if len(seen.written) > 0 {
		t.Fatal("it was told before anybody has read")
	}
	if _, err := io.CopyN(io.Discard, ws.r, int64(total)); err != nil {
		t.Fatal(err)
	}
	if stored := receive(t, "that it is written", seen.written); stored != first {
		t.Errorf("%v was timed", stored)
	}
	link.Send(f)
	link.Time(second)
	if stored := receive(t, "that the next is written", seen.written); stored != second || len(seen.written) > 0 {
		t.Errorf("%v was timed, %d are left", stored, len(seen.written))
	}
}
