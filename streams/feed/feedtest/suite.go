// Package feedtest is what every feed.Feed must stand, on a real log with real
// faults.
package feedtest

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/feed"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

// Run tests the feeds that newFeed makes. Of what the log's server republishes, one
// message in losing does not arrive; 0 is none.
func Run(t *testing.T, newFeed func(jetstream.JetStream) feed.Feed, losing int) {
	s := suite{newFeed: newFeed, losing: losing}
	for name, test := range map[string]func(*testing.T){
		"EveryEventInOrderWhateverHappensToTheServer":      s.restarts,
		"ACutConnectionLeavesNothingOutAndNothingTwice":    s.cuts,
		"WhatIsStoredWhileItIsAwayComesAfterwards":         s.away,
		"ASlowReaderGetsEverything":                        s.slow,
		"TheNewestEventComesThoughNoOtherFollows":          s.last,
		"ItBeginsWhereItIsTold":                            s.begins,
		"ItSaysHowManyOffsetsHoldNothing":                  s.holes,
		"ADamagedEventIsDeliveredAsSuch":                   s.damaged,
		"WhatAMessageSaysOfItselfDecidesNothing":           s.boasts,
		"ALogThatWasDeletedIsLost":                         s.deleted,
		"ALogThatWasMadeAnewIsLostAndNothingOfItComes":     s.madeAnew,
		"AnOlderCopyOfTheLogIsLostAndNothingOfItComes":     s.putBack(5),
		"AnOlderCopyThatHasGrownIsLostAndNothingOfItComes": s.putBack(20),
		"NothingIsAppliedAfterItsContextEnded":             s.ends,
		"NothingOfItStaysInTheServer":                      s.leaves,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t) })
	}
}

type suite struct {
	newFeed func(jetstream.JetStream) feed.Feed
	losing  int
}

// follow follows a log from after an offset, over a way of its own.
func (s suite) follow(t *testing.T, l *log, after uint64) (*follower, *Way) {
	t.Helper()
	w := NewWay(t, "nats://"+l.config.Listen, s.losing)
	return follow(t, s.newFeed(Connect(t, w.URL())), after), w
}

func (s suite) restarts(t *testing.T) {
	l := newLog(t)
	l.fill(300)
	f, _ := s.follow(t, l, 100)
	f.expect(101, 300)
	for range 3 {
		from := l.last + 1
		l.post(30)
		f.expect(from, l.last)
		l.stop()
		l.start()
	}
	l.post(30)
	f.expect(l.last-29, l.last)
}

func (s suite) cuts(t *testing.T) {
	l := newLog(t)
	f, w := s.follow(t, l, 0)
	for range 4 {
		from := l.last + 1
		l.post(20)
		w.Cut() // what was stored is on its way
		f.expect(from, l.last)
	}
	l.fill(1000)
	w.Cut()
	f.expect(81, l.last)
	f.nothing()
}

func (s suite) away(t *testing.T) {
	l := newLog(t)
	l.post(10)
	f, w := s.follow(t, l, 0)
	f.expect(1, 10)
	w.Shut()
	l.fill(1000)
	f.nothing()
	w.Open()
	f.expect(11, 1010)
	l.post(10)
	f.expect(1011, 1020)
}

func (s suite) slow(t *testing.T) {
	l := newLog(t)
	f, _ := s.follow(t, l, 0)
	l.post(1)
	f.expect(1, 1)
	f.hold <- struct{}{}
	l.fill(10_000) // more than a feed keeps
	<-f.hold
	f.expect(2, l.last)
	l.post(5)
	f.expect(l.last-4, l.last)
}

// last loses the only event there is, in one of a few rounds.
func (s suite) last(t *testing.T) {
	l := newLog(t)
	f, _ := s.follow(t, l, 0)
	for range max(1, 2*s.losing) {
		l.post(1)
		f.expect(l.last, l.last)
	}
}

func (s suite) begins(t *testing.T) {
	l := newLog(t)
	empty, _ := s.follow(t, l, 0)
	l.post(10)
	empty.expect(1, 10)
	var all []*follower
	for _, after := range []uint64{0, 4, 10} {
		f, _ := s.follow(t, l, after)
		f.expect(after+1, 10)
		all = append(all, f)
	}
	l.post(1)
	for _, f := range append(all, empty) {
		f.expect(11, 11) // and nothing before it
	}
	ahead, _ := s.follow(t, l, 12)
	if err := ahead.end(); !errors.Is(err, feed.ErrLost) {
		t.Errorf("begun beyond the end: %v, want ErrLost", err)
	}
}

func (s suite) holes(t *testing.T) {
	l := newLog(t)
	l.post(6)
	l.remove(1, 2, 4)
	f, w := s.follow(t, l, 0)
	want := func(offset, missing uint64) {
		t.Helper()
		if r := f.next(); r.Event.Offset != offset || r.Missing != missing || r.Damaged != nil {
			t.Fatalf("got %+v, want offset %d after %d missing", r, offset, missing)
		}
	}
	want(3, 2)
	want(5, 1)
	want(6, 0)
	l.post(1)
	want(7, 0)
	w.Shut()
	l.post(5)
	l.remove(8, 10, 12) // and so the newest
	w.Open()
	want(9, 1)
	want(11, 1)
	l.post(2)
	want(13, 1)
	want(14, 0)
}

func (s suite) damaged(t *testing.T) {
	l := newLog(t)
	damage := func() {
		e := logtest.Message(t, "general", "hi")
		e.Content = "altered after it was sealed"
		l.last = logtest.Publish(t, l.js, e)
		ack, err := l.js.Publish(context.Background(), "chat.0.room.ngeneral", []byte("not ours"))
		if err != nil {
			t.Fatal(err)
		}
		l.last = ack.Sequence
	}
	damage()
	f, _ := s.follow(t, l, 0)
	for round := range uint64(2) {
		for range 2 {
			if r := f.next(); r.Damaged == nil {
				t.Errorf("passed as intact: %+v", r)
			}
		}
		l.post(1)
		f.expect(3*round+3, 3*round+3)
		damage()
	}
}

// boasts stores events that bear headers which the log's server sets.
func (s suite) boasts(t *testing.T) {
	l := newLog(t)
	f, _ := s.follow(t, l, 0)
	for i, header := range []string{"Nats-Sequence", "Nats-Stream", "Nats-Subject", "Nats-Time-Stamp", "Nats-Last-Sequence", "Status"} {
		e := logtest.Message(t, "general", "hello")
		m := e.Encode()
		m.Header.Set(header, "100")
		if _, err := l.js.PublishMsg(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if r := f.next(); r.Damaged != nil || r.Missing != 0 || r.Event.Offset != uint64(i)+1 || r.Event.Digest != e.Digest {
			t.Errorf("%s: got %+v", header, r)
		}
	}
}

func (s suite) delete(t *testing.T) (*log, *follower) {
	l := newLog(t)
	f, _ := s.follow(t, l, 0)
	l.post(1)
	f.expect(1, 1)
	if err := l.js.DeleteStream(t.Context(), eventlog.StreamName); err != nil {
		t.Fatal(err)
	}
	return l, f
}

func (s suite) deleted(t *testing.T) {
	_, f := s.delete(t)
	if err := f.end(); !errors.Is(err, feed.ErrLost) {
		t.Errorf("ended with %v, want ErrLost", err)
	}
}

func (s suite) madeAnew(t *testing.T) {
	s.losing = 0 // that all of it is lost that would show what it is cannot be told from a loss
	l, f := s.delete(t)
	l.create()
	l.post(3)
	if err := f.end(); !errors.Is(err, feed.ErrLost) {
		t.Errorf("ended with %v, want ErrLost", err)
	}
	f.nothing()
}

// putBack puts the log back as it was five events before, and then stores others.
func (s suite) putBack(others int) func(*testing.T) {
	return func(t *testing.T) {
		l := newLog(t)
		l.post(5)
		l.stop()
		older := l.copy()
		l.start()
		f, w := s.follow(t, l, 0)
		l.post(5 + 1)
		f.expect(1, 11)
		w.Shut()
		l.stop()
		if err := os.RemoveAll(l.config.Dir); err != nil {
			t.Fatal(err)
		}
		l.config.Dir = older
		l.start()
		for range others {
			l.store("another event")
		}
		w.Open()
		if err := f.end(); !errors.Is(err, feed.ErrLost) {
			t.Errorf("ended with %v, want ErrLost", err)
		}
		f.nothing()
	}
}

func (s suite) ends(t *testing.T) {
	l := newLog(t)
	f, _ := s.follow(t, l, 0)
	l.fill(1000)
	f.expect(1, 500)
	f.cancel()
	if err := f.end(); err != nil {
		t.Errorf("ended with %v", err)
	}
	for len(f.records) > 0 { // applied before
		f.next()
	}
	l.post(3)
	f.nothing()

	away, w := s.follow(t, l, 0)
	away.expect(1, 10)
	w.Shut()
	away.cancel()
	if err := away.end(); err != nil {
		t.Errorf("ended with %v while the log was away", err)
	}
}

// leaves has a feed that loses much read again and again.
func (s suite) leaves(t *testing.T) {
	l := newLog(t)
	f, _ := s.follow(t, l, 0)
	for range max(1, 2*s.losing) {
		l.post(5)
		f.expect(l.last-4, l.last)
	}
	f.cancel()
	if err := f.end(); err != nil {
		t.Errorf("ended with %v", err)
	}
	// The client library removes those that it replaced by and by.
	for deadline := time.Now().Add(timeout / 3); l.consumers() > 0; <-time.After(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d consumers are still there", l.consumers())
		}
	}
}
