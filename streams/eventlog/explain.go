package eventlog

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
)

// explain adds to why there is no connection what an operator can do about it.
// It knows the refusals of TLS, of users and of connections; other errors stay as they are.
func explain(err error) error {
	var (
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
		alert     tls.AlertError
	)
	advice := ""
	switch {
	case errors.As(err, &authority):
		advice = "nats-server's certificate is not signed by an authority of nats.ca (without it: of this system)"
	case errors.As(err, &host):
		advice = "nats.url must name the server as its certificate does"
	case errors.As(err, &invalid):
		advice = "nats-server's certificate cannot be accepted: renew it, or look at this machine's clock"
	// With TLS 1.3 a server refuses a client after the client's last word, and may be
	// gone before it is heard.
	case errors.As(err, &alert), errors.Is(err, nats.ErrTLS), err != nil && strings.Contains(err.Error(), "remote error: tls:"):
		advice = "nats-server refuses this client's certificate, or wants one: set nats.cert and nats.key to one that its authority has signed"
	case errors.Is(err, nats.ErrSecureConnWanted):
		advice = "nats-server speaks no TLS, which nats.ca and nats.cert ask for"
	case errors.Is(err, nats.ErrSecureConnRequired):
		advice = "nats-server wants TLS: set nats.ca, or begin nats.url with tls://"
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked):
		advice = "nats-server does not know this user: look at the user and password in nats.url, or at nats.credentials"
	case errors.Is(err, nats.ErrNoServers): // so the library says "connection refused"
		advice = "nobody listens there: see whether nats-server runs, and that nats.url has its address"
	default:
		return err
	}
	return fmt.Errorf("%s: %w", advice, err)
}
