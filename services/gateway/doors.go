package gateway

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/door"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
)

// doors are where clients come in, and operators. Origins, limits and the
// certificate may be replaced while the gateway runs.
type doors struct {
	listener    *door.Listener
	certificate *door.Certificate // nil: plain HTTP
	proxies     door.Proxies
	origins     atomic.Pointer[door.Origins]
	connections *door.Counter // of Engine.IO, from the handshake to the end
	operations  net.Listener  // nil: health and metrics are served to clients' door
}

// newDoors makes what needs no listening.
func newDoors(cfg config.Gateway) *doors {
	d := &doors{proxies: door.NewProxies(cfg.TrustedProxies), connections: door.NewCounter(limitsOf(cfg))}
	d.origins.Store(door.NewOrigins(cfg.CORSOrigins))
	return d
}

func limitsOf(cfg config.Gateway) door.Limits {
	return door.Limits{Total: int(cfg.MaxConnections), PerAddress: int(cfg.AddressLimit)}
}

// open listens for clients and, if they have a door of their own, for operators.
func (d *doors) open(cfg config.Config, refused func(door.Reason)) error {
	g := cfg.Gateway
	pair, err := readPair(g)
	if err != nil {
		return cfg.Invalid("gateway.cert", err.Error())
	}
	if pair != nil {
		d.certificate = door.NewCertificate(pair)
	}
	if d.listener, err = door.Listen(g.Listen, limitsOf(g), d.proxies, refused); err != nil {
		return fmt.Errorf("gateway.listen: %w", err)
	}
	if g.Operations == "" {
		return nil
	}
	if d.operations, err = net.Listen("tcp", g.Operations); err != nil {
		_ = d.listener.Close()
		return fmt.Errorf("gateway.operations: %w", err)
	}
	return nil
}

func (d *doors) close() {
	_ = d.listener.Close()
	if d.operations != nil {
		_ = d.operations.Close()
	}
}

// clients is the listener to serve clients at.
func (d *doors) clients() net.Listener {
	if d.certificate != nil {
		return d.certificate.Listener(d.listener)
	}
	return d.listener
}

// readPair is nil where HTTP is served without TLS.
func readPair(cfg config.Gateway) (*tls.Certificate, error) {
	if cfg.Cert == "" && cfg.Key == "" {
		return nil, nil
	}
	return door.ReadPair(cfg.Cert, cfg.Key)
}

// prepare reads what settings name that are to be taken up, and changes nothing yet.
func (d *doors) prepare(cfg config.Gateway) (take func(), err error) {
	pair, err := readPair(cfg)
	if err != nil {
		return nil, err
	}
	if (pair == nil) != (d.certificate == nil) {
		return nil, errors.New("gateway.cert: HTTPS is switched on and off by a restart")
	}
	return func() {
		if pair != nil {
			d.certificate.Replace(pair)
		}
		d.origins.Store(door.NewOrigins(cfg.CORSOrigins))
		d.connections.SetLimits(limitsOf(cfg))
		d.listener.SetLimits(limitsOf(cfg))
	}, nil
}

// admit gives a request that may begin a connection a place for as long as that
// lasts, or answers it: official clients try again by themselves.
func (d *doors) admit(w http.ResponseWriter, r *http.Request) (admitted *http.Request, reason door.Reason) {
	place, reason := d.connections.Enter(d.proxies.Client(r))
	if place != nil {
		return r.WithContext(transport.WithEnd(r.Context(), place.Leave)), ""
	}
	w.Header().Set("Retry-After", retryAfter)
	if reason == door.Crowded {
		http.Error(w, "too many connections from this address", http.StatusTooManyRequests)
	} else {
		http.Error(w, "too many connections", http.StatusServiceUnavailable)
	}
	return nil, reason
}

// retryAfter is in seconds, and the longest that official clients wait by themselves.
const retryAfter = "5"

// headerTimeout is how long a client may take for the TLS handshake, and then for
// the head of a request.
const headerTimeout = 10 * time.Second

// mostHeader is the largest head of a request: cookies and tokens of a proxy fit.
const mostHeader = 64 << 10

// turnedAway counts who was not let in.
func (g *Gateway) turnedAway(reason door.Reason) {
	g.metrics.notConnected[string(reason)].Inc()
}
