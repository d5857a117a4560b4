package faults

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/deployment"
)

const (
	// activeWithin is how long a failover waits until there is a persister to be killed.
	activeWithin = 10 * time.Second
	// failoverWithin is how long it waits for the other one. It is longer than any that is still good, so that a figure can
	// be told of one that is not.
	failoverWithin = 45 * time.Second
	lookEvery      = 20 * time.Millisecond
)

// failover kills the persister that projects and returns how long it took until the other one had projected something that
// it read from the log itself. The killed one is down meanwhile.
func failover(ctx context.Context, d *deployment.Deployment) (time.Duration, error) {
	looking, cancel := context.WithTimeout(ctx, activeWithin)
	defer cancel()
	victim, other, before, err := projecting(looking, d)
	if err != nil {
		return 0, err
	}
	victim.Kill()
	killed := time.Now()
	waiting, cancel := context.WithTimeout(ctx, failoverWithin)
	defer cancel()
	first := uint64(0) // that the other one tells as the active one: it may have been the victim's
	var last deployment.Projection
	for sleep(waiting, lookEvery) {
		now, err := other.Projection(waiting)
		if err != nil || now.Role != deployment.Active || now.Checkpoint < before {
			continue
		}
		if last = now; first == 0 {
			first = now.Checkpoint
		} else if now.Checkpoint > first {
			return time.Since(killed), nil
		}
	}
	switch {
	case ctx.Err() != nil:
		return 0, nil
	case last.Role == deployment.Active && last.Lag == 0:
		return 0, fmt.Errorf("how long %s took to go on cannot be told, because nothing was stored after %s was killed", other.Name, victim.Name)
	}
	return time.Since(killed), nil
}

// projecting is the persister that projects, another one, and how far the read model is.
func projecting(ctx context.Context, d *deployment.Deployment) (active, other *deployment.Process, checkpoint uint64, err error) {
	for ok := true; ok; ok = sleep(ctx, lookEvery) {
		active, other = nil, nil
		for _, p := range d.Processes() {
			if p.Role != deployment.Persister {
				continue
			}
			if now, err := p.Projection(ctx); err == nil && now.Role == deployment.Active {
				active, checkpoint = p, now.Checkpoint
			} else if err == nil {
				other = p
			}
		}
		if active != nil && other != nil {
			return active, other, checkpoint, nil
		}
	}
	return nil, nil, 0, errors.New("there are not two persisters of which one projects")
}
