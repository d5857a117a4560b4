package transport_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/zishang520/socket.io/servers/socket/v3"
	"github.com/zishang520/socket.io/v3/pkg/types"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
)

// unknownLength hides how long a body is, so that it is sent in chunks.
type unknownLength struct{ io.Reader }

// The stock transport cuts a body of unknown length off at the limit.
func TestABodyThatIsTooLargeIsRefusedAsAWholeAndCostsNothingElse(t *testing.T) {
	const limit = 4 << 10
	s := newServer(t, transport.Limits{MaxFrame: limit})
	events := s.takeEvents()
	c := mustPoll(t, s.addr)
	one := func(size int) string { return `42["` + strings.Repeat("x", size-6) + `"]` }
	for _, body := range []struct {
		name   string
		reader io.Reader
		status int
	}{
		{"announced", strings.NewReader(one(limit + 1)), http.StatusRequestEntityTooLarge},
		{"not announced", unknownLength{strings.NewReader(one(limit + 1))}, http.StatusRequestEntityTooLarge},
		{"endless", unknownLength{io.LimitReader(endless{}, 10<<20)}, http.StatusRequestEntityTooLarge},
		{"several small packets", unknownLength{strings.NewReader(strings.Repeat(one(100)+"\x1e", limit/100) + one(100))}, http.StatusRequestEntityTooLarge},
		{"just small enough", strings.NewReader(one(limit)), http.StatusOK},
		{"just small enough, not announced", unknownLength{strings.NewReader(one(limit))}, http.StatusOK},
	} {
		status, _, err := c.do(http.MethodPost, body.reader)
		// A server that does not read all of a body may break the connection off.
		if err == nil && status != body.status || err != nil && body.status == http.StatusOK {
			t.Errorf("%s: status %d %v, want %d", body.name, status, err, body.status)
		}
		if body.status == http.StatusOK {
			receive(t, "the event", events).done()
		}
		if len(events) != 0 {
			t.Errorf("%s: a part was taken in", body.name)
		}
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

func TestAPayloadIsTakenAsAWholeOrNotAtAll(t *testing.T) {
	s := newServer(t, transport.Limits{})
	events := s.takeEvents()
	for _, body := range []string{"", "\x1e", "42[\"x\"]\x1e", "\x1e42[\"x\"]", "42[\"x\"]\x1e\x1e42[\"x\"]", "42[\"x\"]\x1e450-[\"x\"]", "abc"} {
		c := mustPoll(t, s.addr)
		if err := c.post(strings.Split(body, "\x1e")...); !errors.Is(err, statusError(http.StatusBadRequest)) {
			t.Errorf("%q: %v, want 400", body, err)
		}
		if err := c.untilClosed(); err != nil {
			t.Errorf("%q: %v", body, err)
		}
	}
	if len(events) != 0 {
		t.Error("a part was taken in")
	}
}

// As the Engine.IO conformance suite has it. The stock transport leaves the
// first poll hanging.
func TestASecondPollEndsTheSession(t *testing.T) {
	s := newServer(t, transport.Limits{})
	c := mustPoll(t, s.addr)
	first := c.held(s)
	if _, err := c.poll(); !errors.Is(err, statusError(http.StatusBadRequest)) {
		t.Errorf("the second poll: %v, want 400", err)
	}
	if got := receive(t, "the first poll", first); got != "[1] <nil>" {
		t.Errorf("the first poll: %s, want a close packet", got)
	}
	if err := c.untilClosed(); err != nil {
		t.Error(err)
	}
}

func TestACloseFromTheClientSendsItsPollHome(t *testing.T) {
	s := newServer(t, transport.Limits{})
	c := mustPoll(t, s.addr)
	polled := c.held(s)
	if err := c.post("1"); err != nil {
		t.Error(err)
	}
	if got := receive(t, "the poll", polled); got != "[6] <nil>" {
		t.Errorf("the poll: %s, want a noop", got)
	}
	eventually(t, "all connections are over", func() bool { return s.connections() == 0 })
}

// The next request may overtake the end of the one before on another connection.
func TestRequestsOnChangingConnectionsDoNotOverlap(t *testing.T) {
	s := newServer(t, transport.Limits{})
	inParallel(t, 64, 8, func(int) error {
		c, err := connectPolling(s.addr)
		if err != nil {
			return err
		}
		defer c.close()
		link := s.link(c.id)
		for range 50 {
			link.Send(event(0, 10))
			if err := c.post("3"); err != nil {
				return err
			}
			c.close() // the next request connects anew
			if _, err := c.poll(); err != nil {
				return err
			}
			c.close()
		}
		return c.post("1")
	})
}

func TestAPollThatIsGivenUpEndsTheSession(t *testing.T) {
	s := newServer(t, transport.Limits{})
	c := mustPoll(t, s.addr)
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", c.url[strings.Index(c.url, "/socket.io"):])
	_ = conn.Close()
	eventually(t, "the connection is over", func() bool { return s.connections() == 0 })
}

func TestABodyThatDoesNotArriveEndsTheSession(t *testing.T) {
	s := newServer(t, transport.Limits{StallTimeout: 50 * time.Millisecond})
	c := mustPoll(t, s.addr)
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n42", c.url[strings.Index(c.url, "/socket.io"):])
	eventually(t, "the connection is over", func() bool { return s.connections() == 0 })
}

func TestOtherMethodsAreRefused(t *testing.T) {
	s := newServer(t, transport.Limits{})
	c := mustPoll(t, s.addr)
	if status, _, err := c.do(http.MethodPut, nil); status != http.StatusMethodNotAllowed {
		t.Errorf("PUT: %d %v", status, err)
	}
	if err := c.post(`42["x"]`); err != nil {
		t.Error(err)
	}
}

func TestTheHandshakeSetsTheEnginesHeaders(t *testing.T) {
	o := options(transport.Limits{})
	o.SetCookie(&http.Cookie{Name: "sticky", Value: "here"})
	o.SetCors(&types.Cors{Origin: "http://example.test", Credentials: true})
	s := serve(t, o)
	request, err := http.NewRequest(http.MethodGet, newPollClient(s.addr).url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Origin", "http://example.test")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin": "http://example.test",
		"Cache-Control":               "no-store",
		"Content-Type":                "text/plain; charset=UTF-8",
	} {
		if got := response.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if cookies := response.Cookies(); len(cookies) != 1 || cookies[0].Name != "sticky" {
		t.Errorf("cookies %v", cookies)
	}
}

// The library's own emits and what a link sends share one buffer.
func TestTheLibrarysEmitsAndFramesKeepTheirOrder(t *testing.T) {
	s := newServer(t, transport.Limits{})
	s.onSocket(func(sock *socket.Socket) {
		link := transport.LinkOf(sock.Conn())
		for n := range 50 {
			if n%2 == 0 {
				_ = sock.Emit("n", n)
			} else {
				link.Send(transport.NewFrame(fmt.Appendf(nil, `2["n",%d]`, n)))
			}
		}
	})
	ws := mustConnect(t, s.addr)
	p := mustPoll(t, s.addr)
	for n := range 50 {
		want := fmt.Sprintf(`42["n",%d]`, n)
		if err := expectAll(ws, want); err != nil {
			t.Fatal(err)
		}
		if len(p.rest) == 0 {
			var err error
			if p.rest, err = p.poll(); err != nil {
				t.Fatal(err)
			}
		}
		if p.rest[0] != want {
			t.Fatalf("polled %q, want %q", p.rest[0], want)
		}
		p.rest = p.rest[1:]
	}
}
