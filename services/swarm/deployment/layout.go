package deployment

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tidemark-chat/tidemark/services/swarm/deployment/link"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/loopback"
)

// Way is a link and the processes that it joins.
type Way struct {
	*link.Link
	From, To string // names of processes; "clients" are none
}

// Clients is where a Way comes from that leads into the deployment.
const Clients = "clients"

// server is a nats-server and its addresses: for clients, for other servers, and for questions about its health.
type server struct {
	name                   string
	listen, routes, health string
	store                  string
	solicits               []string // addresses of the links to the servers it connects to
}

// layOut makes all links and processes, and starts none of the processes.
func (d *Deployment) layOut() error {
	servers, err := d.layOutServers()
	if err != nil {
		return err
	}
	database, err := d.layOutDatabase()
	if err != nil {
		return err
	}
	for _, name := range []string{"persister-1", "persister-2"} {
		setting, err := database(name)
		if err != nil {
			return err
		}
		if err := d.layOutService(name, Persister, servers, setting); err != nil {
			return err
		}
	}
	for _, name := range []string{"gateway-1", "gateway-2"} {
		if err := d.layOutService(name, Gateway, servers, d.gatewaySettings(name)...); err != nil {
			return err
		}
		entry, err := d.way(Clients, name, Clients+"-"+name, d.process(name).address)
		if err != nil {
			return err
		}
		d.gateways = append(d.gateways, "http://"+entry)
	}
	return nil
}

// layOutDatabase makes room for the persisters' database, and returns the setting by which a persister finds it.
func (d *Deployment) layOutDatabase() (setting func(persister string) (string, error), err error) {
	if !d.options.Postgres {
		database, err := d.disk("database", "persister-1", "persister-2")
		return func(string) (string, error) { return "TIDEMARK_DATA_DIR=" + database, nil }, err
	}
	d.postgres = &Postgres{Name: postgresName}
	if d.postgres.address, err = d.address(postgresName); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := d.startPostgres(ctx); err != nil { // it makes its password when it starts
		return nil, err
	}
	return func(persister string) (string, error) {
		address, err := d.way(persister, postgresName, persister+"-"+postgresName, d.postgres.address)
		if err != nil {
			return "", err
		}
		url, err := d.postgres.url(address)
		return "TIDEMARK_DATABASE_URL=" + url, err
	}, nil
}

// rateLimits are different, so that clients meet refusals and also gateways without any.
var rateLimits = map[string][]string{
	"gateway-1": {"TIDEMARK_GATEWAY_RATE_LIMIT=off"},
	"gateway-2": {"TIDEMARK_GATEWAY_RATE_LIMIT=10"},
}

// gatewaySettings are those of one gateway beside the addresses.
func (d *Deployment) gatewaySettings(name string) []string {
	if d.options.Standing {
		return d.options.GatewayEnv
	}
	return slices.Concat(gatewayDefaults, rateLimits[name], d.options.GatewayEnv)
}

// gatewayDefaults let a short run see what takes longer by the defaults.
var gatewayDefaults = []string{
	"TIDEMARK_GATEWAY_WATERMARK_INTERVAL=1s", "TIDEMARK_GATEWAY_PRESENCE_LEASE=3s",
}

func (d *Deployment) layOutServers() ([]*server, error) {
	var servers []*server
	for i := range d.servers() {
		s := &server{name: fmt.Sprintf("nats-%d", i+1)}
		var err error
		for what, address := range map[string]*string{"": &s.listen, " routes": &s.routes, " health": &s.health} {
			if *address, err = d.address(s.name + what); err != nil {
				return nil, err
			}
		}
		if s.store, err = d.disk(s.name, s.name); err != nil {
			return nil, err
		}
		for _, before := range servers { // the earlier one of a pair connects to the later one
			w, err := d.way(before.name, s.name, before.name+"-"+s.name, s.routes)
			if err != nil {
				return nil, err
			}
			before.solicits = append(before.solicits, w)
		}
		servers = append(servers, s)
	}
	for _, s := range servers {
		path := filepath.Join(d.options.Dir, s.name+".conf")
		if err := os.WriteFile(path, []byte(s.config(d.users.accounts(d.options.Republish), len(servers) > 1)), 0o600); err != nil {
			return nil, err
		}
		if err := d.add(s.name, Server, s.health, []string{"--config", path}, d.users.environment()...); err != nil {
			return nil, err
		}
		d.nats = append(d.nats, s.listen)
	}
	return servers, nil
}

// config is like tools/split/nats-server.conf, with a system account, by which the cluster's leader can be changed.
//
// Servers do not tell clients of each other (no_advertise), and tell each other an address at which nobody listens, so
// that all connections are those that go through links: a server that hears of another by gossip tries once and gives up.
func (s *server) config(accounts string, cluster bool) string {
	text := fmt.Sprintf(`server_name: %s
listen: %q
http: %q
%sjetstream {
  store_dir: %q
  # An acknowledged message is on disk, not only in the page cache.
  sync_interval: always
  # A little more than stream.maxBytes, whatever the disk has free.
  max_file_store: 11GiB
}
`, s.name, s.listen, s.health, accounts, s.store)
	if !cluster {
		return text
	}
	// The last server connects to none; a route to itself, which comes to nothing, makes it one of a cluster.
	routes := []string{fmt.Sprintf("%q", "nats-route://"+s.routes)}
	for _, address := range s.solicits {
		routes = append(routes, fmt.Sprintf("%q", "nats-route://"+address))
	}
	return text + fmt.Sprintf(`cluster {
  name: tidemark
  listen: %q
  advertise: "127.0.0.1:1"
  no_advertise: true
  routes: [ %s ]
}
`, s.routes, strings.Join(routes, ", "))
}

// layOutService makes a gateway or a persister and its links to the servers.
func (d *Deployment) layOutService(name string, role Role, servers []*server, settings ...string) error {
	var urls []string
	for _, s := range servers {
		called := name + "-" + s.name
		if len(servers) == 1 {
			called = name + "-nats"
		}
		w, err := d.way(name, s.name, called, s.listen)
		if err != nil {
			return err
		}
		urls = append(urls, "nats://"+d.users.as(eventlog.Role(role))+w)
	}
	listen, err := d.address(name)
	if err != nil {
		return err
	}
	return d.add(name, role, listen, nil, slices.Concat(d.shared(), []string{
		"TIDEMARK_NATS_URL=" + strings.Join(urls, ","), fmt.Sprintf("TIDEMARK_NATS_REPLICAS=%d", len(servers)),
		"TIDEMARK_" + strings.ToUpper(string(role)) + "_LISTEN=" + listen,
	}, settings)...)
}

// way makes a link to an address and returns the link's own. A deployment that is to be used has none.
func (d *Deployment) way(from, to, name, target string) (address string, err error) {
	if d.options.Standing {
		return target, nil
	}
	listen := loopback.Address()
	l, err := link.New(name, listen, target)
	if err != nil {
		return "", err
	}
	d.ways = append(d.ways, Way{Link: l, From: from, To: to})
	return listen, nil
}

// address is where something listens: where people expect it, or anywhere.
func (d *Deployment) address(name string) (string, error) {
	if !d.options.Standing {
		return loopback.Address(), nil
	}
	return standing(cmp.Or(d.options.Host, "127.0.0.1"), name)
}

// add makes a process that answers questions about its health at an address.
func (d *Deployment) add(name string, role Role, address string, args []string, settings ...string) error {
	path, err := d.binary(role)
	if err != nil {
		return err
	}
	said, err := newTranscript(name, filepath.Join(d.options.Dir, name+".log"))
	if err != nil {
		return err
	}
	health := "/readyz"
	if role == Server {
		health = "/healthz"
	}
	p := &Process{
		Name: name, Role: role, path: path, args: args, address: address, health: "http://" + address + health,
		clock: filepath.Join(d.options.Dir, name+".clock"), launcher: d.launcher, said: said, log: d.log, over: make(chan struct{}),
		ended: d.options.Ended,
	}
	p.env = append(append(inherited(), "CLOCK_STEP_FILE="+p.clock), settings...)
	d.processes = append(d.processes, p)
	return p.Step(0)
}

// binary is where a role's binary is.
func (d *Deployment) binary(role Role) (string, error) {
	path := filepath.Join(d.options.Bin, string(role))
	if role == Gateway && d.options.Gateway != "" {
		path = d.options.Gateway
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("the binary of %s: %w (build it with: go tool task prove:build)", role, err)
	}
	return path, nil
}

// inherited is this process's environment without settings of Tidemark, which would be those of another deployment.
func inherited() []string {
	return slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "TIDEMARK_") })
}
