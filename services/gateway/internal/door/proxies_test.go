package door

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

func networks(t testing.TB, list ...string) Proxies {
	t.Helper()
	var all []netip.Prefix
	for _, n := range list {
		all = append(all, netip.MustParsePrefix(n))
	}
	return NewProxies(all)
}

func TestAClientIsTheRightmostAddressThatIsNoProxys(t *testing.T) {
	trusted := networks(t, "10.0.0.0/8", "2001:db8:f::/48", "::ffff:172.16.0.0/108")
	for _, test := range []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"nobody between", "192.0.2.1:5", nil, "192.0.2.1"},
		{"a stranger's word", "192.0.2.1:5", []string{"198.51.100.1"}, "192.0.2.1"},
		{"one proxy", "10.0.0.1:5", []string{"192.0.2.1"}, "192.0.2.1"},
		{"what the client wrote itself", "10.0.0.1:5", []string{"127.0.0.1, 10.9.9.9, 192.0.2.1"}, "192.0.2.1"},
		{"two proxies", "10.0.0.1:5", []string{"192.0.2.1, 10.0.0.2"}, "192.0.2.1"},
		{"several headers", "10.0.0.1:5", []string{"198.51.100.7", "192.0.2.1", " 10.0.0.3 , 10.0.0.2"}, "192.0.2.1"},
		{"nothing but proxies", "10.0.0.1:5", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"a proxy that says nothing", "10.0.0.1:5", nil, "10.0.0.1"},
		{"a proxy that says nothing, in a header", "10.0.0.1:5", []string{""}, "10.0.0.1"},
		{"with a port", "10.0.0.1:5", []string{"192.0.2.1:4711"}, "192.0.2.1"},
		{"IPv6", "[2001:db8:f::1]:5", []string{"2001:db8::7"}, "2001:db8::7"},
		{"IPv6 in brackets", "10.0.0.1:5", []string{"[2001:db8::7]"}, "2001:db8::7"},
		{"IPv6 with a port", "10.0.0.1:5", []string{"[2001:db8::7]:80"}, "2001:db8::7"},
		{"IPv4 as IPv6, client and proxy", "[::ffff:10.0.0.1]:5", []string{"::ffff:192.0.2.1"}, "192.0.2.1"},
		{"a proxy named in IPv6's notation", "172.16.0.1:5", []string{"192.0.2.1"}, "192.0.2.1"},
		{"a zone", "10.0.0.1:5", []string{"fe80::1%eth0"}, "fe80::1"},
		{"garbage", "10.0.0.1:5", []string{"192.0.2.1, unknown"}, "10.0.0.1"},
		{"garbage from the second proxy", "10.0.0.1:5", []string{"192.0.2.1, _hidden, 10.0.0.2"}, "10.0.0.2"},
		{"an endless entry", "10.0.0.1:5", []string{strings.Repeat("1", 100_000)}, "10.0.0.1"},
		{"endlessly many", "10.0.0.1:5", []string{"192.0.2.1" + strings.Repeat(",10.0.0.7", 50_000)}, "10.0.0.7"},
		{"endlessly many headers", "10.0.0.1:5", append([]string{"192.0.2.1"}, strings.Split(strings.Repeat("10.0.0.7 ", 5000), " ")[:5000]...), "10.0.0.7"},
		{"no peer's address", "pipe", []string{"192.0.2.1"}, "invalid IP"},
	} {
		r := &http.Request{RemoteAddr: test.peer, Header: http.Header{}}
		if test.forwarded != nil {
			r.Header["X-Forwarded-For"] = test.forwarded
		}
		if got := trusted.Client(r).String(); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
		if got := Proxies(nil).Client(r); got != Peer(test.peer) {
			t.Errorf("%s: without proxies %s", test.name, got)
		}
	}
}

func FuzzClient(f *testing.F) {
	f.Add("192.0.2.1, 10.0.0.2", "[::1]:5")
	f.Add("[2001:db8::7]:80,,", "10.0.0.1:5")
	trusted := networks(f, "10.0.0.0/8", "::1/128")
	f.Fuzz(func(t *testing.T, forwarded, peer string) {
		r := &http.Request{RemoteAddr: peer, Header: http.Header{"X-Forwarded-For": {forwarded}}}
		got := trusted.Client(r)
		if from := Peer(peer); !trusted.Trust(from) && got != from {
			t.Errorf("%s made itself %s", from, got)
		}
		if got.Is4In6() || got.Zone() != "" {
			t.Errorf("%s can be written in another way", got)
		}
	})
}

func TestWhatAProxySaysOfTheSiteCountsIfItIsTrustedAndSaidOnce(t *testing.T) {
	trusted := networks(t, "10.0.0.0/8")
	secured := new(tls.ConnectionState)
	for _, test := range []struct {
		name   string
		peer   string
		tls    *tls.ConnectionState
		header http.Header
		want   Site
	}{
		{"plain", "192.0.2.1:5", nil, nil, Site{"", "inside:3000"}},
		{"by TLS", "192.0.2.1:5", secured, nil, Site{"https", "inside:3000"}},
		{"a stranger's word", "192.0.2.1:5", nil, http.Header{"X-Forwarded-Host": {"evil"}, "X-Forwarded-Proto": {"https"}}, Site{"", "inside:3000"}},
		{"a proxy's", "10.0.0.1:5", nil, http.Header{"X-Forwarded-Host": {"chat.example"}, "X-Forwarded-Proto": {"https"}}, Site{"https", "chat.example"}},
		{"a WebSocket's", "10.0.0.1:5", nil, http.Header{"X-Forwarded-Proto": {"WSS"}}, Site{"https", "inside:3000"}},
		{"twice", "10.0.0.1:5", nil, http.Header{"X-Forwarded-Host": {"evil", "chat.example"}, "X-Forwarded-Proto": {"https,http"}}, Site{"", "inside:3000"}},
		{"nonsense", "10.0.0.1:5", secured, http.Header{"X-Forwarded-Host": {""}, "X-Forwarded-Proto": {"gopher"}}, Site{"https", "inside:3000"}},
	} {
		r := &http.Request{RemoteAddr: test.peer, Host: "inside:3000", TLS: test.tls, Header: test.header}
		if got := trusted.Site(r); got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
}
