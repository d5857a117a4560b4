// Package entry is a small way in to several gateways, for a cluster on one machine: what a load balancer does in
// production, and no more.
//
//	browser ──▶ entry ─┬─▶ gateway-1     its cookie says which one; without one, the address it comes from
//	                   └─▶ gateway-2
//
// Long-polling needs this affinity, because an Engine.IO session lives in one gateway. A gateway that is not ready gets no
// new clients; those it had find another one when they connect again. WebSockets are passed on, X-Forwarded-For says where a
// client comes from, and what is for operators (/metrics, /log) is not passed on.
package entry

import (
	"context"
	"hash/fnv"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	cookieName   = "tidemark-gateway"
	lookEvery    = 500 * time.Millisecond
	lookTimeout  = 2 * time.Second
	headerWithin = 10 * time.Second
)

// Entry passes requests on to gateways.
type Entry struct {
	gateways []*gateway
	asking   *http.Client
}

type gateway struct {
	base  *url.URL
	ready atomic.Bool
	proxy *httputil.ReverseProxy
}

// New makes an entry to the gateways at some base URLs.
func New(gateways []string, log *slog.Logger) (*Entry, error) {
	e := &Entry{asking: &http.Client{Timeout: lookTimeout, Transport: &http.Transport{}}}
	for _, text := range gateways {
		base, err := url.Parse(text)
		if err != nil {
			return nil, err
		}
		g := &gateway{base: base}
		g.proxy = &httputil.ReverseProxy{
			Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(base)
				r.Out.Host = r.In.Host // a page's origin is compared with it
				r.SetXForwarded()
			},
			ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
				if r.Context().Err() == nil {
					log.Info("the entry could not pass a request on", "gateway", base.Host, "error", err)
				}
				w.WriteHeader(http.StatusBadGateway)
			},
		}
		e.gateways = append(e.gateways, g)
	}
	return e, nil
}

// look finds out which gateways are ready.
func (e *Entry) look(ctx context.Context) {
	var all sync.WaitGroup
	for _, g := range e.gateways {
		all.Go(func() { g.ready.Store(e.isReady(ctx, g)) })
	}
	all.Wait()
}

func (e *Entry) isReady(ctx context.Context, g *gateway) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, g.base.JoinPath("readyz").String(), nil)
	if err != nil {
		return false
	}
	response, err := e.asking.Do(request)
	if err != nil {
		return false
	}
	return response.Body.Close() == nil && response.StatusCode == http.StatusOK
}

// Serve takes connections of a listener, once it knows which gateways are ready, until ctx ends, and cuts those that are
// open then.
func (e *Entry) Serve(ctx context.Context, listener net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	e.look(ctx)
	var looking sync.WaitGroup
	looking.Go(func() {
		for ctx.Err() == nil {
			select {
			case <-time.After(lookEvery):
				e.look(ctx)
			case <-ctx.Done():
			}
		}
	})
	server := &http.Server{Handler: e, ReadHeaderTimeout: headerWithin}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	err := server.Serve(listener)
	if !stop() { // ctx has ended, and so it was meant to
		err = nil
	}
	cancel()
	looking.Wait()
	e.asking.CloseIdleConnections()
	return err
}

// ServeHTTP passes a request on.
func (e *Entry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if forOperators(r.URL.Path) {
		http.NotFound(w, r)
		return
	}
	i, known := e.choose(r)
	if !known {
		http.SetCookie(w, &http.Cookie{Name: cookieName, Value: strconv.Itoa(i), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
	e.gateways[i].proxy.ServeHTTP(w, r)
}

func forOperators(path string) bool {
	return path == "/metrics" || path == "/log" || strings.HasPrefix(path, "/log/") || strings.HasPrefix(path, "/debug/")
}

// choose is the gateway for a request, and whether its cookie says so. What belongs to a session goes where that is, though
// the gateway may not be ready.
func (e *Entry) choose(r *http.Request) (index int, known bool) {
	i, known := e.remembered(r)
	if !known {
		i = e.home(r)
	}
	if r.URL.Query().Has("sid") || e.gateways[i].ready.Load() {
		return i, known
	}
	for j, g := range e.gateways {
		if g.ready.Load() {
			return j, false
		}
	}
	return i, known
}

// remembered is the gateway that the request's cookie names.
func (e *Entry) remembered(r *http.Request) (int, bool) {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return 0, false
	}
	i, err := strconv.Atoi(cookie.Value)
	if err != nil || i < 0 || i >= len(e.gateways) {
		return 0, false
	}
	return i, true
}

// home is the gateway of those who come from an address with a program: clients beside browsers keep no cookies.
func (e *Entry) home(r *http.Request) int {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(host + "\n" + r.UserAgent()))
	return int(h.Sum32() % uint32(len(e.gateways)))
}
