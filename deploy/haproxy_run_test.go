package deploy

import (
	"bytes"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// fakeGateway is what HAProxy sees of a gateway.
type fakeGateway struct {
	clients, operations *httptest.Server
	notReady            atomic.Bool
	checks              chan string // the path of each health check, as long as somebody takes them
}

func startFakeGateway(t *testing.T) *fakeGateway {
	t.Helper()
	g := &fakeGateway{checks: make(chan string)}
	g.clients = httptest.NewServer(http.HandlerFunc(g.serveClient))
	t.Cleanup(g.clients.Close)
	g.operations = httptest.NewServer(http.HandlerFunc(g.serveCheck))
	t.Cleanup(g.operations.Close)
	return g
}

// serveClient answers all but health checks, as a gateway without room for one more.
func (g *fakeGateway) serveClient(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/readyz" {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

func (g *fakeGateway) serveCheck(w http.ResponseWriter, r *http.Request) {
	if g.notReady.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	select {
	case g.checks <- r.URL.Path:
	default:
	}
}

func portOf(server *httptest.Server) string {
	return strconv.Itoa(server.Listener.Addr().(*net.TCPAddr).Port)
}

// startHAProxy runs haproxy.cfg before that gateway, with sockets of its own in place of its ports, until the test ends.
func startHAProxy(t *testing.T, gateway *fakeGateway, env ...string) (plain, secure string) {
	t.Helper()
	text := read(t, haproxy)
	for here, there := range map[string]string{
		"bind :8080": "bind fd@3", "bind :8443": "bind fd@4", "maxconn 40000": "maxconn 100", "inter 2s": "inter 20ms",
		" port 3002":     " port " + portOf(gateway.operations),
		"gateway-1:3000": "127.0.0.1:" + portOf(gateway.clients), "gateway-2:3000": "127.0.0.1:" + portOf(gateway.clients),
	} {
		if !strings.Contains(text, here) {
			t.Fatalf("there is no %q in %s", here, haproxy)
		}
		text = strings.ReplaceAll(text, here, there)
	}
	path := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "haproxy", "-db", "-f", path)
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), env...), &said, &said
	var addresses [2]string
	for i := range addresses {
		addresses[i] = inherit(t, cmd)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, socket := range cmd.ExtraFiles {
		_ = socket.Close() // it is haproxy's now: where that ends, nobody waits for an answer
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("haproxy says:\n%s", &said)
		}
	})
	return addresses[0], addresses[1]
}

// inherit opens a socket for cmd and returns its address.
func inherit(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	cmd.ExtraFiles = append(cmd.ExtraFiles, file)
	return listener.Addr().String()
}

// ask sends one request under that name, and follows nothing.
func ask(t *testing.T, url, host string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = host
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       10 * time.Second,
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response
}
