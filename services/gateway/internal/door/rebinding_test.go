package door

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"testing"
)

// TestAPagesOwnNameCountsUnlessItWasMadeToLeadHere tells what comes by DNS rebinding from what comes in any other way.
func TestAPagesOwnNameCountsUnlessItWasMadeToLeadHere(t *testing.T) {
	const loopback, outside = "127.0.0.1:3000", "192.0.2.1:3000"
	secured := new(tls.ConnectionState)
	for _, test := range []struct {
		name, host, at string
		tls            *tls.ConnectionState
		own            bool
	}{
		{"a stranger's name", "evil.example:3000", loopback, nil, false},
		{"a stranger's name with a dot at its end", "evil.example.:3000", loopback, nil, false},
		{"a stranger's name that begins with localhost", "localhost.evil.example:3000", loopback, nil, false},
		{"a stranger's name that ends with localhost", "evil-localhost.example:3000", loopback, nil, false},
		{"a stranger's name over IPv6", "evil.example:3000", "[::1]:3000", nil, false},
		{"a stranger's name over IPv4 as IPv6", "evil.example:3000", "[::ffff:127.0.0.1]:3000", nil, false},
		{"a stranger's name at port 80", "evil.example", "127.0.0.1:80", nil, false},
		{"localhost", "LocalHost:3000", loopback, nil, true},
		{"localhost with a dot at its end", "localhost.:3000", loopback, nil, true},
		{"below localhost", "chat.localhost:3000", loopback, nil, true},
		{"an address", "127.0.0.1:3000", loopback, nil, true},
		{"another address", "127.0.0.7:3000", loopback, nil, true},
		{"an address of IPv6", "[::1]:3000", "[::1]:3000", nil, true},
		{"an address of IPv6 without a port", "[::1]", "[::1]:80", nil, true},
		{"the machine's name", "box:3000", loopback, nil, true},
		{"behind a proxy on the machine", "chat.example", loopback, nil, true},
		{"behind a proxy on the machine, on a port", "chat.example:8080", loopback, nil, true},
		{"with a certificate", "chat.example:3000", loopback, secured, true},
		{"from outside", "chat.example:3000", outside, nil, true},
	} {
		at, err := net.ResolveTCPAddr("tcp", test.at)
		if err != nil {
			t.Fatal(err)
		}
		r := &http.Request{RemoteAddr: "127.0.0.1:5", Host: test.host, TLS: test.tls, Header: http.Header{}}
		r = r.WithContext(context.WithValue(context.Background(), http.LocalAddrContextKey, net.Addr(at)))
		scheme := "http://"
		if test.tls != nil {
			scheme = "https://"
		}
		if got := Proxies(nil).Site(r).is(scheme + test.host); got != test.own {
			t.Errorf("%s: its own %v", test.name, got)
		}
		if !networks(t, "127.0.0.0/8").Site(r).is(scheme + test.host) {
			t.Errorf("%s: a trusted proxy is not believed", test.name)
		}
	}
}
