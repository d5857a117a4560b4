package transport_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/zishang520/socket.io/servers/socket/v3"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
)

var hostile = map[string]struct {
	packet string
	code   int
}{
	"binary event without attachments":          {`450-["x"]`, websocket.ClosePolicyViolation},
	"binary event":                              {`451-["x",{"_placeholder":true,"num":0}]`, websocket.ClosePolicyViolation},
	"binary ack":                                {`461-1[{"_placeholder":true,"num":0}]`, websocket.ClosePolicyViolation},
	"base64 packet":                             {"bAQIDBA==", websocket.ClosePolicyViolation},
	"nothing":                                   {"", websocket.ClosePolicyViolation},
	"unknown Engine.IO type":                    {"9", websocket.ClosePolicyViolation},
	"not a packet":                              {"hello", websocket.ClosePolicyViolation},
	"open from a client":                        {`0{"sid":"x"}`, websocket.ClosePolicyViolation},
	"ping from a client":                        {"2", websocket.ClosePolicyViolation},
	"probe without an upgrade":                  {"2probe", websocket.ClosePolicyViolation},
	"upgrade without a probe":                   {"5", websocket.ClosePolicyViolation},
	"message without a packet":                  {"4", websocket.ClosePolicyViolation},
	"unknown Socket.IO type":                    {"47", websocket.ClosePolicyViolation},
	"connect error from a client":               {`44{"message":"x"}`, websocket.ClosePolicyViolation},
	"not UTF-8":                                 {"42[\"\xff\"]", websocket.ClosePolicyViolation},
	"too large":                                 {`42["` + strings.Repeat("x", 64<<10) + `"]`, websocket.CloseMessageTooBig},
	"event that is not JSON (seen by library)":  {`42["x"`, websocket.CloseNormalClosure},
	"event without a name (seen by library)":    {`42[]`, websocket.CloseNormalClosure},
	"reserved event (seen by library)":          {`42["disconnect"]`, websocket.CloseNormalClosure},
	"event to a namespace not connected":        {`42/admin,["x"]`, websocket.CloseNormalClosure},
	"second CONNECT (seen by library)":          {`40`, websocket.CloseNormalClosure},
	"id beyond 20 digits (seen by library)":     {`42123456789012345678901["x"]`, websocket.CloseNormalClosure},
	"endless namespace (seen by library)":       {`42/` + strings.Repeat("x", 1000) + `,["x"]`, websocket.CloseNormalClosure},
	"JSON nested too deeply (seen by library)":  {`42["x",` + strings.Repeat("[", 20000) + `]`, websocket.CloseNormalClosure},
	"connect data of a wrong type (by library)": {`40[1]`, websocket.CloseNormalClosure},
}

func TestHostilePacketsCloseTheirConnectionOnly(t *testing.T) {
	s := newServer(t, transport.Limits{MaxFrame: 32 << 10})
	bystander := mustConnect(t, s.addr)
	for name, c := range hostile {
		t.Run("websocket/"+name, func(t *testing.T) {
			ws := mustConnect(t, s.addr)
			if err := ws.send(c.packet); err != nil {
				t.Fatal(err)
			}
			_, err := ws.text()
			var closed closedError
			if !errors.As(err, &closed) || closed.code() != c.code {
				t.Errorf("got %v %v, want close code %d", err, closed.code(), c.code)
			}
		})
		t.Run("polling/"+name, func(t *testing.T) {
			p := mustPoll(t, s.addr)
			err := p.post(c.packet)
			if c.code == websocket.CloseMessageTooBig {
				if err != statusError(http.StatusRequestEntityTooLarge) {
					t.Errorf("posted: %v, want 413", err)
				}
				return
			}
			if refused := c.code != websocket.CloseNormalClosure; refused && err != statusError(400) {
				t.Errorf("posted: %v, want 400", err)
			}
			if err := p.untilClosed(); err != nil {
				t.Error(err)
			}
		})
	}
	_ = bystander.send(`421["nobody listens"]`)
	if err := bystander.alive(); err != nil {
		t.Errorf("another connection: %v", err)
	}
}

// 100,000 binary frames after such a packet were collected without bound.
func TestAnAnnouncementOfNoAttachmentsCollectsNothing(t *testing.T) {
	s := newServer(t, transport.Limits{})
	ws := mustConnect(t, s.addr)
	attack := frame(final|opText, `450-["x"]`)
	for range 100 {
		attack = append(attack, frame(final|opBinary, strings.Repeat("x", 1000))...)
	}
	_, _ = ws.Write(attack)
	if err := ws.untilClosed(); err != nil {
		t.Error(err)
	}
	eventually(t, "the connection is over", func() bool { return s.connections() == 0 })
}

func TestHostileFramesCloseTheirConnection(t *testing.T) {
	s := newServer(t, transport.Limits{MaxFrame: 4 << 10})
	for name, bytes := range map[string][]byte{
		"binary":                  frame(final|opBinary, "\x01\x02"),
		"not masked":              {final | opText, 2, '4', '2'},
		"reserved opcode":         frame(final|0x3, "x"),
		"reserved bit":            frame(final|0x40|opText, "3"),
		"fragmented control":      frame(opPing, "x"),
		"control too long":        frame(final|opPing, strings.Repeat("x", 126)),
		"continuation of nothing": frame(final|opContinue, "x"),
		"text within a fragment":  append(frame(opText, "42"), frame(final|opText, "3")...),
		"announced 2^63 bytes":    {final | opText, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		"fragments without end":   repeat(frame(opText, `42["`), frame(opContinue, strings.Repeat("x", 1000)), 50),
		"close with a bad code":   frame(final|opClose, "\x00\x01"),
		"not WebSocket at all":    []byte("GET / HTTP/1.1\r\n\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			ws := mustConnect(t, s.addr)
			_, _ = ws.Write(bytes)
			if err := ws.untilClosed(); err != nil {
				t.Error(err)
			}
		})
	}
	eventually(t, "all connections are over", func() bool { return s.connections() == 0 })
}

func repeat(first, next []byte, n int) []byte {
	return append(first, bytes.Repeat(next, n)...)
}

func TestWhatIsOnlyUnusualIsLetThrough(t *testing.T) {
	s := newServer(t, transport.Limits{})
	ws := mustConnect(t, s.addr)
	for name, bytes := range map[string][]byte{
		"noop":                    frame(final|opText, "6"),
		"pong nobody asked for":   frame(final|opText, "3"),
		"ack nobody asked for":    frame(final|opText, `437["x"]`),
		"pong frame":              frame(final|opPong, "x"),
		"event in fragments":      append(frame(opText, `42["`), frame(final|opContinue, `x"]`)...),
		"control within fragment": append(append(frame(opText, `42["`), frame(final|opPong, "")...), frame(final|opContinue, `x"]`)...),
		"connect to nowhere":      nil,
	} {
		_, _ = ws.Write(bytes)
		if err := ws.alive(); err != nil {
			t.Fatalf("after %s: %v", name, err)
		}
	}
	_ = ws.send("40/nowhere,")
	if err := expectAll(ws, `44/nowhere,{"message":"Invalid namespace"}`); err != nil {
		t.Error(err)
	}
}

// The library would make one more socket of every CONNECT that comes before the
// first is answered.
func TestOneConnectAtATime(t *testing.T) {
	s := newServer(t, transport.Limits{})
	connects := make(chan struct{}, 10)
	release := make(chan struct{})
	s.io.Use(func(_ *socket.Socket, next func(*socket.ExtendedError)) {
		connects <- struct{}{}
		go func() { <-release; next(nil) }()
	})
	ws, err := dialWebSocket(s.addr, "")
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	_ = errors.Join(expectAll(ws, "0{"), ws.send("40"), ws.send("40"), ws.send("40/,"))
	_, err = ws.text()
	var closed closedError
	if !errors.As(err, &closed) || closed.code() != websocket.ClosePolicyViolation {
		t.Errorf("got %v", err)
	}
	close(release)
	if len(connects) != 1 {
		t.Errorf("%d sockets, want 1", len(connects))
	}
}

func TestARefusedConnectMayBeTriedAgain(t *testing.T) {
	s := newServer(t, transport.Limits{})
	s.io.Use(func(sock *socket.Socket, next func(*socket.ExtendedError)) {
		if sock.Handshake().Auth["username"] == nil {
			next(socket.NewExtendedError("invalid username", nil))
			return
		}
		next(nil)
	})
	ws, err := dialWebSocket(s.addr, "")
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	err = errors.Join(expectAll(ws, "0{"), ws.send("40"), expectAll(ws, `44{`), ws.send("40"), expectAll(ws, `44{`),
		ws.send(`40{"username":"ann"}`), expectAll(ws, `40{"sid"`))
	if err != nil {
		t.Error(err)
	}
}

// untilClosed reads until the connection ends, by whatever means.
func (c *wsClient) untilClosed() error {
	var timeout net.Error
	for {
		switch _, _, err := c.readFrame(); {
		case errors.As(err, &timeout) && timeout.Timeout():
			return errors.New("still open")
		case err != nil:
			return nil
		}
	}
}

// alive tells whether the server still answers a ping frame.
func (c *wsClient) alive() error {
	if _, err := c.Write(frame(final|opPing, "alive?")); err != nil {
		return err
	}
	for {
		opcode, payload, err := c.readFrame()
		switch {
		case err != nil:
			return err
		case opcode == opPong && payload == "alive?":
			return nil
		case opcode == opClose:
			return closedError{payload}
		}
	}
}

// untilClosed polls until the session is over.
func (c *pollClient) untilClosed() error {
	for range 100 {
		packets, err := c.poll()
		if errors.Is(err, statusError(http.StatusBadRequest)) {
			return nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if packets[len(packets)-1] == "1" {
			return nil
		}
	}
	return errors.New("still open")
}
