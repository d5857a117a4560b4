package command

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tidemark-chat/tidemark/config"
)

// reloader reads the settings again whenever the process is sent SIGHUP, as long as its service runs. What cannot be
// read, or is not allowed, changes nothing. The log's level is taken up at once, and the rest is offered to the service:
// what that refuses counts as changed also the next time.
type reloader struct {
	flags    *pflag.FlagSet
	sections []string
	log      *slog.Logger
	level    *slog.LevelVar
	reloads  chan config.Config // holds one: the latest that the service has not taken yet

	mu      sync.Mutex    // the service's goroutine says what it has taken up
	running config.Config // the settings in force
}

func newReloader(flags *pflag.FlagSet, sections []string, cfg config.Config, log *slog.Logger, level *slog.LevelVar) *reloader {
	return &reloader{flags: flags, sections: sections, log: log, level: level, running: cfg, reloads: make(chan config.Config, 1)}
}

// serve runs the service, and a reloader beside it.
func (s Service) serve(cmd *cobra.Command) error {
	hangups, stop := notifyHangup()
	defer stop()
	cfg, err := config.Load(cmd.Flags())
	if err != nil {
		return err
	}
	level := new(slog.LevelVar)
	level.Set(cfg.Log.Level)
	log := config.NewLoggerFrom(cfg.Log, cmd.ErrOrStderr(), level)
	r := newReloader(cmd.Flags(), s.Sections, cfg, log, level)
	ctx, cancel := context.WithCancel(cmd.Context())
	var reloading sync.WaitGroup
	defer reloading.Wait()
	defer cancel()
	reloading.Go(func() { r.run(ctx, hangups) })
	return s.Run(cmd.Context(), cfg.WithReloads(r.reloads), log)
}

// run reloads for each hang-up until ctx ends.
func (r *reloader) run(ctx context.Context, hangups <-chan os.Signal) {
	for {
		select {
		case <-hangups:
			r.reload()
		case <-ctx.Done():
			return
		}
	}
}

func (r *reloader) reload() {
	next, err := config.Load(r.flags)
	if err != nil {
		r.log.Error("the settings were not read again, and stay as they are", "error", err)
		return
	}
	r.mu.Lock()
	adopted, changed, waiting := r.running.Adopt(next)
	r.running.Log = adopted.Log // which is not the service's to refuse
	r.mu.Unlock()
	r.level.Set(adopted.Log.Level)
	r.log.Info("the settings were read again", "changed", r.ours(changed))
	if waiting := r.ours(waiting); waiting != "" {
		r.log.Warn("settings that have changed need a restart, and stay as they are until then", "settings", waiting)
	}
	r.offer(adopted.OnTakenUp(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		adopted.Log = r.running.Log // of a later reading, if there was one
		r.running = adopted
	}))
}

// offer puts the settings where the service takes them. Only the reloader's goroutine calls it, so there is room.
func (r *reloader) offer(cfg config.Config) {
	select {
	case <-r.reloads: // not taken yet, and out of date now
	default:
	}
	r.reloads <- cfg
}

// ours are those of the keys that are of the service's sections.
func (r *reloader) ours(keys []string) string {
	rows := config.Default().Settings(r.sections...)
	keys = slices.DeleteFunc(keys, func(key string) bool {
		return !slices.ContainsFunc(rows, func(row config.Setting) bool { return row.Key == key })
	})
	return strings.Join(keys, ", ")
}
