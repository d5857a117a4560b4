package door

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestWhatAForeignPageEmbedsBeginsNothing as an image, say, for which a browser names no origin; scripts of pages that
// were named have theirs named, and pages of whatever origin where any may connect.
func TestWhatAForeignPageEmbedsBeginsNothing(t *testing.T) {
	for _, test := range []struct {
		list         []string
		site, origin string
		let          bool
	}{
		{nil, "", "", true}, // no browser, or an old one
		{nil, "same-origin", "", true},
		{nil, "none", "", true}, // typed by the user
		{nil, "cross-site", "", false},
		{nil, "same-site", "", false}, // another port of localhost too
		{nil, "same-origin", "https://chat.example", true},
		{[]string{"https://a.example"}, "cross-site", "", false},
		{[]string{"https://a.example"}, "cross-site", "https://a.example", true},
		{[]string{"https://a.example"}, "cross-site", "https://evil.example", false},
		{[]string{"*"}, "cross-site", "", true},
		{[]string{"*"}, "cross-site", "https://evil.example", true},
	} {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/socket.io/", nil)
		for name, value := range map[string]string{"Sec-Fetch-Site": test.site, "Origin": test.origin} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		if let := NewOrigins(test.list).Admit(w, r, Site{"https", "chat.example"}); let != test.let || !let && w.Code != http.StatusForbidden {
			t.Errorf("%+v: %v, %d", test, let, w.Code)
		}
	}
}

func TestWhichPagesMayConnect(t *testing.T) {
	named, everybody, nobody := []string{"https://a.example", "http://b.example:8080"}, []string{"*"}, []string(nil)
	secure, plainly, unknown := Site{"https", "chat.example"}, Site{"http", "chat.example:3000"}, Site{"", "chat.example"}
	for _, test := range []struct {
		name    string
		origins []string
		site    Site
		origin  []string
		let     bool
		allowed string
	}{
		{"no browser", nobody, secure, nil, true, ""},
		{"its own page", nobody, secure, []string{"https://chat.example"}, true, ""},
		{"its own page, in capitals and with the port", nobody, secure, []string{"https://CHAT.example:443"}, true, ""},
		{"its own page on a port", nobody, plainly, []string{"http://chat.example:3000"}, true, ""},
		{"its own page behind who knows what", nobody, unknown, []string{"https://chat.example"}, true, ""},
		{"its own page while others are named", named, secure, []string{"https://chat.example"}, true, ""},
		{"its name without TLS", nobody, secure, []string{"http://chat.example"}, false, ""},
		{"its name on another port", nobody, secure, []string{"https://chat.example:8443"}, false, ""},
		{"another", nobody, secure, []string{"https://evil.example"}, false, ""},
		{"another while others are named", named, secure, []string{"https://evil.example"}, false, ""},
		{"a named one", named, secure, []string{"https://a.example"}, true, "https://a.example"},
		{"a named one on its port", named, secure, []string{"http://b.example:8080"}, true, "http://b.example:8080"},
		{"a named one with TLS that it was named without", named, secure, []string{"https://b.example:8080"}, false, ""},
		{"below a named one", named, secure, []string{"https://x.a.example"}, false, ""},
		{"with a named one in front", named, secure, []string{"https://a.example.evil.example"}, false, ""},
		{"with its own name as user", nobody, secure, []string{"https://chat.example@evil.example"}, false, ""},
		{"a page of no site", named, secure, []string{"null"}, false, ""},
		{"an empty one", nobody, secure, []string{""}, false, ""},
		{"nonsense", named, secure, []string{"https://%zz"}, false, ""},
		{"two", named, secure, []string{"https://a.example", "https://evil.example"}, false, ""},
		{"any", everybody, secure, []string{"https://evil.example"}, true, "*"},
		{"any, of no site", everybody, secure, []string{"null"}, true, "*"},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodOptions} {
			w, r := httptest.NewRecorder(), httptest.NewRequest(method, "/socket.io/", nil)
			if test.origin != nil {
				r.Header["Origin"] = test.origin
			}
			r.Header.Set("Access-Control-Request-Headers", "x-affinity")
			passed := NewOrigins(test.origins).Admit(w, r, test.site)
			asks := method == http.MethodOptions && test.allowed != ""
			if passed != (test.let && !asks) {
				t.Errorf("%s, %s: passed %v", test.name, method, passed)
			}
			if got := w.Header().Get("Access-Control-Allow-Origin"); got != test.allowed {
				t.Errorf("%s, %s: allowed %q", test.name, method, got)
			}
			if credentials := w.Header().Get("Access-Control-Allow-Credentials") != ""; credentials != (test.allowed != "" && test.allowed != "*") {
				t.Errorf("%s, %s: credentials %v", test.name, method, credentials)
			}
			switch {
			case asks && (w.Code != http.StatusNoContent || w.Header().Get("Access-Control-Allow-Headers") != "x-affinity"):
				t.Errorf("%s: asked beforehand, %d %v", test.name, w.Code, w.Header())
			case !test.let && w.Code != http.StatusForbidden:
				t.Errorf("%s, %s: %d", test.name, method, w.Code)
			case passed && r.Header.Get("Origin") != "":
				t.Errorf("%s, %s: it will be judged again", test.name, method)
			}
		}
	}
}
