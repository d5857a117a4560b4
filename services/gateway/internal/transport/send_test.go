package transport_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/zishang520/socket.io/servers/socket/v3"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
)

func event(n, size int) transport.Frame {
	return transport.NewFrame(fmt.Appendf(nil, `2["n",%d,"%s"]`, n, strings.Repeat("x", size)))
}

func TestAFrameIsACompleteWebSocketFrame(t *testing.T) {
	s := newServer(t, transport.Limits{SendBudget: 1 << 20})
	ws := mustConnect(t, s.addr)
	link := s.link(ws.id)
	for _, size := range []int{0, 10, 100, 125, 126, 1000, 65535, 65536, 300000} {
		text := `2["x","` + strings.Repeat("y", size) + `"]`
		f := transport.NewFrame([]byte(text))
		if f.Size() <= len(text) {
			t.Errorf("size of %d bytes: %d", len(text), f.Size())
		}
		if link.Send(f, f) != 2 {
			t.Fatal("not taken")
		}
		for range 2 {
			if got, err := ws.text(); err != nil || got != "4"+text {
				t.Fatalf("%d bytes: got %.40q %v", size, got, err)
			}
		}
	}
	eventually(t, "all is written", func() bool { return link.Buffered() == 0 })
}

// A peer that does not read costs its budget and no more; it gets everything
// that was taken when it reads again.
func TestAStalledReaderCostsItsBudget(t *testing.T) {
	const budget = 64 << 10
	s := newServer(t, transport.Limits{SendBudget: budget})
	ws := mustConnect(t, s.addr)
	link := s.link(ws.id)
	drains := make(chan int, 1000)
	link.OnDrain(func() { drains <- link.Buffered() })

	// The network takes more for a while, and a drain may come of that.
	taken, refusals := 0, 0
	for refusals < 1000 {
		n := link.Send(event(taken, 1000), event(taken+1, 1000))
		if taken += n; n < 2 {
			refusals++
		}
		if b := link.Buffered(); b > budget {
			t.Fatalf("%d bytes queued, budget %d", b, budget)
		}
	}
	for i := range taken {
		if _, err := ws.expect(fmt.Sprintf(`42["n",%d,`, i)); err != nil {
			t.Fatal(err)
		}
	}
	if b := receive(t, "the drain", drains); b >= budget/2 {
		t.Errorf("told of the drain at %d bytes", b)
	}
	if len(drains) >= refusals {
		t.Errorf("told %d times more of %d refusals", len(drains), refusals)
	}
	// What was read counts until the write of it has returned, and the drain may be an earlier one.
	eventually(t, "all is written", func() bool { return link.Buffered() == 0 })
	if link.Send(event(taken, 1000)) != 1 {
		t.Fatal("takes nothing after the drain")
	}
	if _, err := ws.expect(fmt.Sprintf(`42["n",%d,`, taken)); err != nil {
		t.Error(err)
	}
}

func TestManyStalledReadersStayWithinTheirBudgets(t *testing.T) {
	const budget, peers = 32 << 10, 200
	s := newServer(t, transport.Limits{SendBudget: budget})
	var links []*transport.Link
	for range peers {
		links = append(links, s.link(mustConnect(t, s.addr).id))
	}
	before := heap()
	f := event(0, 1000)
	for range 2000 { // 2 MB for each, 400 MB in all
		for _, l := range links {
			l.Send(f)
		}
	}
	after := heap()
	if used := int(after-before) / peers; used > 3*budget {
		t.Errorf("%d bytes of heap per stalled peer, budget %d", used, budget)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestAFrameLargerThanTheBudgetPassesAlone(t *testing.T) {
	s := newServer(t, transport.Limits{SendBudget: 1000})
	for name, connect := range map[string]func() (*transport.Link, func() (string, error)){
		"websocket": func() (*transport.Link, func() (string, error)) {
			c := mustConnect(t, s.addr)
			return s.link(c.id), c.text
		},
		"polling": func() (*transport.Link, func() (string, error)) {
			c := mustPoll(t, s.addr)
			return s.link(c.id), func() (string, error) {
				packets, err := c.poll()
				return strings.Join(packets, " "), err
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			link, read := connect()
			eventually(t, "nothing is queued", func() bool { return link.Buffered() == 0 })
			if n := link.Send(event(0, 5000), event(1, 10)); n != 1 {
				t.Fatalf("took %d, want 1", n)
			}
			if got, err := read(); err != nil || !strings.HasPrefix(got, `42["n",0,`) {
				t.Errorf("got %.20q %v", got, err)
			}
		})
	}
}

func TestPollingKeepsItsBudgetAndTellsOfTheDrain(t *testing.T) {
	const budget = 200 << 10
	s := newServer(t, transport.Limits{SendBudget: budget})
	c := mustPoll(t, s.addr)
	link := s.link(c.id)
	drained := make(chan struct{}, 10)
	link.OnDrain(func() { drained <- struct{}{} })
	taken := 0
	for ; link.Send(event(taken, 1000)) == 1; taken++ {
	}
	if b := link.Buffered(); b > budget || b < budget-2000 {
		t.Errorf("%d bytes queued, budget %d", b, budget)
	}
	polls, next := 0, 0
	for ; next < taken; polls++ {
		packets, err := c.poll()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range packets {
			if !strings.HasPrefix(p, fmt.Sprintf(`42["n",%d,`, next)) {
				t.Fatalf("got %.20q, want number %d", p, next)
			}
			next++
		}
	}
	if polls < 3 {
		t.Errorf("%d bytes in %d polls", budget, polls)
	}
	receive(t, "the drain", drained)
	if len(drained) > 0 {
		t.Errorf("told %d times more", len(drained))
	}
}

// Slow is not stalled: a few bytes at a time, for three times the stall time.
func TestASlowReaderSurvivesAndAStalledOneDoesNot(t *testing.T) {
	const stall = time.Second
	seen := newObserver()
	s := newServer(t, transport.Limits{SendBudget: 8 << 20, StallTimeout: stall, Observer: seen})
	slow, stalled := mustConnect(t, s.addr), mustConnect(t, s.addr)
	slowLink, stalledLink := s.link(slow.id), s.link(stalled.id)
	f := event(0, 100<<10)
	for slowLink.Send(f) == 1 {
		stalledLink.Send(f)
	}
	tick := time.NewTicker(stall / 20)
	defer tick.Stop()
	read := make([]byte, 64<<10)
	for start := time.Now(); time.Since(start) < 3*stall; <-tick.C {
		if _, err := io.ReadFull(slow.r, read); err != nil {
			t.Fatal("the slow reader was closed: ", err)
		}
	}
	if slowLink.Closed() {
		t.Error("the slow reader was closed")
	}
	eventually(t, "the stalled reader is closed", stalledLink.Closed)
	if n := seen.stalled.Load(); n != 1 {
		t.Errorf("%d stalled readers were told of", n)
	}
	eventually(t, "one connection is left", func() bool { return s.connections() == 1 })
}

// What the library writes cannot be refused, so there it is the connection that
// gives way: here a client that asks for acks and does not read them.
func TestAcksNobodyReadsCloseTheConnection(t *testing.T) {
	s := newServer(t, transport.Limits{SendBudget: 32 << 10, SendLimit: 64 << 10})
	big := strings.Repeat("x", 10<<10)
	s.onSocket(func(sock *socket.Socket) {
		begin := transport.LinkOf(sock.Conn()).Begin
		sock.OnAny(func(args ...any) {
			defer begin()()
			args[len(args)-1].(socket.Ack)([]any{big}, nil)
		})
	})
	ws := mustConnect(t, s.addr)
	link := s.link(ws.id)
	asks := bytes.Repeat(frame(final|opText, `421["x"]`), 100)
	for range 1000 {
		if _, err := ws.Write(asks); err != nil {
			break
		}
		if link.Closed() {
			break
		}
	}
	eventually(t, "the link is closed", link.Closed)
	eventually(t, "the connection is over", func() bool { return s.connections() == 0 })
}

// Clients reconnect by themselves when the transport closes, and do not when
// they get a Socket.IO disconnect.
func TestCloseSaysNothingToTheClient(t *testing.T) {
	s := newServer(t, transport.Limits{})
	reasons := make(chan string, 1)
	s.onSocket(func(sock *socket.Socket) {
		_ = sock.On("disconnect", func(args ...any) { reasons <- args[0].(string) })
	})
	ws := mustConnect(t, s.addr)
	link := s.link(ws.id)
	link.Close()
	if text, err := ws.text(); !errors.Is(err, io.EOF) {
		t.Errorf("got %q %v, want the end of the connection", text, err)
	}
	if r := receive(t, "disconnect", reasons); r != "transport close" {
		t.Errorf("reason %q", r)
	}
	if n := link.Send(event(0, 10), event(1, 10)); n != 2 || !link.Closed() || link.Buffered() != 0 {
		t.Errorf("closed link: took %d, closed %v, queued %d", n, link.Closed(), link.Buffered())
	}
	link.Close()
}

func TestCloseSendsAWaitingPollHome(t *testing.T) {
	s := newServer(t, transport.Limits{})
	reasons := make(chan string, 1)
	s.onSocket(func(sock *socket.Socket) {
		_ = sock.On("disconnect", func(args ...any) { reasons <- args[0].(string) })
	})
	p := mustPoll(t, s.addr)
	polled := p.held(s)
	s.link(p.id).Close()
	if got := receive(t, "the poll", polled); got != "[1] <nil>" {
		t.Errorf("polled %s", got)
	}
	if r := receive(t, "disconnect", reasons); r != "transport close" {
		t.Errorf("reason %q", r)
	}
	if _, err := p.poll(); !errors.Is(err, statusError(http.StatusBadRequest)) {
		t.Errorf("polled after the close: %v", err)
	}
}

// When it is the library that closes, what was said before is still heard.
func TestADisconnectIsHeardBeforeTheEnd(t *testing.T) {
	s := newServer(t, transport.Limits{})
	s.onSocket(func(sock *socket.Socket) {
		_ = sock.On("bye", func(...any) {
			_ = sock.Emit("bye", "bye")
			sock.Disconnect(true)
		})
	})
	ws := mustConnect(t, s.addr)
	if err := errors.Join(ws.send(`42["bye"]`), expectAll(ws, `42["bye","bye"]`, "41"), ws.untilClosed()); err != nil {
		t.Error(err)
	}
	p := mustPoll(t, s.addr)
	if err := p.post(`42["bye"]`); err != nil {
		t.Error(err)
	}
	var got []string
	for err := error(nil); err == nil; {
		var packets []string
		if packets, err = p.poll(); err == nil {
			got = append(got, packets...)
		}
	}
	if want := `[42["bye","bye"] 41 1]`; fmt.Sprint(got) != want {
		t.Errorf("polled %v, want %s", got, want)
	}
	eventually(t, "all connections are over", func() bool { return s.connections() == 0 })
}

func TestSendFromManyGoroutinesAndCloseAtAnyTime(t *testing.T) {
	s := newServer(t, transport.Limits{})
	inParallel(t, 200, 8, func(i int) error {
		c, err := connectWebSocket(s.addr)
		if err != nil {
			return err
		}
		defer c.Close()
		link := s.link(c.id)
		done := make(chan struct{})
		for range 3 {
			go func() {
				defer func() { done <- struct{}{} }()
				for n := 0; n < 200 || i%4 == 0 && !link.Closed(); n++ {
					link.Send(event(n, 10), event(n, 100))
				}
			}()
		}
		switch i % 4 {
		case 0:
			_, err = c.text()
			c.reset()
		case 1:
			link.Close()
			err = c.untilClosed()
		case 2:
			go func() { _ = c.untilClosed() }()
		}
		for range 3 {
			<-done
		}
		return err
	})
	eventually(t, "all connections are over", func() bool { return s.connections() == 0 })
}

// More peers that do not read than there are goroutines that write.
func TestPeersThatDoNotReadHoldNobodyUp(t *testing.T) {
	s := newServer(t, transport.Limits{SendBudget: 32 << 10, StallTimeout: time.Hour})
	f := event(0, 1000)
	for range runtime.GOMAXPROCS(0) + 2 {
		link := s.link(mustConnect(t, s.addr).id)
		looks := 0 // at which nothing had been written since the last one
		eventually(t, "the network takes no more", func() bool {
			for looks++; link.Send(f) == 1; looks = 0 {
			}
			return looks == 50
		})
	}
	ws := mustConnect(t, s.addr)
	for i := range 100 {
		s.link(ws.id).Send(event(i, 10))
		if _, err := ws.expect(fmt.Sprintf(`42["n",%d,`, i)); err != nil {
			t.Fatal(err)
		}
	}
}
