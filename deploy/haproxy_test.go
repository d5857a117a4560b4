package deploy

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/config"
)

const haproxy = "compose/haproxy.cfg"

func TestHAProxyAcceptsItsConfiguration(t *testing.T) {
	if !installed(t, "haproxy") {
		return
	}
	for name, certificate := range map[string]string{"http": "", "https": selfSigned(t)} {
		t.Run(name, func(t *testing.T) {
			said, problems, err := run(t, ".", []string{"CERTIFICATE=" + certificate}, "haproxy", "-c", "-f", haproxy)
			if err != nil {
				t.Fatalf("%v\n%s%s", err, said, problems)
			}
			for line := range strings.Lines(problems) {
				unresolved := strings.Contains(line, "could not resolve address 'gateway-")
				if strings.Contains(line, "WARNING") && !unresolved {
					t.Error(strings.TrimSpace(line))
				}
			}
		})
	}
}

func TestPlainHTTPLeadsToThePortOfHTTPS(t *testing.T) {
	if !installed(t, "haproxy") {
		return
	}
	gateway := startFakeGateway(t)
	for _, c := range []struct{ port, host, location, hsts string }{
		{"8443", "chat.example.com:8080", "https://chat.example.com:8443/a%20b?c=d", ""},
		{"443", "chat.example.com", "https://chat.example.com:443/a%20b?c=d", "max-age=31536000"},
		{"8443", "[::1]:8080", "https://[::1]:8443/a%20b?c=d", ""},
		{"443", "[::1]", "https://[::1]:443/a%20b?c=d", "max-age=31536000"},
	} {
		t.Run(c.port+" "+c.host, func(t *testing.T) {
			plain, secure := startHAProxy(t, gateway, "CERTIFICATE="+selfSigned(t), "HTTPS_PORT="+c.port)
			response := ask(t, "http://"+plain+"/a%20b?c=d", c.host)
			if location := response.Header.Get("Location"); response.StatusCode != http.StatusPermanentRedirect || location != c.location {
				t.Errorf("%d to %q, not to %s", response.StatusCode, location, c.location)
			}
			response = ask(t, "https://"+secure+"/", c.host)
			if hsts := response.Header.Get("Strict-Transport-Security"); response.StatusCode != http.StatusOK || hsts != c.hsts {
				t.Errorf("HTTPS answers %d, and HSTS is %q", response.StatusCode, hsts)
			}
		})
	}
}

func TestAFullGatewayIsNotTakenForDeadAndOneThatIsNotReadyGetsNobody(t *testing.T) {
	if !installed(t, "haproxy") {
		return
	}
	gateway := startFakeGateway(t)
	address, _ := startHAProxy(t, gateway, "CERTIFICATE=", "HTTPS_PORT=8443")
	url := "http://" + address + "/socket.io/?EIO=4&transport="
	for range 20 { // more than enough for either backend to give a gateway up
		select {
		case path := <-gateway.checks:
			if path != "/readyz" {
				t.Fatalf("it is asked for %s", path)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("nobody asks at gateway.operations")
		}
	}
	for _, transport := range []string{"websocket", "polling"} {
		if status := ask(t, url+transport, "chat.example.com").StatusCode; status != http.StatusOK {
			t.Errorf("%s: a full gateway is passed over: %d", transport, status)
		}
	}
	gateway.notReady.Store(true)
	for _, transport := range []string{"websocket", "polling"} {
		for ask(t, url+transport, "chat.example.com").StatusCode != http.StatusServiceUnavailable {
		}
	}
}

func TestHAProxyWaitsLongerThanClientsAreSilent(t *testing.T) {
	gateway := config.Default().Gateway
	text := read(t, haproxy)
	for option, least := range map[string]time.Duration{
		"timeout tunnel": gateway.PingInterval + gateway.PingTimeout, // between two pings of a WebSocket, or until it is found dead
		"timeout server": gateway.PingInterval,                       // the longest poll
		"timeout client": gateway.PingInterval,
	} {
		match := regexp.MustCompile(`(?m)^\s*` + option + ` (\S+)$`).FindStringSubmatch(text)
		if match == nil {
			t.Errorf("%s is missing", option)
			continue
		}
		if value, err := time.ParseDuration(match[1]); err != nil || value <= least {
			t.Errorf("%s is %s, and a client may be silent for %s", option, match[1], least)
		}
	}
}

func TestHAProxyKnowsTheGatewaysOfTheComposeFile(t *testing.T) {
	text := read(t, haproxy)
	for name := range loaded(t).Services {
		if strings.HasPrefix(name, "gateway-") && strings.Count(text, "server "+name+" "+name+":3000") != 2 {
			t.Errorf("%s is not in both backends", name)
		}
	}
}

// selfSigned is a file with a certificate and its key.
func selfSigned(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "site.pem")
	both := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
	if err := os.WriteFile(path, both, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
