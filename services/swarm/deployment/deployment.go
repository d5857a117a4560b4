package deployment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// startTimeout bounds the start of all: a machine that is busy needs a while for seven processes.
	startTimeout = 60 * time.Second
	askEvery     = 50 * time.Millisecond
	// clockTrial is what clocks are stepped by to see whether they can be; small, because the log is written already.
	clockTrial     = 6 * time.Second
	clockTrialTime = 2 * time.Second
)

// Options say what is deployed.
type Options struct {
	Bin        string   // directory of the binaries nats-server, gateway and persister
	Dir        string   // for stores and logs; its owner empties it
	Cluster    bool     // three nats-servers instead of one
	GatewayEnv []string // settings of the gateways: "TIDEMARK_GATEWAY_MAX_ROOMS=3"
	Gateway    string   // path of another gateway's binary; empty: that in Bin
	Postgres   bool     // the read model is in a PostgreSQL server instead of a file
	Republish  bool     // gateways follow what the log republishes, instead of a consumer of each
	// Secured gives each service a user of nats-server with the rights it needs and no others; streams provision, a binary
	// in Bin, has made what they need.
	Secured bool
	// Standing is for a deployment that is to be used and not hurt: it is found where people expect it, has no links and
	// no small disks, keeps what it stores in Dir, and finds there what it stored before.
	Standing bool
	Host     string // of one that is standing: a loopback address; empty: 127.0.0.1
	// Ended is called, where it is set, when a process has ended without having been told to, which is not started again then.
	Ended func(p *Process, err error)
	Log   *slog.Logger // nil for none
}

// Deployment is Tidemark as processes. Stop it.
type Deployment struct {
	options   Options
	log       *slog.Logger
	launcher  *launcher
	processes []*Process // in the order in which they start
	ways      []Way
	disks     []*Disk
	gateways  []string
	nats      []string  // addresses
	postgres  *Postgres // nil: there is none
	users     users     // of nats-server
	clocks    error     // why they cannot be stepped
	stop      sync.Once
}

// Start starts all and returns when all are ready.
func Start(ctx context.Context, options Options) (*Deployment, error) {
	d := &Deployment{options: options, log: options.Log}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	if options.Secured {
		d.users = newUsers()
	}
	for _, path := range []*string{&d.options.Bin, &d.options.Dir, &d.options.Gateway} {
		if *path == "" {
			continue
		}
		var err error
		if *path, err = filepath.Abs(*path); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(d.options.Dir, 0o700); err != nil {
		return nil, err
	}
	var err error
	if d.launcher, err = newLauncher(); err != nil {
		return nil, err
	}
	if err := d.start(ctx); err != nil {
		d.Stop()
		return nil, err
	}
	return d, nil
}

// start starts the servers first, only so that less is logged.
func (d *Deployment) start(ctx context.Context) error {
	if err := d.layOut(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for _, some := range [][]*Process{d.processes[:d.servers()], d.processes[d.servers():]} {
		for _, p := range some {
			if err := p.Start(); err != nil {
				return err
			}
		}
		if err := d.ready(ctx, some); err != nil {
			return fmt.Errorf("%w%s", err, d.lastWords())
		}
		if some[0].Role == Server && d.options.Secured {
			if err := d.provision(ctx); err != nil {
				return err
			}
		}
	}
	if !d.options.Standing {
		d.clocks = d.tryClocks(ctx)
	}
	return ctx.Err()
}

// Stop ends all processes in order, the servers last, and what they stored on small disks; logs stay, and the database.
func (d *Deployment) Stop() {
	d.stop.Do(func() {
		var services, servers sync.WaitGroup
		for _, p := range d.processes {
			if p.Role != Server {
				services.Go(p.close)
			}
		}
		services.Wait()
		for _, p := range d.processes {
			if p.Role == Server {
				servers.Go(p.close)
			}
		}
		servers.Wait()
		for _, w := range d.ways {
			w.Close()
		}
		err := d.keepDatabase()
		if d.postgres != nil && d.postgres.server != nil {
			err = errors.Join(err, d.postgres.server.Stop())
		}
		for _, disk := range d.disks {
			err = errors.Join(err, d.launcher.unmount(disk.dir))
		}
		d.launcher.end()
		if err != nil {
			d.log.Warn("the deployment's disks", "error", err)
		}
	})
}

// String says what is deployed, for a report.
func (d *Deployment) String() string {
	parts := []string{"1 nats-server", "2 gateways", "2 persisters", "SQLite"}
	if d.Cluster() {
		parts[0] = fmt.Sprintf("%d nats-servers", d.servers())
	}
	if d.options.Postgres {
		parts[3] = "PostgreSQL"
	}
	if d.options.Republish {
		parts = append(parts, "the RePublish feed")
	}
	if d.options.Secured {
		parts = append(parts, "least rights")
	}
	return strings.Join(parts, ", ")
}

// Gateways are the base URLs for clients, each through a link.
func (d *Deployment) Gateways() []string { return slices.Clone(d.gateways) }

// NATS is where to ask the log itself, not through links: URLs separated by commas.
func (d *Deployment) NATS() string { return d.urls(d.users.as(prover)) }

// System is like NATS, as a user of the system account.
func (d *Deployment) System() string { return d.urls(systemUser + ":" + systemPassword + "@") }

func (d *Deployment) urls(user string) string {
	urls := make([]string, len(d.nats))
	for i, address := range d.nats {
		urls[i] = "nats://" + user + address
	}
	return strings.Join(urls, ",")
}

// Processes are all, servers first.
func (d *Deployment) Processes() []*Process { return slices.Clone(d.processes) }

// Postgres is the PostgreSQL server of the read model, nil if that is in a file.
func (d *Deployment) Postgres() *Postgres { return d.postgres }

// Process is the process of a name, nil if there is none.
func (d *Deployment) Process(name string) *Process { return d.process(name) }

func (d *Deployment) process(name string) *Process {
	for _, p := range d.processes {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// Ways are all links, with what they join.
func (d *Deployment) Ways() []Way { return slices.Clone(d.ways) }

// Disks are the small disks that can be filled; none, with the reason, where file systems may not be mounted.
func (d *Deployment) Disks() ([]*Disk, error) { return slices.Clone(d.disks), d.launcher.mounting }

// Clocks says why the processes' clocks cannot be stepped, or nil if all can.
func (d *Deployment) Clocks() error { return d.clocks }

// Cluster reports whether there are several servers.
func (d *Deployment) Cluster() bool { return d.servers() > 1 }

func (d *Deployment) servers() int {
	if d.options.Cluster {
		return 3
	}
	return 1
}

// Complaints are what has gone wrong that no fault excuses, by process. Each is a line.
func (d *Deployment) Complaints() []string {
	var all []string
	for _, p := range d.processes {
		all = append(all, p.said.list()...)
	}
	return all
}

// Output is the end of what a process has said, for a report.
func (d *Deployment) Output(name string) string {
	if p := d.process(name); p != nil {
		return p.said.tail()
	}
	return ""
}

// Ready waits until all processes are ready. The error names those that are not when ctx ends, and why.
func (d *Deployment) Ready(ctx context.Context) error { return d.ready(ctx, d.processes) }

// ServersReady is Ready of the nats-servers alone.
func (d *Deployment) ServersReady(ctx context.Context) error {
	return d.ready(ctx, d.processes[:d.servers()])
}

func (d *Deployment) ready(ctx context.Context, some []*Process) error {
	problems := make([]error, len(some))
	var all sync.WaitGroup
	for i, p := range some {
		all.Go(func() { problems[i] = p.WaitReady(ctx) })
	}
	all.Wait()
	return errors.Join(problems...)
}

// WaitReady waits until it is ready. The error says why it was not when ctx ended.
func (p *Process) WaitReady(ctx context.Context) error {
	why := errors.New("was not asked")
	for ctx.Err() == nil {
		err := p.Ready(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			why = err
		}
		wait(ctx, askEvery)
	}
	return fmt.Errorf("%s is not ready: %w", p.Name, why)
}

// tryClocks steps all clocks a little, to see whether they follow, and back.
func (d *Deployment) tryClocks(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, clockTrialTime)
	defer cancel()
	follows := make([]bool, len(d.processes))
	problems := make([]error, len(d.processes))
	var all sync.WaitGroup
	for i, p := range d.processes {
		all.Go(func() {
			problems[i] = p.Step(clockTrial)
			follows[i] = p.waitAhead(ctx, clockTrial/2)
			problems[i] = errors.Join(problems[i], p.Step(0))
		})
	}
	all.Wait()
	var stubborn []string
	for i, p := range d.processes {
		if !follows[i] {
			stubborn = append(stubborn, p.Name)
		}
	}
	if len(stubborn) > 0 {
		problems = append(problems, fmt.Errorf("built without tools/clockstep: %s", strings.Join(stubborn, ", ")))
	}
	return errors.Join(problems...)
}

// waitAhead reports whether the process's clock comes to be ahead before ctx ends.
func (p *Process) waitAhead(ctx context.Context, by time.Duration) bool {
	for ctx.Err() == nil {
		if offset, err := p.Offset(ctx); err == nil && offset > by {
			return true
		}
		wait(ctx, askEvery)
	}
	return false
}

// lastWords are those of processes that did not get ready.
func (d *Deployment) lastWords() string {
	var b strings.Builder
	for _, p := range d.processes {
		text := strings.TrimSpace(p.said.tail())
		if text == "" {
			continue
		}
		lines := strings.Split(text, "\n")
		fmt.Fprintf(&b, "\n%s: %s", p.Name, lines[len(lines)-1])
	}
	return b.String()
}

// wait reports whether ctx lasted as long.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
