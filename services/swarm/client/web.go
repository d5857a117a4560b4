package client

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
)

// web is the HTTP connections of one client, two at most, as a browser would use: one for GETs and one for POSTs.
type web struct {
	transport *http.Transport
	mu        sync.Mutex
	conns     map[net.Conn]struct{} // open
}

func newWeb() *web {
	w := &web{conns: make(map[net.Conn]struct{})}
	w.transport = &http.Transport{DialContext: w.dial, DisableCompression: true, MaxIdleConnsPerHost: 2}
	return w
}

func (w *web) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns[conn] = struct{}{}
	return &webConn{Conn: conn, web: w}, nil
}

// webConn is known to its web while it is open.
type webConn struct {
	net.Conn
	web *web
}

func (c *webConn) Close() error {
	c.web.mu.Lock()
	delete(c.web.conns, c.Conn)
	c.web.mu.Unlock()
	return c.Conn.Close()
}

// get reads the body of a GET. It is tried once: net/http would try a GET again on a new connection, and then what was
// on its way over the old one would be lost without a word.
func (w *web) get(ctx context.Context, address string, header http.Header, into *[]byte) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	tried := false
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GetConn: func(string) {
		if tried {
			cancel(errConnEnded)
		}
		tried = true
	}})
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	return w.do(request, header, into)
}

var errConnEnded = errors.New("the server's connection ended before its answer")

func (w *web) post(ctx context.Context, address string, header http.Header, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "text/plain;charset=UTF-8")
	into := packets.Get().(*[]byte)
	defer recycle(into)
	return w.do(request, header, into)
}

func (w *web) do(request *http.Request, header http.Header, into *[]byte) error {
	request.Header.Set("Accept", "*/*")
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := w.transport.RoundTrip(request)
	if err == nil {
		defer response.Body.Close()
		*into, err = readInto((*into)[:0], io.LimitReader(response.Body, MaxFrame+1))
	}
	switch {
	case err != nil && request.Context().Err() != nil:
		return lost(context.Cause(request.Context()))
	case err != nil:
		return lost(err)
	case response.StatusCode != http.StatusOK:
		return &StatusError{Status: response.StatusCode, Body: string((*into)[:min(len(*into), 200)])}
	case len(*into) > MaxFrame:
		return violation("a body that is too large", nil)
	}
	return nil
}

// reset ends all connections at once.
func (w *web) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for conn := range w.conns {
		reset(conn)
	}
}

func (w *web) close() { w.transport.CloseIdleConnections() }
