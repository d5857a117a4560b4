package transport_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/zishang520/socket.io/servers/socket/v3"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
)

// taken is an event that was begun and is not done.
type taken struct {
	args []any
	done func()
}

// takeEvents begins every event of every socket and leaves its end to the test.
func (s *server) takeEvents() <-chan taken {
	events := make(chan taken, 10000)
	s.onSocket(func(sock *socket.Socket) {
		link := transport.LinkOf(sock.Conn())
		sock.OnAny(func(args ...any) { events <- taken{args, link.Begin()} })
	})
	return events
}

func TestAClientWithTooManyUnfinishedEventsIsNotRead(t *testing.T) {
	const limit, all = 4, 20000
	s := newServer(t, transport.Limits{InboundEvents: limit})
	events := s.takeEvents()
	ws := mustConnect(t, s.addr)

	// 20 MB: more than the sockets' buffers take.
	wrote := make(chan error, 1)
	go func() {
		var err error
		for i := 0; i < all && err == nil; i++ {
			err = ws.send(fmt.Sprintf(`42["e",%d,"%s"]`, i, strings.Repeat("x", 1000)))
		}
		wrote <- err
	}()
	held := []taken{}
	for range limit {
		held = append(held, receive(t, "an event", events))
	}
	other := mustConnect(t, s.addr) // meanwhile others are served
	if err := other.send(`42["other"]`); err != nil {
		t.Fatal(err)
	}
	if e := receive(t, "another's event", events); e.args[0] != "other" {
		t.Fatalf("event %.100v beyond the limit", e.args)
	}
	select {
	case err := <-wrote:
		t.Fatalf("the client could write all of it: %v", err)
	default:
	}
	for next := 0; next < all; next++ {
		e := held[0]
		if e.args[1] != float64(next) {
			t.Fatalf("event %v, want %d", e.args[1], next)
		}
		e.done()
		e.done() // counts once
		if held = held[1:]; next < all-limit {
			held = append(held, receive(t, "an event", events))
		}
		if len(events) > 0 {
			t.Fatal("an event beyond the limit")
		}
	}
	if err := receive(t, "the client has written", wrote); err != nil {
		t.Error(err)
	}
}

func TestTheInboundBudgetCountsBytesAndLetsOneEventThrough(t *testing.T) {
	s := newServer(t, transport.Limits{InboundBytes: 1000})
	events := s.takeEvents()
	ws := mustConnect(t, s.addr)
	for _, size := range []int{5000, 400, 400, 400} {
		if err := ws.send(`42["` + strings.Repeat("x", size) + `"]`); err != nil {
			t.Fatal(err)
		}
	}
	big := receive(t, "the big event", events)
	if len(big.args[0].(string)) != 5000 || len(events) != 0 {
		t.Fatal("not the big one alone")
	}
	big.done()
	first := receive(t, "the second event", events)
	second := receive(t, "the third event", events)
	if len(events) != 0 {
		t.Fatal("the fourth came within the budget of the third")
	}
	second.done() // in any order
	receive(t, "the fourth event", events).done()
	first.done()
}

func TestClosingWakesAReaderThatWaitsForTheBudget(t *testing.T) {
	s := newServer(t, transport.Limits{InboundEvents: 1})
	events := s.takeEvents()
	for range 20 {
		ws := mustConnect(t, s.addr)
		link := s.link(ws.id)
		_, _ = ws.Write(bytes.Repeat(frame(final|opText, `42["e"]`), 10))
		receive(t, "an event", events)
		link.Close()
	}
	eventually(t, "all connections are over", func() bool { return s.connections() == 0 })

	// A peer that left is noticed by the engine's ping.
	o := options(transport.Limits{InboundEvents: 1, StallTimeout: 100 * time.Millisecond})
	o.SetPingInterval(50 * time.Millisecond)
	o.SetPingTimeout(50 * time.Millisecond)
	s = serve(t, o)
	events = s.takeEvents()
	ws := mustConnect(t, s.addr)
	_, _ = ws.Write(bytes.Repeat(frame(final|opText, `42["e"]`), 10))
	receive(t, "an event", events)
	_ = ws.Close()
	eventually(t, "the connection is over", func() bool { return s.connections() == 0 })
}

func TestAPostIsAnsweredWhenItsEventsFoundRoom(t *testing.T) {
	s := newServer(t, transport.Limits{InboundEvents: 2})
	events := s.takeEvents()
	c := mustPoll(t, s.addr)
	posted := make(chan error, 1)
	go func() { posted <- c.post(`42["e",0]`, `42["e",1]`, `42["e",2]`, `42["e",3]`) }()
	var unfinished []func()
	for i := range 4 {
		e := receive(t, "an event", events)
		if e.args[1] != float64(i) {
			t.Fatalf("event %v, want %d", e.args, i)
		}
		if unfinished = append(unfinished, e.done); i == 0 {
			continue // both that are let in stay unfinished until it is seen that no third is
		}
		if i == 1 && (len(events) > 0 || len(posted) > 0) {
			t.Fatal("more than the limit was taken in")
		}
		for _, done := range unfinished {
			done()
		}
	}
	if err := receive(t, "the answer", posted); err != nil {
		t.Error(err)
	}
	go func() { posted <- c.post(`42["e"]`, `42["e"]`, `42["e"]`) }()
	receive(t, "an event", events)
	receive(t, "an event", events)
	s.link(c.id).Close()
	if err := receive(t, "the answer", posted); !errors.Is(err, statusError(http.StatusBadRequest)) {
		t.Errorf("posted to a closed connection: %v", err)
	}
}

func TestBeginWithoutAnEventIsHarmless(t *testing.T) {
	s := newServer(t, transport.Limits{})
	ws := mustConnect(t, s.addr)
	done := s.link(ws.id).Begin()
	done()
	done()
	if err := ws.alive(); err != nil {
		t.Error(err)
	}
}
