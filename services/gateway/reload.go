package gateway

import (
	"context"

	"github.com/tidemark-chat/tidemark/config"
)

// takeUp takes up settings that have been read again, until ctx ends.
func (g *Gateway) takeUp(ctx context.Context) {
	for {
		select {
		case cfg := <-g.cfg.Reloads():
			if err := g.reload(cfg); err != nil {
				g.log.Error("the settings were not taken up, and stay as they are", "error", err)
				continue
			}
			cfg.TakenUp()
			g.log.Info("the settings were taken up")
		case <-ctx.Done():
			return
		}
	}
}

// reload takes up what may change while the gateway runs: all of it, or nothing.
// What it limits holds for connections, and users, that come from now on.
func (g *Gateway) reload(cfg config.Config) error {
	take, err := g.doors.prepare(cfg.Gateway)
	if err != nil {
		return err
	}
	if err := g.reloadAuth(cfg.Auth); err != nil {
		return err
	}
	take()
	g.live.Store(&cfg.Gateway)
	return nil
}
