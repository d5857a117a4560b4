package door

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// Certificate is what clients are shown: one pair of a certificate and its key, which may be replaced while connections
// are made. Those that there are go on with what they were made with.
type Certificate struct {
	current atomic.Pointer[tls.Certificate]
}

// ReadPair reads a certificate and its key from PEM files. Its error tells what to do. One that has run out is read all
// the same: clients say so better than a gateway that does not start.
func ReadPair(cert, key string) (*tls.Certificate, error) {
	if cert == "" || key == "" {
		return nil, errors.New("gateway.cert and gateway.key belong together: give both, or neither")
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("the certificate %s and the key %s (PEM, without a password) are no pair that can be used: %w", cert, key, err)
	}
	return &pair, nil
}

// Lasts says until when a pair is valid, as an error if that is not now.
func Lasts(pair *tls.Certificate, now time.Time) (until time.Time, err error) {
	leaf := pair.Leaf
	switch {
	case now.Before(leaf.NotBefore):
		err = fmt.Errorf("the certificate is not valid before %s", leaf.NotBefore.UTC().Format(time.RFC3339))
	case now.After(leaf.NotAfter):
		err = fmt.Errorf("the certificate was valid until %s: renew it, and send the gateway SIGHUP", leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	return leaf.NotAfter, err
}

// NewCertificate begins with a pair.
func NewCertificate(pair *tls.Certificate) *Certificate {
	c := new(Certificate)
	c.Replace(pair)
	return c
}

// Replace shows another pair from now on.
func (c *Certificate) Replace(pair *tls.Certificate) { c.current.Store(pair) }

// Listener speaks TLS over what inner accepts; the HTTP server bounds handshakes by its ReadHeaderTimeout. HTTP/2 is not
// offered: WebSockets need HTTP/1.1, and the transports' deadlines are those of one connection for one request.
func (c *Certificate) Listener(inner net.Listener) net.Listener {
	return tls.NewListener(inner, &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	})
}
