package gateway

import (
	"net/http"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/logview"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/notary"
	"github.com/tidemark-chat/tidemark/streams/query"
)

// logPage is the built page of the log view, which is served at /log.
const logPage = "log.html"

// newLogView makes what shows a generation's log.
func (g *Gateway) newLogView(gen *generation, log *eventlog.Log, model *query.Client) *logview.View {
	return logview.New(logview.Options{
		Epoch: gen.epoch, Tail: gen.tail, Log: log, Model: model, Audit: notary.OpenAudit(g.nats.reads), Now: gen.clock.now,
		Ends: func() (first, last uint64) {
			state, _ := g.health.get()
			return state.First, state.Last
		},
	})
}

// foreign reports whether a page of another origin asks, as far as browsers tell: they
// do over https, and where the gateway is on the same machine. It could read nothing
// of the answer, and would take places from those who may.
func foreign(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "cross-site" || site == "same-site"
}

// serveLogFeed streams the log to a page at /log.
func (g *Gateway) serveLogFeed(w http.ResponseWriter, r *http.Request) {
	protect(w.Header())
	if r.ContentLength != 0 { // there is nobody to wait for it
		bounded(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "close")
			http.Error(w, "a request without a body, please", http.StatusBadRequest)
		})(w, r)
		return
	}
	if foreign(r) {
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "the log is shown to pages of this gateway only", http.StatusForbidden)
		return
	}
	gen := g.current.Load()
	if gen == nil || g.draining.Load() {
		logview.Refuse(w, "this gateway is not following the log now")
		return
	}
	gen.view.ServeHTTP(w, r)
}
