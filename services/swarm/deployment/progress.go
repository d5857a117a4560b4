package deployment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Active is the Role of the persister that projects.
const Active = "active"

// Projection is how far a persister says that it is.
type Projection struct {
	Role       string `json:"role"` // Active, "standby", ...
	Checkpoint uint64 `json:"checkpoint"`
	Lag        uint64 `json:"lag"` // events of the log that it has seen and not projected
}

// Projection asks a persister how far it is. One that is not ready answers, too.
func (p *Process) Projection(ctx context.Context) (Projection, error) {
	var now Projection
	response, err := ask(ctx, p.health)
	if err == nil {
		err = json.Unmarshal([]byte(response.text), &now)
	}
	if err != nil {
		return Projection{}, fmt.Errorf("how far %s is: %w", p.Name, err)
	}
	return now, nil
}

// ServersInSync waits until all nats-servers are ready and every replica of every stream and consumer has what its leader
// has. The error says what lacks when ctx ends.
func (d *Deployment) ServersInSync(ctx context.Context) error {
	if err := d.ServersReady(ctx); err != nil {
		return err
	}
	var why error
	for ok := true; ok; ok = wait(ctx, askEvery) {
		if why = d.outOfSync(ctx); why == nil {
			return nil
		}
	}
	return fmt.Errorf("the nats-servers are not in sync: %w", why)
}

// replicas is the part of a nats-server's /jsz that tells of replicas. Only a leader knows of the others.
type replicas struct {
	Accounts []struct {
		Streams []struct {
			Name      string   `json:"name"`
			Cluster   *cluster `json:"cluster"`
			Consumers []struct {
				Name    string   `json:"name"`
				Cluster *cluster `json:"cluster"`
			} `json:"consumer_detail"`
		} `json:"stream_detail"`
	} `json:"account_details"`
}

type cluster struct {
	Leader   string `json:"leader"`
	Replicas []struct {
		Name    string `json:"name"`
		Current bool   `json:"current"`
		Offline bool   `json:"offline"`
	} `json:"replicas"`
}

// outOfSync says what is not in sync, or nil.
func (d *Deployment) outOfSync(ctx context.Context) error {
	if !d.Cluster() {
		return nil
	}
	streams, led := make(map[string]bool), make(map[string]bool)
	for _, p := range d.processes[:d.servers()] {
		seen, err := p.replicas(ctx)
		if err != nil {
			return err
		}
		for _, account := range seen.Accounts {
			for _, s := range account.Streams {
				streams[s.Name] = true
				if err := s.Cluster.behind(p.Name); err != nil {
					return fmt.Errorf("stream %s: %w", s.Name, err)
				}
				led[s.Name] = led[s.Name] || s.Cluster != nil && s.Cluster.Leader == p.Name
				for _, c := range s.Consumers {
					if err := c.Cluster.behind(p.Name); err != nil {
						return fmt.Errorf("consumer %s of stream %s: %w", c.Name, s.Name, err)
					}
				}
			}
		}
	}
	for name := range streams {
		if !led[name] {
			return fmt.Errorf("stream %s has no leader", name)
		}
	}
	return nil
}

// behind says which replica is behind, if the server that was asked leads.
func (c *cluster) behind(asked string) error {
	if c == nil || c.Leader != asked {
		return nil
	}
	for _, r := range c.Replicas {
		if r.Offline || !r.Current {
			return fmt.Errorf("its replica on %s is behind", r.Name)
		}
	}
	return nil
}

// replicas asks a server about what it stores.
func (p *Process) replicas(ctx context.Context) (seen replicas, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.address+"/jsz?accounts=true&streams=true&consumers=true", nil)
	if err != nil {
		return seen, err
	}
	response, err := asking.Do(request)
	if err != nil {
		return seen, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return seen, errors.New(p.Name + ": " + response.Status)
	}
	return seen, json.NewDecoder(io.LimitReader(response.Body, maxReplicas)).Decode(&seen)
}

// maxReplicas bounds the answer about replicas, in bytes.
const maxReplicas = 16 << 20
