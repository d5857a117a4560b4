package gateway

import (
	"crypto/sha256"
	"encoding/base64"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/tidemark-chat/tidemark/web"
)

// contentSecurityPolicy lets the page talk to its own gateway only.
const contentSecurityPolicy = "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

// routes is everything the gateway serves.
func (g *Gateway) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", serveAlive)
	mux.HandleFunc("GET /readyz", g.serveReady)
	mux.Handle("GET /metrics", g.metrics.handler())
	files := newFiles(web.Dist())
	mux.Handle("/socket.io/", g.edge)
	for name := range files {
		if strings.HasPrefix(name, "socket.io/") {
			mux.Handle("GET /"+name, files.serve(name, "public, max-age=3600"))
		}
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		name := strings.TrimPrefix(r.URL.Path, "/")
		if name == "" {
			name = "index.html"
			if !web.Built() {
				http.Error(w, "This gateway was built without the web client: run \"go tool task web:build\" before building it.", http.StatusNotFound)
				return
			}
		}
		cache := "no-cache"
		if strings.HasPrefix(name, "assets/") {
			cache = "public, max-age=31536000, immutable" // their names carry a hash
		}
		files.serve(name, cache)(w, r)
	})
	return mux
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
		h.Set("ETag", file.etag)
		h.Set("Cache-Control", cache)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", contentSecurityPolicy)
		h.Set("Referrer-Policy", "no-referrer")
		http.ServeContent(w, r, name, time.Time{}, strings.NewReader(file.content))
	}
}
