package gateway

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/tidemark-chat/tidemark/web"
)

const (
	// contentSecurityPolicy lets a page load, run and talk to what is its own gateway's
	// only, WebSockets included ('self' is of any scheme in today's browsers), and make
	// HTML of no text but by the policy that Vue makes for its own templates.
	contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types vue"
	// permissionsPolicy denies what a chat of text has no use for.
	permissionsPolicy = "camera=(), microphone=(), geolocation=()"
	// transportSecurity has browsers come by HTTPS only, for a year: to this host, of
	// whose siblings a gateway knows nothing.
	transportSecurity = "max-age=31536000"
)

// routes is everything that clients are served.
func (g *Gateway) routes() http.Handler {
	mux := http.NewServeMux()
	g.healthRoutes(mux)
	if g.cfg.Gateway.Operations == "" {
		mux.HandleFunc("GET /metrics", bounded(g.metrics.handler().ServeHTTP))
	}
	files := newFiles(web.Dist())
	mux.Handle("/socket.io/", g.edge)
	for name := range files {
		if strings.HasPrefix(name, "socket.io/") {
			mux.HandleFunc("GET /"+name, bounded(files.serve(name, "public, max-age=3600")))
		}
	}
	if g.cfg.Gateway.LogView {
		mux.HandleFunc("GET /log", bounded(files.page(logPage)))
		mux.HandleFunc("GET /log/feed", g.serveLogFeed)
	}
	mux.HandleFunc("/", bounded(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		name := strings.TrimPrefix(r.URL.Path, "/")
		if name == logPage { // its address is /log, if it has one
			http.NotFound(w, r)
			return
		}
		if name == "" {
			files.page("index.html")(w, r)
			return
		}
		cache := "no-cache"
		if strings.HasPrefix(name, "assets/") {
			cache = "public, max-age=31536000, immutable" // their names carry a hash
		}
		files.serve(name, cache)(w, r)
	}))
	return g.securely(mux)
}

// securely tells browsers that came by HTTPS, to us or to a proxy that says so, not
// to come without any more. Without, they would not believe it.
func (g *Gateway) securely(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.doors.proxies.Site(r).Scheme == "https" {
			w.Header().Set("Strict-Transport-Security", transportSecurity)
		}
		next.ServeHTTP(w, r)
	})
}

// httpErrors is where net/http says what went wrong: panics of handlers, which are
// mistakes of ours, and much that clients can bring about.
type httpErrors struct{ log *slog.Logger }

func (e httpErrors) Write(line []byte) (int, error) {
	level := slog.LevelDebug
	if bytes.Contains(line, []byte("panic serving")) {
		level = slog.LevelError
	}
	e.log.Log(context.Background(), level, string(bytes.TrimSpace(line)))
	return len(line), nil
}

// pageTimeout is how long a client may take to send a request for a page, whose
// body nobody reads, and to take the answer. Socket.IO's requests are bounded by
// the transport.
const pageTimeout = 30 * time.Second

// bounded gives up on a client that neither sends nor reads.
func bounded(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		control, deadline := http.NewResponseController(w), time.Now().Add(pageTimeout)
		// The server reads what is left of a body after the handler, so this one
		// stays; it is lifted before the connection's next request.
		_ = control.SetReadDeadline(deadline)
		_ = control.SetWriteDeadline(deadline)
		next(w, r)
		_ = control.SetWriteDeadline(time.Time{})
	}
}

// files are the built files of the web client, by name, with their ETag.
type files map[string]file

type file struct {
	content string
	etag    string
}

func newFiles(root fs.FS) files {
	all := files{}
	_ = fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error { // embedded: cannot fail
		if err == nil && !d.IsDir() && !strings.HasPrefix(path.Base(name), ".") {
			content, _ := fs.ReadFile(root, name)
			sum := sha256.Sum256(content)
			all[name] = file{string(content), `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
		}
		return nil
	})
	return all
}

func (f files) serve(name, cache string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		file, ok := f[name]
		if !ok {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		protect(h)
		h.Set("ETag", file.etag)
		h.Set("Cache-Control", cache)
		http.ServeContent(w, r, name, time.Time{}, strings.NewReader(file.content))
	}
}

// page serves a page of the client, or says why there is none.
func (f files) page(name string) http.HandlerFunc {
	if _, ok := f[name]; ok {
		return f.serve(name, "no-cache")
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "This gateway was built without the web client: run \"go tool task web:build\" before building it.", http.StatusNotFound)
	}
}

// protect sets what browsers are told of every page, and of what pages load.
func protect(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", contentSecurityPolicy)
	h.Set("Permissions-Policy", permissionsPolicy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
}
