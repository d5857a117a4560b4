package eventlog_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

// authority signs certificates, and is a file with its own.
type authority struct {
	t    *testing.T
	dir  string
	file string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	a.file, _ = a.sign(template, name)
	return a
}

// issue writes a certificate for 127.0.0.1 and its key.
func (a *authority) issue(name string, host string) (cert, key string) {
	a.t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	return a.sign(template, name)
}

func (a *authority) sign(template *x509.Certificate, name string) (certFile, keyFile string) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	if template.IsCA {
		a.cert, a.key = template, key
	}
	der, err1 := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	secret, err2 := x509.MarshalECPrivateKey(key)
	if err1 != nil || err2 != nil {
		a.t.Fatal(err1, err2)
	}
	write := func(suffix, kind string, bytes []byte) string {
		path := filepath.Join(a.dir, name+suffix)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}), 0o600); err != nil {
			a.t.Fatal(err)
		}
		return path
	}
	return write(".pem", "CERTIFICATE", der), write(".key", "EC PRIVATE KEY", secret)
}

// serve starts a nats-server with a certificate for host; with clients, it wants
// theirs from that authority.
func serve(t *testing.T, own *authority, host string, clients *authority) (url string) {
	t.Helper()
	cert, key := own.issue("server", host)
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	options := &server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true,
		TLS: true, TLSTimeout: 5, TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
	}
	if clients != nil {
		pool := x509.NewCertPool()
		text, err := os.ReadFile(clients.file)
		if err != nil || !pool.AppendCertsFromPEM(text) {
			t.Fatal("no certificate of the authority", err)
		}
		options.TLSVerify, options.TLSConfig.ClientAuth, options.TLSConfig.ClientCAs = true, tls.RequireAndVerifyClientCert, pool
	}
	s, err := server.NewServer(options)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return "nats://" + s.Addr().String()
}

// provisionsAt connects as the settings say and makes a log.
func provisionsAt(t *testing.T, url string, change func(*config.NATS)) error {
	t.Helper()
	cfg := config.Default()
	cfg.NATS.URL = config.URL(url)
	change(&cfg.NATS)
	options, err := eventlog.Options(cfg, eventlog.Gateway)
	if err != nil {
		return err
	}
	nc, js, err := eventlog.Connect(url, "test", slog.New(slog.DiscardHandler), options...)
	if err != nil {
		return err
	}
	defer nc.Close()
	if err := eventlog.Provision(ctx, js, logtest.Config(), quiet); err != nil {
		return err
	}
	return nil
}

func TestConnectionsAreMadeByTLSBothWays(t *testing.T) {
	ca, other := newAuthority(t, "authority"), newAuthority(t, "another authority")
	cert, key := ca.issue("gateway", "127.0.0.1")
	foreignCert, foreignKey := other.issue("gateway", "127.0.0.1")
	both := serve(t, ca, "127.0.0.1", ca)
	oneWay := serve(t, ca, "127.0.0.1", nil)
	otherHost := serve(t, ca, "nats.example.com", nil)
	none := logtest.Start(t).URL()
	for name, c := range map[string]struct {
		url  string
		nats config.NATS
		want string // in the error; empty: it works
	}{
		"both ways":                     {both, config.NATS{CA: ca.file, Cert: cert, Key: key}, ""},
		"one way":                       {oneWay, config.NATS{CA: ca.file}, ""},
		"without a certificate":         {both, config.NATS{CA: ca.file}, "set nats.cert and nats.key"},
		"another authority's client":    {both, config.NATS{CA: ca.file, Cert: foreignCert, Key: foreignKey}, "set nats.cert and nats.key"},
		"another authority's server":    {oneWay, config.NATS{CA: other.file}, "not signed by an authority of nats.ca"},
		"the system's authorities":      {oneWay, config.NATS{}, "not signed by an authority of nats.ca"},
		"a server of another name":      {otherHost, config.NATS{CA: ca.file}, "nats.url must name the server as its certificate does"},
		"a server without TLS":          {none, config.NATS{CA: ca.file}, "nats-server speaks no TLS"},
		"a certificate without its key": {both, config.NATS{CA: ca.file, Cert: cert}, "nats.cert (default): it needs nats.key"},
		"a key without its certificate": {both, config.NATS{CA: ca.file, Key: key}, "nats.key (default): it needs nats.cert"},
		"another certificate's key":     {both, config.NATS{CA: ca.file, Cert: cert, Key: foreignKey}, "nats.cert (default): it cannot be used with nats.key"},
		"a file that is no certificate": {both, config.NATS{CA: key}, "nats.ca (default): " + key + " holds no certificate in PEM"},
		"a file that is not there":      {both, config.NATS{CA: key + "x"}, "nats.ca (default): open"},
	} {
		t.Run(name, func(t *testing.T) {
			err := provisionsAt(t, c.url, func(n *config.NATS) { n.CA, n.Cert, n.Key = c.nats.CA, c.nats.Cert, c.nats.Key })
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestAConnectionThatIsStillRefusedSaysWhy as gateways wait for their server.
func TestAConnectionThatIsStillRefusedSaysWhy(t *testing.T) {
	ca, other := newAuthority(t, "authority"), newAuthority(t, "another authority")
	url := serve(t, ca, "127.0.0.1", nil)
	nc, js, err := eventlog.Connect(url, "test", quiet, nats.RetryOnFailedConnect(true), nats.RootCAs(other.file))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := eventlog.Provision(ctx, js, logtest.Config(), quiet)
		if err == nil {
			t.Fatal("it was provisioned")
		}
		if strings.Contains(err.Error(), "not signed by an authority of nats.ca") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		<-time.After(10 * time.Millisecond)
	}
}
