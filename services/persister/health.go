package persister

import (
	"encoding/json"
	"net/http"
	"net/http/pprof"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tidemark-chat/tidemark/services/persister/signing"
)

// health is the answer of /readyz. The notary has no part in readiness.
type health struct {
	report
	Notary *signing.Report `json:"notary,omitempty"`
}

// Handler serves what Run serves at Options.Listen:
//
//	/healthz       200 while the process lives
//	/readyz        200 while it projects or stands by, otherwise 503, and also if it
//	               should project and stands still; why, as JSON
//	/metrics       for Prometheus
//	/debug/pprof/  profiles of the process
func (p *Persister) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		report := health{report: p.status.report()}
		if p.notary != nil {
			notary := p.notary.Report()
			report.Notary = &notary
		}
		w.Header().Set("Content-Type", "application/json")
		if !report.Ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(report) // the asker is gone if this fails
	})
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.Handle("GET /metrics", promhttp.HandlerFor(p.metrics.registry, promhttp.HandlerOpts{}))
	return mux
}
