package standalone_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/services/standalone"
	"github.com/tidemark-chat/tidemark/streams/embedded"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/loopback"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

// TestWhatAStandaloneStoresIsSignedByTheKeyOfItsFirstStart stops it in an orderly
// way, so that all is signed, and kills it, after which the rest is signed.
func TestWhatAStandaloneStoresIsSignedByTheKeyOfItsFirstStart(t *testing.T) {
	t.Parallel()
	p := newStandalone(t, "TIDEMARK_NOTARY_EVERY=3")
	ctx, cancel := context.WithTimeout(context.Background(), 2*gatewaytest.Timeout)
	defer cancel()
	var key, public []byte
	offset := uint64(0)
	for start := range 3 {
		p.start()
		c := gatewaytest.Connect(t, p.address, nil)
		for range 10 {
			offset++
			ack, err := c.Send(ctx, "chat message", "hi", fmt.Sprint(c.SocketID, "-", offset))
			if err != nil || !ack.OK || ack.Offset != offset {
				t.Fatalf("ack %+v, %v", ack, err)
			}
		}
		if start == 1 {
			p.kill()
		} else {
			waitProjected(t, p.persister, offset)
			p.stop()
		}
		secret, err1 := os.ReadFile(filepath.Join(p.dir, "notary.key"))
		pub, err2 := os.ReadFile(filepath.Join(p.dir, "notary.pub"))
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		if start > 0 && (!bytes.Equal(secret, key) || !bytes.Equal(pub, public)) {
			t.Errorf("start %d made another key", start+1)
		}
		key, public = secret, pub
	}
	verifySigned(t, p.dir, string(public), offset)
}

// verifySigned checks, with the public key alone, that the newest checkpoint in
// the files of a log covers all of it.
func verifySigned(t *testing.T, dir, public string, offset uint64) {
	t.Helper()
	server, err := embedded.Start(embedded.Config{Dir: filepath.Join(dir, "nats")})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	nc, js, err := eventlog.Connect("", "test", slog.New(slog.DiscardHandler), server.InProcess())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	verifier, err := notary.ReadVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	last, err := notary.OpenAudit(js).Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, err := notary.Verify([]byte(last.Signed), verifier)
	if err != nil || c.Size != offset {
		t.Fatalf("signed through %d of %d, %v", c.Size, offset, err)
	}
	var hashes []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) (found []tlog.Hash, _ error) {
		for _, i := range indexes {
			found = append(found, hashes[i])
		}
		return found, nil
	})
	for n := range int64(offset) {
		e, err := eventlog.Open(js).Get(t.Context(), uint64(n)+1)
		if err != nil {
			t.Fatal(err)
		}
		added, err := tlog.StoredHashesForRecordHash(n, notary.Leaf(&e), reader)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, added...)
	}
	if root, err := tlog.TreeHash(int64(offset), reader); err != nil || root != c.Root {
		t.Errorf("the root is %v, %v; signed is %v", root, err, c.Root)
	}
}

// once runs a standalone in this process until it is ready, and returns what it
// said.
func once(t *testing.T, cfg config.Config) string {
	t.Helper()
	said := &transcript{}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := standalone.Run(ctx, cfg, slog.New(slog.NewTextHandler(said, nil))); err != nil {
			t.Error(err)
		}
	})
	gatewaytest.WaitReady(t, cfg.Gateway.Listen, true)
	eventually(t, "the persister is ready", func() bool {
		status, _ := gatewaytest.Get(cfg.Persister.Listen, "/readyz")
		return status == 200
	})
	cancel()
	running.Wait()
	return said.text.String()
}

func settings(t *testing.T) config.Config {
	cfg := config.Default()
	cfg.DataDir, cfg.NATS.Listen = t.TempDir(), ""
	cfg.Gateway.Listen, cfg.Persister.Listen = loopback.Address(), loopback.Address()
	return cfg
}

func TestTheKeyIsAnnouncedWhenItIsMadeAndNeverAgain(t *testing.T) {
	t.Parallel()
	cfg := settings(t)
	public := filepath.Join(cfg.DataDir, "notary.pub")
	for start, want := range []int{1, 0} {
		if said := once(t, cfg); strings.Count(said, "made the notary's key") != want || strings.Count(said, public) != want || strings.Contains(said, "PRIVATE") {
			t.Errorf("start %d: %s", start+1, said)
		}
	}
}

func TestWithADamagedKeyChatGoesOn(t *testing.T) {
	t.Parallel()
	cfg := settings(t)
	path := filepath.Join(cfg.DataDir, "notary.key")
	if err := os.WriteFile(path, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := once(t, cfg); !strings.Contains(said, "level=ERROR") || !strings.Contains(said, path) {
		t.Error(said)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "hello" {
		t.Errorf("the file was changed: %q, %v", text, err)
	}
}

func TestAKeyThatWasNamedMustBeThere(t *testing.T) {
	t.Parallel()
	cfg := settings(t)
	cfg.Notary.Key = filepath.Join(cfg.DataDir, "elsewhere.key")
	err := standalone.Run(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if !errors.As(err, new(*config.Error)) || !strings.Contains(err.Error(), "notary.key") {
		t.Errorf("got %v", err)
	}
}
