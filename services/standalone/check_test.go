package standalone

import (
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/config"
)

func TestCheckFindsADirectoryInUseAndAddressesTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cfg := config.Default()
	cfg.DataDir = filepath.Join(t.TempDir(), "data")
	cfg.NATS.Listen, cfg.Gateway.Listen, cfg.Persister.Listen = "", "127.0.0.1:0", "127.0.0.1:0"
	failed := func() (names []string) {
		t.Helper()
		checks, err := Checks(cfg)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range checks {
			if _, err := c.Run(t.Context()); err != nil {
				names = append(names, c.Name)
			}
		}
		return names
	}
	if got := failed(); got != nil {
		t.Errorf("nothing is there yet: %v", got)
	}
	unlock, err := lock(cfg.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	cfg.NATS.Listen, cfg.Gateway.Operations = taken.Addr().String(), taken.Addr().String()
	if got := strings.Join(failed(), ", "); got != "lock of dataDir, nats.listen, gateway.operations" {
		t.Errorf("of a running standalone: %s", got)
	}
	unlock()
	cfg.NATS.Listen, cfg.Gateway.Operations = "", ""
	if got := failed(); got != nil {
		t.Errorf("after its end: %v", got)
	}
}
