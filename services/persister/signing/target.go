package signing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"
)

// file is a path to append checkpoints to, an empty line between two. It is opened for each, so that it may be moved away.
type file string

// check refuses what is there and is no regular file: to open a pipe, for one, blocks until somebody reads it.
func (f file) check() error {
	info, err := os.Stat(string(f))
	if err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", string(f))
	}
	return nil // what else is wrong may pass, and shows when it is opened
}

func (f file) open() (*os.File, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	return os.OpenFile(string(f), os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o644)
}

func (f file) send(_ context.Context, checkpoint []byte) error {
	out, err := f.open()
	if err != nil {
		return fmt.Errorf("notary.export: %w", err)
	}
	err = appendTo(out, checkpoint)
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("notary.export: %w", err)
	}
	return nil
}

// appendTo begins with the empty line, and before that ends a line that was cut off, so that it spoils none that follows.
func appendTo(out *os.File, checkpoint []byte) error {
	info, err := out.Stat()
	if err != nil {
		return err
	}
	if size := info.Size(); size > 0 {
		last := make([]byte, 1)
		if _, err := out.ReadAt(last, size-1); err != nil {
			return err
		}
		between := "\n"
		if last[0] != '\n' {
			between = "\n\n"
		}
		checkpoint = append([]byte(between), checkpoint...)
	}
	if _, err := out.Write(checkpoint); err != nil {
		return err
	}
	return out.Sync()
}

func (file) close() {}

// sendTimeout bounds a request to an endpoint.
const sendTimeout = 10 * time.Second

// endpoint is an HTTP server to POST checkpoints to. It follows no redirects: what it hands over must not end up elsewhere.
type endpoint struct {
	url    string
	host   string // what is said of it in errors: the rest may be secret
	client *http.Client
}

func newEndpoint(address string) *endpoint {
	e := &endpoint{url: address, client: &http.Client{
		Timeout:       sendTimeout,
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if u, err := url.Parse(address); err == nil { // the settings have seen to it
		e.host = u.Host
	}
	return e
}

func (e *endpoint) send(ctx context.Context, checkpoint []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(checkpoint))
	if err != nil {
		return fmt.Errorf("notary.export: POST to %s: it is no URL", e.host)
	}
	request.Header.Set("Content-Type", "text/plain; charset=utf-8")
	response, err := e.client.Do(request)
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		err = wrapped.Err // without the URL
	}
	if err != nil {
		return fmt.Errorf("notary.export: POST to %s: %w", e.host, err)
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.CopyN(io.Discard, response.Body, 4<<10) // so that the connection can be used again
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return fmt.Errorf("notary.export: POST to %s: %s", e.host, response.Status)
	}
	return nil
}

func (e *endpoint) close() { e.client.CloseIdleConnections() }
