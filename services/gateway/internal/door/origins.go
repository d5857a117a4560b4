package door

import (
	"io"
	"net/http"
	"net/url"
)

// Origins are the pages that may connect, beside the gateway's own: by name, any, or none.
//
// A browser lets any page open a WebSocket and send simple requests to any site, with the user's address and network, and
// only names the page in the header Origin: so the server has to refuse those that it does not want. Who is no browser
// sends no such header, or a false one.
type Origins struct {
	any   bool
	named map[string]struct{} // as [canonical] has them
}

// NewOrigins are the given ones; "*" alone is any.
func NewOrigins(list []string) *Origins {
	o := &Origins{any: len(list) == 1 && list[0] == "*", named: make(map[string]struct{}, len(list))}
	for _, origin := range list {
		if name, ok := canonical(origin); ok {
			o.named[name] = struct{}{}
		}
	}
	return o
}

// Admit answers a request that may not come from the page it comes from, and what a browser asks beforehand; then it is
// false. To what it lets pass it has added what lets the page read the answer, and taken away the header Origin: nobody
// behind it is to judge again.
func (o *Origins) Admit(w http.ResponseWriter, r *http.Request, site Site) bool {
	origins := r.Header.Values("Origin")
	switch {
	case len(origins) == 0:
		if !o.any && embedded(r) {
			forbid(w)
			return false
		}
		return true
	case len(origins) > 1: // no browser's
		forbid(w)
		return false
	case site.is(origins[0]):
	case !o.allow(origins[0]):
		forbid(w)
		return false
	default:
		o.permit(w.Header(), origins[0])
		if r.Method == http.MethodOptions {
			permitRequest(w.Header(), r.Header.Get("Access-Control-Request-Headers"))
			w.WriteHeader(http.StatusNoContent)
			return false
		}
	}
	r.Header.Del("Origin")
	return true
}

// embedded tells whether a page of another origin has the browser load this as an image, a frame and the like, or follow
// a link: such a request names no origin, and the page cannot read the answer, but its handshakes would take places.
func embedded(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "cross-site" || site == "same-site"
}

func (o *Origins) allow(origin string) bool {
	if o.any {
		return true
	}
	name, ok := canonical(origin)
	if !ok {
		return false
	}
	_, ok = o.named[name]
	return ok
}

// permit tells the browser that the page may read the answer: with its cookies, which a proxy may need, if it was named.
func (o *Origins) permit(h http.Header, origin string) {
	if o.any {
		h.Set("Access-Control-Allow-Origin", "*")
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Add("Vary", "Origin")
}

// permitRequest tells the browser that the page may send what it wants to.
func permitRequest(h http.Header, headers string) {
	h.Set("Access-Control-Allow-Methods", "GET,POST")
	if headers != "" {
		h.Set("Access-Control-Allow-Headers", headers)
		h.Add("Vary", "Access-Control-Request-Headers")
	}
}

// forbid answers as Engine.IO does what is not allowed.
func forbid(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusForbidden)
	_, _ = io.WriteString(w, `{"code":4,"message":"Forbidden"}`)
}

// is tells whether a page of origin is the site's own.
func (s Site) is(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || s.Scheme != "" && u.Scheme != s.Scheme {
		return false
	}
	return hostOf(u.Scheme, u.Host) == hostOf(u.Scheme, s.Host)
}

// canonical is an origin as browsers write it.
func canonical(origin string) (string, bool) {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return "", false
	}
	return u.Scheme + "://" + hostOf(u.Scheme, u.Host), true
}
