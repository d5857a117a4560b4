package standalone

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/config/command"
	"github.com/tidemark-chat/tidemark/services/gateway"
	"github.com/tidemark-chat/tidemark/services/persister"
)

// Checks are what a standalone needs. Its log is its own, and is not looked at.
func Checks(cfg config.Config) ([]command.Check, error) {
	if cfg.NATS.URL != "" {
		return nil, cfg.Invalid("nats.url", "standalone has a log of its own; to use another, run gateway and persister")
	}
	all := []command.Check{
		command.Writable("dataDir", cfg.DataDir),
		{Name: "lock of dataDir", Needs: "dataDir", Run: func(context.Context) (string, error) { return checkLock(cfg.DataDir) }},
	}
	if cfg.NATS.Listen != "" {
		all = append(all, command.Free("nats.listen", cfg.NATS.Listen))
	}
	all = append(all, gateway.LocalChecks(cfg)...)
	persisters, err := persister.LocalChecks(cfg)
	return append(all, persisters...), err
}

// checkLock takes the directory's lock for an instant, where there is one.
func checkLock(dir string) (string, error) {
	if _, err := os.Stat(filepath.Join(dir, "lock")); errors.Is(err, fs.ErrNotExist) {
		return "nobody has used it yet", nil
	}
	unlock, err := lock(dir)
	if err != nil {
		return "", err
	}
	unlock()
	return "no standalone is running on it", nil
}
