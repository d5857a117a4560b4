package gateway

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

// TestAPageIsToldWhatItMayDo asks for a page whether the client was built or not, and
// again when the browser has it.
func TestAPageIsToldWhatItMayDo(t *testing.T) {
	pages := newFiles(fstest.MapFS{"index.html": {Data: []byte("<!doctype html>")}})
	want := map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; " +
			"form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types vue",
		"Permissions-Policy":         "camera=(), microphone=(), geolocation=()",
		"Cross-Origin-Opener-Policy": "same-origin",
		"Referrer-Policy":            "no-referrer",
		"X-Content-Type-Options":     "nosniff",
		"Cache-Control":              "no-cache",
	}
	etag := ""
	for _, status := range []int{http.StatusOK, http.StatusNotModified} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("If-None-Match", etag)
		w := httptest.NewRecorder()
		pages.serve("index.html", "no-cache")(w, r)
		if etag = w.Header().Get("ETag"); w.Code != status || etag == "" || status == http.StatusOK && !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			t.Errorf("%d %v, want %d", w.Code, w.Header(), status)
		}
		for name, value := range want {
			if got := w.Header().Values(name); len(got) != 1 || got[0] != value {
				t.Errorf("%s: %q, want %q", name, got, value)
			}
		}
	}
}
