package deployment

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"sync"

	"github.com/tidemark-chat/tidemark/streams/readmodel/postgres/pgserver"
)

// postgresName is what PostgreSQL is called as a process, and the database in it that every server begins with.
const postgresName = "postgres"

// Postgres is the PostgreSQL server that holds the read model. Its methods may be called from any goroutine; who kills it
// and who starts it agree among themselves. It ends with the swarm, whatever ends that.
type Postgres struct {
	Name string // "postgres"

	address string
	server  *pgserver.Server

	mu   sync.Mutex
	away bool
}

// startPostgres starts it with an empty database, or that of an earlier deployment.
func (d *Deployment) startPostgres(ctx context.Context) (err error) {
	d.postgres.server, err = pgserver.Start(ctx, pgserver.Options{
		Dir: filepath.Join(d.options.Dir, postgresName), Durable: d.options.Standing, Listen: d.postgres.address,
	})
	return err
}

// Address is where it listens: host:port.
func (p *Postgres) Address() string { return p.address }

// Kill ends it as a crash would.
func (p *Postgres) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away = true
	p.server.Kill()
}

// Restart stops it in order, if it runs, and starts it; it answers then.
func (p *Postgres) Restart(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.server.Restart(ctx); err != nil {
		return err
	}
	p.away = false
	return nil
}

// Start starts it if it was killed.
func (p *Postgres) Start(ctx context.Context) error {
	p.mu.Lock()
	away := p.away
	p.mu.Unlock()
	if !away {
		return nil
	}
	return p.Restart(ctx)
}

// url is where the persisters find it, by way of an address.
func (p *Postgres) url(address string) (string, error) {
	u, err := url.Parse(p.server.URL(postgresName))
	if err != nil {
		return "", fmt.Errorf("the address of PostgreSQL: %w", err)
	}
	u.Host = address
	return u.String(), nil
}
