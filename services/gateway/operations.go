package gateway

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/pprof"
	"sync"
)

// serveOperations serves health, metrics and pprof at gateway.operations, if that is
// set, until it is stopped, which is to be the last thing that the gateway does.
func (g *Gateway) serveOperations(failed chan<- error) (stop func(context.Context)) {
	listener := g.doors.operations
	if listener == nil {
		return func(context.Context) {}
	}
	server := &http.Server{
		Handler: g.operationsRoutes(), ReadTimeout: headerTimeout, IdleTimeout: idleTimeout,
		WriteTimeout: pageTimeout, // which pprof adds to the time of a profile
		ErrorLog:     log.New(httpErrors{g.log}, "", 0),
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("serve operations: %w", err)
		}
	})
	g.log.Info("health, metrics and profiles", "address", listener.Addr().String())
	return func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, lastAnswers)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			server.Close()
		}
		serving.Wait()
	}
}

// OperationsAddress is where health, metrics and profiles are served; empty if that is
// where clients are.
func (g *Gateway) OperationsAddress() string {
	if g.doors.operations == nil {
		return ""
	}
	return g.doors.operations.Addr().String()
}

// operationsRoutes is what operators are served.
func (g *Gateway) operationsRoutes() http.Handler {
	mux := http.NewServeMux()
	g.healthRoutes(mux)
	mux.HandleFunc("GET /metrics", bounded(g.metrics.handler().ServeHTTP))
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

// healthRoutes are served at both doors.
func (g *Gateway) healthRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", bounded(serveAlive))
	mux.HandleFunc("GET /readyz", bounded(g.serveReady))
}
