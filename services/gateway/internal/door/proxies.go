package door

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// mostHops is how many entries of X-Forwarded-For are looked at, from the right: no deployment has more proxies of its
// own in a row, and a header may hold thousands.
const mostHops = 32

// Proxies are the networks of proxies whose word about a request is believed.
type Proxies []netip.Prefix

// NewProxies takes IPv4 networks in either notation.
func NewProxies(networks []netip.Prefix) Proxies {
	proxies := make(Proxies, len(networks))
	for i, n := range networks {
		if a := n.Addr(); a.Is4In6() && n.Bits() >= 96 {
			n = netip.PrefixFrom(a.Unmap(), n.Bits()-96)
		}
		proxies[i] = n.Masked()
	}
	return proxies
}

// Trust tells whether address, as [Peer] has it, is a proxy's.
func (p Proxies) Trust(address netip.Addr) bool {
	for _, n := range p {
		if n.Contains(address) {
			return true
		}
	}
	return false
}

// Client is the address of whoever sent a request: the peer's or, if that is a proxy, the rightmost address in
// X-Forwarded-For that is not one. Each proxy adds the address it was connected from on the right, so what a client
// has written there itself is never reached. Where an entry is no address, whoever added it counts.
func (p Proxies) Client(r *http.Request) netip.Addr {
	address := Peer(r.RemoteAddr)
	hops := 0
	lines := r.Header.Values("X-Forwarded-For")
	for i := len(lines) - 1; i >= 0; i-- {
		for rest, more := lines[i], true; more; hops++ {
			if hops == mostHops || !p.Trust(address) {
				return address
			}
			var entry string
			rest, entry, more = cutLast(rest)
			next, ok := parseHop(entry)
			if !ok {
				return address
			}
			address = next
		}
	}
	return address
}

// cutLast cuts a list before its last entry.
func cutLast(list string) (before, last string, more bool) {
	i := strings.LastIndexByte(list, ',')
	if i < 0 {
		return "", list, false
	}
	return list[:i], list[i+1:], true
}

// parseHop reads 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1] and [2001:db8::1]:80.
func parseHop(entry string) (netip.Addr, bool) {
	entry = strings.TrimSpace(entry)
	if len(entry) > 64 { // longer than any address
		return netip.Addr{}, false
	}
	if address, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(entry, "["), "]")); err == nil {
		return plain(address), true
	}
	address := Peer(entry)
	return address, address.IsValid()
}

// Peer is the address in host:port, without what two addresses of one host may differ in: an IPv4 address in IPv6's
// notation is an IPv4 address, and a zone is left out. It is not valid if there is none.
func Peer(hostPort string) netip.Addr {
	at, err := netip.ParseAddrPort(hostPort)
	if err != nil {
		return netip.Addr{}
	}
	return plain(at.Addr())
}

func plain(address netip.Addr) netip.Addr { return address.Unmap().WithZone("") }

// Site is where a page must be from to be the gateway's own.
type Site struct {
	Scheme string // http or https; empty where it cannot be known: a proxy may have ended TLS without saying so
	Host   string // host, or host:port; empty where no page can be its own
}

// Site is the gateway as the sender of a request knows it. What a proxy says, in X-Forwarded-Host and X-Forwarded-Proto,
// counts where it is said once.
func (p Proxies) Site(r *http.Request) Site {
	site := Site{Host: r.Host}
	if r.TLS != nil {
		site.Scheme = "https"
	}
	if !p.Trust(Peer(r.RemoteAddr)) {
		if rebound(r) {
			site.Host = ""
		}
		return site
	}
	if host, ok := once(r.Header, "X-Forwarded-Host"); ok {
		site.Host = host
	}
	if scheme, ok := once(r.Header, "X-Forwarded-Proto"); ok {
		switch scheme = strings.ToLower(scheme); scheme {
		case "http", "https":
			site.Scheme = scheme
		case "ws", "wss":
			site.Scheme = strings.Replace(scheme, "ws", "http", 1)
		}
	}
	return site
}

func once(h http.Header, name string) (value string, ok bool) {
	values := h.Values(name)
	if len(values) != 1 || values[0] == "" || strings.ContainsRune(values[0], ',') {
		return "", false
	}
	return strings.TrimSpace(values[0]), true
}

// hostOf is host without the port that is the scheme's own.
func hostOf(scheme, host string) string {
	name, port, err := net.SplitHostPort(host)
	if err == nil && (scheme == "http" && port == "80" || scheme == "https" && port == "443") {
		if host = name; strings.ContainsRune(name, ':') {
			host = "[" + name + "]"
		}
	}
	return strings.ToLower(host)
}
