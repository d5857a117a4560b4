package transport_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/zishang520/socket.io/servers/socket/v3"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
)

// Frames sent the whole time, and events emitted by the library from another
// goroutine, arrive complete and in order although the client changes over from
// polling to WebSocket in the midst of them.
func TestOrderHoldsAcrossAnUpgradeUnderTraffic(t *testing.T) {
	const rounds = 150
	s := newServer(t, transport.Limits{SendBudget: 4 << 10})
	s.onSocket(func(sock *socket.Socket) {
		stop, drained := make(chan struct{}), make(chan struct{}, 1)
		_ = sock.On("stop", func(...any) { close(stop) })
		go stream(transport.LinkOf(sock.Conn()), stop, drained)
		go emit(sock, stop, drained)
	})
	inParallel(t, rounds, 8, func(i int) error {
		c, err := connectPolling(s.addr)
		if err != nil {
			return err
		}
		defer c.close()
		u := &upgrader{poll: c, polls: 1 + i%5}
		if err := u.run(s.addr); err != nil {
			return fmt.Errorf("round %d: %w", i, err)
		}
		return nil
	})
}

// stream sends ["n",0], ["n",1], ... as fast as the link takes them, and at last
// ["last",n].
func stream(link *transport.Link, stop <-chan struct{}, emitted chan struct{}) {
	drained := make(chan struct{}, 1)
	link.OnDrain(func() {
		signal(drained)
		signal(emitted)
	})
	send := func(f transport.Frame) {
		for link.Send(f) == 0 {
			<-drained
		}
	}
	for n := 0; !link.Closed(); n++ {
		select {
		case <-stop:
			send(transport.NewFrame(fmt.Appendf(nil, `2["last",%d]`, n)))
			return
		default:
			send(transport.NewFrame(fmt.Appendf(nil, `2["n",%d]`, n)))
		}
	}
}

// emit emits ["e",0], ["e",1], ... by the library, some each time the link drains.
func emit(sock *socket.Socket, stop, drained <-chan struct{}) {
	for n := 0; ; {
		select {
		case <-stop:
			return
		case <-drained:
		}
		for range 3 {
			_ = sock.Emit("e", n)
			n++
		}
	}
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// upgrader is a client that polls some times, upgrades like the official client
// and checks every packet on the way.
type upgrader struct {
	poll   *pollClient
	polls  int
	events int // the next number expected of each kind
	frames int
	last   bool
}

func (u *upgrader) run(addr string) error {
	for _, p := range u.poll.rest {
		if err := u.check(p); err != nil {
			return err
		}
	}
	for range u.polls {
		if err := u.pollOnce(); err != nil {
			return err
		}
	}
	ws, err := dialWebSocket(addr, u.poll.sid)
	if err != nil {
		return err
	}
	defer ws.Close()
	// Polling goes on while the probe is answered.
	if err := errors.Join(ws.send("2probe"), u.pollOnce(), expectAll(ws, "3probe")); err != nil {
		return err
	}
	if err := errors.Join(u.pollOnce(), ws.send("5")); err != nil {
		return err
	}
	for n := 0; !u.last; n++ {
		if n == 500 {
			if err := ws.send(`42["stop"]`); err != nil {
				return err
			}
		}
		packet, err := ws.text()
		if err == nil {
			err = u.check(packet)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (u *upgrader) pollOnce() error {
	packets, err := u.poll.poll()
	for _, p := range packets {
		if err == nil {
			err = u.check(p)
		}
	}
	return err
}

func (u *upgrader) check(packet string) error {
	switch want := fmt.Sprintf(`42["n",%d]`, u.frames); {
	case packet == want:
		u.frames++
	case packet == fmt.Sprintf(`42["e",%d]`, u.events):
		u.events++
	case packet == fmt.Sprintf(`42["last",%d]`, u.frames):
		u.last = true
	case packet == "6" || packet == "2":
	default:
		return fmt.Errorf("got %q, want number %d or event %d", packet, u.frames, u.events)
	}
	return nil
}

func TestALinkSurvivesTheUpgrade(t *testing.T) {
	s := newServer(t, transport.Limits{})
	links := make(chan [2]*transport.Link, 1)
	s.onSocket(func(sock *socket.Socket) {
		before := transport.LinkOf(sock.Conn())
		_ = sock.On("hi", func(...any) { links <- [2]*transport.Link{before, transport.LinkOf(sock.Conn())} })
	})
	c := mustPoll(t, s.addr)
	ws := mustUpgrade(t, s.addr, c)
	if err := ws.send(`42["hi"]`); err != nil {
		t.Fatal(err)
	}
	if l := receive(t, "the event", links); l[0] == nil || l[0] != l[1] {
		t.Fatalf("link %p before, %p after", l[0], l[1])
	}
	if _, err := c.poll(); !errors.Is(err, statusError(400)) {
		t.Errorf("a poll after the upgrade: %v, want 400", err)
	}
}

// A poll that waits when the WebSocket is probed is sent home with a noop.
func TestAProbeSendsTheWaitingPollHome(t *testing.T) {
	s := newServer(t, transport.Limits{})
	c := mustPoll(t, s.addr)
	polled := c.held(s)
	ws, err := dialWebSocket(s.addr, c.sid)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	if err := errors.Join(ws.send("2probe"), expectAll(ws, "3probe")); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, "the poll's answer", polled); got != "[6] <nil>" {
		t.Errorf("the poll got %s", got)
	}
}

func TestAFailedProbeLeavesPollingAsItWas(t *testing.T) {
	s := newServer(t, transport.Limits{})
	c := mustPoll(t, s.addr)
	link := s.link(c.id)
	for _, stage := range [][]string{{}, {"2probe"}, {"hello"}, {"3"}, {"2"}, {"5"}, {"40"}, {"2probe", "2probe"}, {"2probe", `42["x"]`}} {
		ws, err := dialWebSocket(s.addr, c.sid)
		if err != nil {
			t.Fatalf("%q: %v", stage, err)
		}
		for _, packet := range stage {
			_ = ws.send(packet)
		}
		if len(stage) < 2 && (len(stage) == 0 || stage[0] == "2probe") {
			ws.reset() // the peer leaves
		} else {
			for err == nil {
				_, err = ws.text()
			}
			_ = ws.Close()
		}
		eventually(t, "the probe is over", func() bool {
			link.Send(transport.NewFrame([]byte(`2["x"]`)))
			packets, err := c.poll()
			if err != nil || packets[0] != `42["x"]` {
				t.Fatalf("after %q: polled %q %v", stage, packets, err)
			}
			probe, err := dialWebSocket(s.addr, c.sid)
			if err != nil {
				return false
			}
			defer probe.Close()
			return errors.Join(probe.send("2probe"), expectAll(probe, "3probe")) == nil
		})
		eventually(t, "the second probe is over", func() bool { return !upgrading(s, c.sid) })
	}
	ws := mustUpgrade(t, s.addr, c)
	link.Send(transport.NewFrame([]byte(`2["y"]`)))
	if err := expectAll(ws, `42["y"]`); err != nil {
		t.Error(err)
	}
}

func upgrading(s *server, sid string) bool {
	conn, ok := s.io.Engine().Clients().Load(sid)
	return ok && conn.Upgrading()
}

func mustUpgrade(t testing.TB, addr string, c *pollClient) *wsClient {
	t.Helper()
	ws, err := dialWebSocket(addr, c.sid)
	if err == nil {
		t.Cleanup(func() { _ = ws.Close() })
		err = errors.Join(ws.send("2probe"), expectAll(ws, "3probe"), ws.send("5"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return ws
}
