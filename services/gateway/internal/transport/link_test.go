package transport

import (
	"math"
	"testing"
	"testing/synctest"

	"github.com/zishang520/socket.io/parsers/engine/v3/packet"
)

// patient is a carrier of which the test does the work.
type patient struct{}

func (patient) wake()                   {}
func (patient) abort()                  {}
func (patient) OnPacket(*packet.Packet) {}

// One writer writes for many connections. What one of them does when it has room
// again takes a lock that may be held for long.
func TestWhoWritesDoesNotWaitForTheDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		link := newLink(Limits{SendBudget: 100}.withDefaults(), newRegistry())
		link.carrier = patient{}
		calls, release := 0, make(chan struct{})
		link.OnDrain(func() {
			calls++
			<-release
		})
		refuseAndDrain := func() {
			t.Helper()
			frame := NewFrame(make([]byte, 80))
			if n := link.Send(frame, frame); n != 1 {
				t.Fatalf("took %d, want 1", n)
			}
			link.mu.Lock()
			batch := link.take(patient{}, math.MaxInt)
			link.mu.Unlock()
			link.wrote(len(batch)) // or all that are here wait, which fails the test
			synctest.Wait()
		}
		refuseAndDrain()
		refuseAndDrain()
		if calls != 1 {
			t.Errorf("%d calls at a time", calls)
		}
		release <- struct{}{}
		synctest.Wait()
		if calls != 2 {
			t.Errorf("%d calls, %d drains", calls, 2)
		}
		release <- struct{}{}
		refuseAndDrain()
		if calls != 3 {
			t.Errorf("%d calls, %d drains", calls, 3)
		}
		close(release)
	})
}
