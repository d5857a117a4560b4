package gateway_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

func proxies(networks ...string) (list []netip.Prefix) {
	for _, n := range networks {
		list = append(list, netip.MustParsePrefix(n))
	}
	return list
}

func TestLimitsAndOriginsChangeWhileTheGatewayRuns(t *testing.T) {
	t.Parallel()
	cfg := gatewaytest.Config(logtest.Start(t).URL())
	reloads := make(chan config.Config)
	cfg.Gateway.UserRateLimit = 0
	g := gatewaytest.Start(t, cfg.WithReloads(reloads))
	alice := gatewaytest.Join(t, g.Address, auth{"username": "alice"})
	page := http.Header{"Origin": {"https://a.example"}}
	if status, _, _ := handshake(t, g.Address, page); status != http.StatusForbidden {
		t.Errorf("before: %d", status)
	}

	if _, body := gatewaytest.Get(g.Address, "/metrics"); !strings.Contains(body, `connections_refused_total{reason="origin"} 1`) {
		t.Error("its refusal is not counted")
	}

	cfg.Gateway.CORSOrigins = []string{"https://a.example"}
	cfg.Gateway.MaxConnections, cfg.Gateway.UserLimit = 3, 1
	cfg.Gateway.RateLimit = 1
	reloads <- cfg
	eventually(t, "the page may connect", func() bool { status, _, _ := handshake(t, g.Address, page); return status == http.StatusOK })
	bob := gatewaytest.Join(t, g.Address, auth{"username": "bob"})
	if status, _, _ := handshake(t, g.Address, nil); status != http.StatusServiceUnavailable {
		t.Errorf("one more than there may be: %d", status)
	}
	refused := func(p *gatewaytest.Peer) (n int) {
		for range 5 {
			if ack := privately(t, p, bob.UserID, "x"); !ack.OK {
				n++
			}
		}
		return n
	}
	if refused(alice) != 0 || refused(bob) == 0 {
		t.Error("the rate is not that of when a connection was made")
	}

	cfg.Gateway.MaxConnections, cfg.Gateway.CORSOrigins = 0, nil
	reloads <- cfg
	eventually(t, "there is room again", func() bool { status, _, _ := handshake(t, g.Address, nil); return status == http.StatusOK })
	if status, _, _ := handshake(t, g.Address, page); status != http.StatusForbidden {
		t.Errorf("after: %d", status)
	}
}

func TestACertificateIsReplacedWhileTheGatewayRuns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old := newKeyPair(t, dir, 1)
	reloads := make(chan config.Config)
	var cfg config.Config
	g, _ := startSecure(t, old, func(c *config.Config) { *c = c.WithReloads(reloads); cfg = *c })
	cfg.Gateway.Cert, cfg.Gateway.Key = old.cert, old.key
	at := g.Address()
	conn, err := old.dial(at, "")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	alive(t, conn, true)

	broken := cfg
	broken.Gateway.Key = old.cert
	broken.Gateway.CORSOrigins = []string{"*"}
	reloads <- broken.OnTakenUp(func() { t.Error("settings that were refused count as taken up") })
	plain := cfg
	plain.Gateway.Cert, plain.Gateway.Key = "", ""
	reloads <- plain // has been taken when the one before is through
	if _, err := old.dial(at, "https://a.example"); err == nil {
		t.Error("of settings that are not allowed a part was taken up")
	}
	if conn, err := old.dial(at, ""); err != nil {
		t.Errorf("the certificate is gone: %v", err)
	} else {
		conn.Close()
	}

	fresh := newKeyPair(t, dir, 2) // the same files
	takenUp := make(chan struct{})
	reloads <- cfg.OnTakenUp(func() { close(takenUp) })
	<-takenUp
	eventually(t, "the new certificate is shown", func() bool {
		conn, err := fresh.dial(at, "")
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	alive(t, conn, false)
}
