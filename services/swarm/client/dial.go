package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Transport is what packets travel over.
type Transport string

// The transports.
const (
	WebSocket Transport = "websocket"
	Polling   Transport = "polling"
	Upgrade   Transport = "upgrade" // polling, upgraded to WebSocket
)

const (
	// MaxFrame is how large a frame or the body of a poll may be that a server sends.
	MaxFrame = 16 << 20
	// writeTimeout is how long a frame or a POST may take to be written.
	writeTimeout = 10 * time.Second
	// farewellTimeout is how long an orderly end may take.
	farewellTimeout = 2 * time.Second
)

// Options is how to connect.
type Options struct {
	URL       string    // http://host:port
	Transport Transport // empty: WebSocket
	Auth      any       // is marshalled into CONNECT; nil: none
	// Event is called with the JSON array of each event (["chat message",...]), on the connection's reader goroutine:
	// while it runs, nothing is read. The array is valid during the call only. May be nil.
	Event  func(payload []byte)
	Header http.Header // more for each request, such as Origin; may be nil
}

// Dial connects and returns when the server has answered CONNECT and, with Upgrade, the connection travels over WebSocket.
// Events may come before it returns. The error wraps what Err would say, or what the context says, which bounds the dial
// only.
//
// Unlike an official client, which would go on polling, it fails if the upgrade fails: whoever asks for it tests it.
func Dial(ctx context.Context, o Options) (*Conn, error) {
	base, err := endpoint(o.URL)
	if err != nil {
		return nil, err
	}
	c, err := newConn(o)
	if err != nil {
		return nil, err
	}
	switch o.Transport {
	case WebSocket, "":
		c.link, err = dialSocket(ctx, base, o.Header)
	case Polling, Upgrade:
		c.link = newPoller(c, base, o.Header, o.Transport == Upgrade)
	default:
		err = fmt.Errorf("unknown transport %q", o.Transport)
	}
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	go c.run(c.link)
	select {
	case <-c.ready:
		return c, nil
	case <-c.done:
		return nil, fmt.Errorf("connect: %w", c.Err())
	case <-ctx.Done():
		c.Cut()
		<-c.done
		return nil, fmt.Errorf("connect: %w", context.Cause(ctx))
	}
}

// endpoint is where Engine.IO is found at a server, with the query yet without a transport.
func endpoint(server string) (*url.URL, error) {
	u, err := url.Parse(server)
	if err != nil {
		return nil, err
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%q is no http://host:port", server)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/socket.io/", RawQuery: "EIO=4"}, nil
}

// address is the URL of a transport, for a session if there is one.
func address(base *url.URL, t Transport, sid string) string {
	u := *base
	if t == WebSocket {
		u.Scheme = "ws" + u.Scheme[len("http"):]
	}
	u.RawQuery += "&transport=" + string(t)
	if sid != "" {
		u.RawQuery += "&sid=" + url.QueryEscape(sid)
	}
	return u.String()
}
