// Package standalone is all of Tidemark in one process: the log (an embedded
// nats-server that fsyncs every append), the gateway and the persister. The
// same services, composed, that are otherwise deployed apart.
package standalone

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/gofrs/flock"
	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/gateway"
	"github.com/tidemark-chat/tidemark/services/persister"
	"github.com/tidemark-chat/tidemark/streams/embedded"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

// notaryName is the origin of the checkpoints that a standalone signs.
const notaryName = "tidemark"

// Run runs everything until ctx ends, then stops it in order: gateway, then
// persister, then log, so that nothing loses what it stands on. If the gateway
// fails, all stop. If the persister does, chat goes on without the read model,
// as it does where they are deployed apart, and the error is returned at the end.
func Run(ctx context.Context, cfg config.Config, log *slog.Logger) (err error) {
	if cfg.NATS.URL != "" {
		return cfg.Invalid("nats.url", "standalone has a log of its own; to use another, run gateway and persister")
	}
	// Its log is its own: there are no users, no TLS, and nobody else to provision it.
	cfg.NATS = config.NATS{Listen: cfg.NATS.Listen, Replicas: cfg.NATS.Replicas, Provision: true}
	unlock, err := lock(cfg.DataDir)
	if err != nil {
		return err
	}
	defer unlock()
	server, err := embedded.Start(embedded.Config{Dir: filepath.Join(cfg.DataDir, "nats"), Listen: cfg.NATS.Listen, Log: log.With("service", "nats-server")})
	if err != nil {
		return err
	}
	defer server.Stop()
	if url := server.URL(); url != "" {
		log.Info("log listens", "url", url)
	}
	inProcess := server.InProcess()

	g, err := gateway.New(cfg, log.With("service", "gateway"), inProcess)
	if err != nil {
		return err
	}
	options, err := persister.Configure(withNotary(cfg, log))
	if err != nil {
		return err
	}
	options.NATSOptions = []nats.Option{inProcess}
	p, err := persister.New(options, log.With("service", "persister"))
	if err != nil {
		return err
	}
	return runBoth(ctx, g.Run, func(ctx context.Context) error {
		err := p.Run(ctx)
		if err != nil {
			log.Error("the persister has stopped; chat goes on without the read model", "error", err)
		}
		return err
	})
}

// withNotary gives the settings the notary's key in the data directory, unless
// they name another, and makes it at the first start. Without one chat goes on
// all the same.
func withNotary(cfg config.Config, log *slog.Logger) config.Config {
	if cfg.Notary.Key != "" {
		return cfg
	}
	path := filepath.Join(cfg.DataDir, "notary.key")
	_, err := os.Stat(path)
	first := errors.Is(err, os.ErrNotExist)
	key, err := notary.EnsureKey(path, notaryName)
	if err != nil {
		log.Error("the notary has no key, so nothing is signed", "error", err)
		return cfg
	}
	if first {
		log.Info("made the notary's key: keep a copy of the public one where checkpoints are to be verified",
			"public", notary.PublicPath(path), "publicKey", key.Public, "secret", path)
	}
	cfg.Notary.Key = path
	return cfg
}

// runBoth runs two services until ctx ends, or the first of them. The second is
// stopped when the first has stopped.
func runBoth(ctx context.Context, first, second func(context.Context) error) error {
	secondCtx, stopSecond := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSecond()
	var secondErr error
	var running sync.WaitGroup
	running.Go(func() { secondErr = second(secondCtx) })
	firstErr := first(ctx)
	stopSecond()
	running.Wait()
	return errors.Join(firstErr, secondErr)
}

// lock makes sure that no other standalone uses the data directory: two servers
// on one store would destroy it.
func lock(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("dataDir: %w", err)
	}
	f := flock.New(filepath.Join(dir, "lock"))
	locked, err := f.TryLock()
	if err != nil {
		return nil, fmt.Errorf("dataDir: lock %s: %w", f.Path(), err)
	}
	if !locked {
		return nil, fmt.Errorf("dataDir: %s is in use by another standalone", dir)
	}
	return func() { _ = f.Unlock() }, nil
}
