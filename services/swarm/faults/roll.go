package faults

import (
	"context"
	"fmt"

	"github.com/tidemark-chat/tidemark/services/swarm/deployment"
)

// Names of what is rolled: all processes of a role.
const (
	allGateways   = "gateways"
	allPersisters = "persisters"
	allServers    = "nats-servers"
)

var rolled = map[string]deployment.Role{allGateways: deployment.Gateway, allPersisters: deployment.Persister, allServers: deployment.Server}

// roll restarts the processes of a role one after another, as a deployment of a new version does: each is stopped in order
// and started, and the next one waits until it is ready. Of servers all have to be, with every stream's replicas in sync.
func roll(ctx context.Context, d *deployment.Deployment, group string) error {
	for _, p := range d.Processes() {
		if p.Role != rolled[group] || ctx.Err() != nil {
			continue
		}
		p.Stop()
		if err := p.Start(); err != nil {
			return err
		}
		if err := rollsOn(ctx, d, p); err != nil && ctx.Err() == nil {
			return fmt.Errorf("the roll ends at %s: %w", p.Name, err)
		}
	}
	return nil
}

// rollsOn waits until the next process may be stopped.
func rollsOn(ctx context.Context, d *deployment.Deployment, p *deployment.Process) error {
	ctx, cancel := context.WithTimeout(ctx, healTimeout)
	defer cancel()
	if p.Role == deployment.Server {
		return d.ServersInSync(ctx)
	}
	return p.WaitReady(ctx)
}
