package gateway_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/gateway"
	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

// keyPair is a certificate for 127.0.0.1 that signs itself, in two files.
type keyPair struct {
	cert, key string
	trust     *x509.CertPool
}

func newKeyPair(t testing.TB, dir string, serial int64) *keyPair {
	t.Helper()
	p := &keyPair{cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem"), trust: x509.NewCertPool()}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "a test's gateway"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{p.cert: {Type: "CERTIFICATE", Bytes: cert}, p.key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(cert)
	if err != nil {
		t.Fatal(err)
	}
	p.trust.AddCert(parsed)
	return p
}

// startSecure runs a gateway with a certificate, or without, until it is stopped or the test ends.
func startSecure(t testing.TB, p *keyPair, change func(*config.Config)) (g *gateway.Gateway, stop func() error) {
	t.Helper()
	cfg := gatewaytest.Config(logtest.Start(t).URL())
	if change != nil {
		change(&cfg)
	}
	if p != nil {
		cfg.Gateway.Cert, cfg.Gateway.Key = p.cert, p.key
	}
	g, err := gateway.New(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx); close(ended) }()
	stop = func() error { cancel(); return <-ended }
	t.Cleanup(func() { _ = stop() })
	url := "http://" + g.Address()
	client := &http.Client{Transport: &http.Transport{}}
	if p != nil {
		url, client = "https://"+g.Address(), p.client()
	}
	eventually(t, "ready", func() bool {
		response, err := client.Get(url + "/readyz")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	client.CloseIdleConnections()
	return g, stop
}

func (p *keyPair) client() *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: p.trust}, ForceAttemptHTTP2: true}}
}

// dial opens a WebSocket over TLS, as a page of origin.
func (p *keyPair) dial(address, origin string) (*websocket.Conn, error) {
	dialer := websocket.Dialer{TLSClientConfig: &tls.Config{RootCAs: p.trust}}
	header := http.Header{}
	if origin != "" {
		header.Set("Origin", origin)
	}
	conn, response, err := dialer.Dial("wss://"+address+webSocketPath, header)
	if response != nil && err != nil {
		err = errors.New(response.Status)
	}
	return conn, err
}

// alive has a connection join, send a message and get it back.
func alive(t *testing.T, conn *websocket.Conn, join bool) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(gatewaytest.Timeout))
	say := func(packet string) {
		if err := conn.WriteMessage(websocket.TextMessage, []byte(packet)); err != nil {
			t.Fatal(err)
		}
	}
	await := func(packet string) {
		for {
			_, message, err := conn.ReadMessage()
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(string(message), packet) {
				return
			}
		}
	}
	if join {
		say(`40{"serverOffset":"latest"}`)
		await("40{")
	}
	say(`42["chat message","over TLS"]`)
	await(`42["chat message","over TLS"`)
}

func TestAGatewaySpeaksTLS(t *testing.T) {
	t.Parallel()
	p := newKeyPair(t, t.TempDir(), 1)
	g, stop := startSecure(t, p, nil)
	at := g.Address()
	conn, err := p.dial(at, "https://"+at)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	alive(t, conn, true)
	for origin, status := range map[string]string{"http://" + at: "403 Forbidden", "https://evil.example": "403 Forbidden", "null": "403 Forbidden"} {
		if _, err := p.dial(at, origin); err == nil || err.Error() != status {
			t.Errorf("a page of %s gets %v", origin, err)
		}
	}
	response, err := p.client().Get("https://" + at + pollingPath)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 200 || response.Proto != "HTTP/1.1" {
		t.Errorf("polling: %s %s", response.Proto, response.Status)
	}
	if got := response.Header.Values("Strict-Transport-Security"); len(got) != 1 || got[0] != "max-age=31536000" {
		t.Errorf("browsers are told %q", got)
	}
	if _, err := tls.Dial("tcp", at, &tls.Config{RootCAs: p.trust, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	if status, _ := gatewaytest.Get(at, "/readyz"); status != http.StatusBadRequest {
		t.Errorf("without TLS: %d", status)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestACertificateAndItsKeyAreNeededBoth(t *testing.T) {
	t.Parallel()
	p, other := newKeyPair(t, t.TempDir(), 1), newKeyPair(t, t.TempDir(), 2)
	for _, files := range [][2]string{{p.cert, ""}, {"", p.key}, {p.cert, other.key}, {p.key, p.cert}} {
		cfg := gatewaytest.Config("nats://127.0.0.1:1")
		cfg.Gateway.Cert, cfg.Gateway.Key = files[0], files[1]
		if _, err := gateway.New(cfg, slog.New(slog.DiscardHandler)); !errors.As(err, new(*config.Error)) || !strings.Contains(err.Error(), "gateway.cert") {
			t.Errorf("%v: %v", files, err)
		}
	}
}

// TestBehindATrustedProxyThePagesOriginIsAsTheProxySays has one gateway behind a proxy that ends TLS.
func TestBehindATrustedProxyThePagesOriginIsAsTheProxySays(t *testing.T) {
	t.Parallel()
	said := http.Header{"X-Forwarded-Host": {"chat.example"}, "X-Forwarded-Proto": {"https"}}
	for _, trusted := range []bool{true, false} {
		g, _ := startSecure(t, nil, func(c *config.Config) {
			if trusted {
				c.Gateway.TrustedProxies = proxies("127.0.0.1/32")
			}
		})
		for origin, own := range map[string]bool{"https://chat.example": true, "http://chat.example": false, "https://evil.example": false} {
			header := said.Clone()
			header.Set("Origin", origin)
			conn, err := open(g.Address(), header)
			if (err == nil) != (trusted && own) {
				t.Errorf("trusted %v, %s: %v", trusted, origin, err)
			}
			if err == nil {
				_ = conn.Close()
			}
			if status, _, _ := handshake(t, g.Address(), header); (status == http.StatusOK) != (trusted && own) {
				t.Errorf("trusted %v, %s polls: %d", trusted, origin, status)
			}
		}
	}
}

// TestBrowsersAreToldToComeByHTTPSWhereTheyDid come, by a proxy that may say so.
func TestBrowsersAreToldToComeByHTTPSWhereTheyDid(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, proto string
		trusted     bool
		want        string
	}{
		{"without TLS", "", true, ""},
		{"a proxy without TLS", "http", true, ""},
		{"a proxy with TLS", "https", true, "max-age=31536000"},
		{"a stranger's word", "https", false, ""},
	} {
		g, _ := startSecure(t, nil, func(c *config.Config) {
			if test.trusted {
				c.Gateway.TrustedProxies = proxies("127.0.0.1/32")
			}
		})
		for _, path := range []string{"/", pollingPath, "/healthz"} {
			request, err := http.NewRequest(http.MethodGet, "http://"+g.Address()+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if test.proto != "" {
				request.Header.Set("X-Forwarded-Proto", test.proto)
			}
			response, err := http.DefaultTransport.RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if got := response.Header.Get("Strict-Transport-Security"); got != test.want {
				t.Errorf("%s, %s: %q", test.name, path, got)
			}
		}
	}
}

// TestAPageWhoseNameWasMadeToLeadHereIsNotTheGatewaysOwn though its Origin is its Host, as in DNS rebinding.
func TestAPageWhoseNameWasMadeToLeadHereIsNotTheGatewaysOwn(t *testing.T) {
	t.Parallel()
	g, _ := startSecure(t, nil, func(c *config.Config) { c.Gateway.CORSOrigins = []string{"http://named.example"} })
	_, port, err := net.SplitHostPort(g.Address())
	if err != nil {
		t.Fatal(err)
	}
	for host, status := range map[string]int{
		"evil.example:" + port: http.StatusForbidden, "localhost:" + port: http.StatusOK,
		"chat.example": http.StatusOK, "chat.example:8080": http.StatusOK, // by a proxy beside the gateway that it knows nothing of
	} {
		request, err := http.NewRequest(http.MethodGet, "http://"+g.Address()+pollingPath, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = host
		request.Header.Set("Origin", "http://"+host)
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != status {
			t.Errorf("%s: %d, want %d", host, response.StatusCode, status)
		}
	}
	for header, status := range map[[2]string]int{
		{"Sec-Fetch-Site", "cross-site"}: http.StatusForbidden, {"Sec-Fetch-Site", "same-origin"}: http.StatusOK,
		{"Origin", "http://named.example"}: http.StatusOK, {"Origin", "http://evil.example"}: http.StatusForbidden,
	} {
		if got, _, _ := handshake(t, g.Address(), http.Header{header[0]: {header[1]}}); got != status {
			t.Errorf("%s: %d, want %d", header, got, status)
		}
	}
}
