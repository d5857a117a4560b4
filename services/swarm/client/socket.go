package client

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// socket is the link over WebSocket: a packet is a frame.
type socket struct {
	conn     *websocket.Conn
	deadline time.Time // as the connection knows it; the reader's
}

// frames are what is written through. They are as large as nearly every frame, because a larger one would be sent in
// fragments, which official clients never do; a connection has one only while it writes.
var frames sync.Pool

func dialSocket(ctx context.Context, base *url.URL, header http.Header) (*socket, error) {
	return dialSession(ctx, base, header, "")
}

// dialSession connects to a session that exists, or to a new one.
func dialSession(ctx context.Context, base *url.URL, header http.Header, sid string) (*socket, error) {
	var unwatch func() bool
	dialer := websocket.Dialer{
		NetDialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			if err == nil {
				unwatch = context.AfterFunc(ctx, func() { _ = conn.Close() })
			}
			return conn, err
		},
		ReadBufferSize: 4 << 10, WriteBufferSize: 64 << 10, WriteBufferPool: &frames,
	}
	conn, response, err := dialer.DialContext(ctx, address(base, WebSocket, sid), header)
	if unwatch != nil && !unwatch() && err == nil { // closed meanwhile
		_ = conn.Close()
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, dialError(ctx, err, response)
	}
	conn.SetReadLimit(MaxFrame)
	return &socket{conn: conn}, nil
}

func dialError(ctx context.Context, err error, response *http.Response) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case response == nil:
		return lost(err)
	}
	body, _ := io.ReadAll(io.LimitReader(response.Body, 200)) // gorilla keeps the beginning of it in memory
	return &StatusError{Status: response.StatusCode, Body: string(body)}
}

func (s *socket) opened(*Conn, handshake) error { return nil }

func (s *socket) read(c *Conn) error {
	for {
		c.pass()
		if s.deadline != c.deadline {
			s.deadline = c.deadline
			_ = s.conn.SetReadDeadline(s.deadline) // what fails here fails again in the read
		}
		if err := s.frame(c.receive); err != nil {
			return err
		}
	}
}

// frame waits for a frame and hands it over. It has a buffer only from when the frame has begun to come.
func (s *socket) frame(receive func([]byte)) error {
	form, r, err := s.conn.NextReader()
	if err != nil {
		return readError(err)
	}
	if form != websocket.TextMessage {
		return violation("a binary frame", nil)
	}
	p := packets.Get().(*[]byte)
	defer recycle(p)
	if *p, err = readInto((*p)[:0], r); err != nil {
		return readError(err)
	}
	receive(*p)
	return nil
}

// readInto is io.ReadAll into a buffer that is there.
func readInto(b []byte, r io.Reader) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			b = append(b, make([]byte, max(512, len(b)))...)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}

func readError(err error) error {
	var network net.Error
	var closed *websocket.CloseError
	switch {
	case errors.Is(err, websocket.ErrReadLimit):
		return violation("a frame that is too large", nil)
	case errors.As(err, &network) && network.Timeout():
		return ErrPingTimeout
	case errors.As(err, &network), errors.As(err, &closed):
		return lost(err)
	}
	return violation(err.Error(), nil)
}

func (s *socket) send(packet []byte, binary bool) error {
	form := websocket.TextMessage
	if binary {
		form = websocket.BinaryMessage
	}
	if err := s.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	return s.conn.WriteMessage(form, packet)
}

// goodbye is a close frame without a reason. The server answers with its own, which ends read.
func (s *socket) goodbye() {
	if err := s.conn.WriteControl(websocket.CloseMessage, nil, time.Now().Add(farewellTimeout)); err != nil {
		s.cut()
	}
}

func (s *socket) cut() { reset(s.conn.NetConn()) }

func (s *socket) release() { _ = s.conn.Close() }

// reset closes a TCP connection so that the other side gets an error, not an end.
func reset(conn net.Conn) {
	if tcp, ok := conn.(interface{ SetLinger(seconds int) error }); ok {
		_ = tcp.SetLinger(0) // it may be closed already
	}
	_ = conn.Close()
}
