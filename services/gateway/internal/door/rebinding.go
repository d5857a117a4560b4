package door

import (
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
)

// rebound tells whether a request may be from a page of somebody else's site whose name was made to lead to this machine
// when the page was loaded already (DNS rebinding): then Origin and Host agree, and say nothing. Such a page reaches a
// gateway that only this machine is to reach, without TLS, by a name of its own and the gateway's port. Machines' own
// names have no dot or end in .localhost; what comes by a proxy on the same machine names the proxy's port or none.
func rebound(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok || r.TLS != nil {
		return false
	}
	at, err := netip.ParseAddrPort(local.String())
	if err != nil || !at.Addr().Unmap().IsLoopback() {
		return false
	}
	name, port, err := net.SplitHostPort(r.Host)
	if err != nil { // no port, which is 80 in a browser
		name, port = r.Host, "80"
	}
	return port == strconv.Itoa(int(at.Port())) && !ownName(name)
}

// ownName tells whether nobody but the machine, or its network, can give a name.
func ownName(name string) bool {
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return true
	}
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	return !strings.Contains(name, ".") || strings.HasSuffix(name, ".localhost")
}
