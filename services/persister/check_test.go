package persister_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/persister"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/readmodel/sqlite"
)

// look runs a persister's checks and returns what was found, errors included, by their names.
func look(t *testing.T, cfg config.Config) map[string]string {
	t.Helper()
	checks, err := persister.Checks(cfg)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	for _, c := range checks {
		found, err := c.Run(t.Context())
		if all[c.Name] = found; err != nil {
			all[c.Name] = "error: " + err.Error()
		}
	}
	return all
}

func TestCheckFindsWhatAPersisterNeedsAndMakesNothing(t *testing.T) {
	cfg := config.Default()
	cfg.DataDir = filepath.Join(t.TempDir(), "data")
	cfg.NATS.URL = config.URL(logtest.Start(t).URL())
	cfg.Persister.Listen = "127.0.0.1:0"
	expect := func(want map[string]string) {
		t.Helper()
		got := look(t, cfg)
		for name, part := range want {
			if !strings.Contains(got[name], part) || strings.HasPrefix(got[name], "error") != strings.HasPrefix(part, "error") {
				t.Errorf("%s: %q, want %q", name, got[name], part)
			}
		}
		if len(got) != len(want) {
			t.Errorf("got %v", got)
		}
	}
	expect(map[string]string{
		"persister.listen": "free", "database directory": "can be made", "database.url": "does not exist yet",
		"nats.url": "nats-server", "stream CHAT": "made by the service", "consumer persister": "made by the service",
		"database of this log": "holds nothing yet",
	})
	if _, err := os.Stat(cfg.DataDir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the data directory: %v", err)
	}

	if err := os.Mkdir(cfg.DataDir, 0o700); err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(t.Context(), cfg.DatabaseSource())
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	cfg.NATS.Provision = false
	cfg.Persister.Listen = "127.0.0.1:99999"
	expect(map[string]string{
		"persister.listen": "error", "database directory": "can be written", "database.url": "up to offset 0",
		"nats.url": "nats-server", "stream CHAT": "error: provision stream CHAT: it has not been made yet; run: streams provision", "consumer persister": "error",
		"database of this log": "holds nothing yet",
	})
	if err := os.WriteFile(cfg.DatabaseSource(), []byte("not a database, and longer than a header"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := look(t, cfg)["database.url"]; !strings.HasPrefix(got, "error: open database") {
		t.Errorf("what is no database: %q", got)
	}
}

func TestCheckRefusesANotaryWithoutAKey(t *testing.T) {
	cfg := config.Default()
	cfg.NATS.URL, cfg.Notary.Key = "nats://127.0.0.1:1", filepath.Join(t.TempDir(), "none")
	if _, err := persister.Checks(cfg); !errors.As(err, new(*config.Error)) || !strings.Contains(err.Error(), "notary.key") {
		t.Errorf("got %v", err)
	}
}

func TestOperatorsAreServedProfiles(t *testing.T) {
	p, err := persister.New(persister.Options{Database: filepath.Join(t.TempDir(), "a"), BatchSize: 1, PinTTL: time.Second}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline"} {
		w := httptest.NewRecorder()
		p.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}
