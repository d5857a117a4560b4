package deployment

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tidemark-chat/tidemark/services/swarm/deployment/link"
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
	database, err := d.disk("database", "persister-1", "persister-2")
	if err != nil {
		return err
	}
	for _, name := range []string{"persister-1", "persister-2"} {
		if err := d.layOutService(name, Persister, servers, "TIDEMARK_DATA_DIR="+database); err != nil {
			return err
		}
	}
	for _, name := range []string{"gateway-1", "gateway-2"} {
		settings := slices.Concat(gatewayDefaults, rateLimits[name], d.options.GatewayEnv)
		if err := d.layOutService(name, Gateway, servers, settings...); err != nil {
			return err
		}
		entry, err := d.way(Clients, name, Clients+"-"+name, d.process(name).address)
		if err != nil {
			return err
		}
		d.gateways = append(d.gateways, "http://"+entry.Address())
	}
	return nil
}

// rateLimits are different, so that clients meet refusals and also gateways without any.
var rateLimits = map[string][]string{
	"gateway-1": {"TIDEMARK_GATEWAY_RATE_LIMIT=off"},
	"gateway-2": {"TIDEMARK_GATEWAY_RATE_LIMIT=10"},
}

// gatewayDefaults let a short run see what takes longer by the defaults.
var gatewayDefaults = []string{
	"TIDEMARK_GATEWAY_WATERMARK_INTERVAL=1s", "TIDEMARK_GATEWAY_PRESENCE_LEASE=3s",
}

func (d *Deployment) layOutServers() ([]*server, error) {
	var servers []*server
	for i := range d.servers() {
		s := &server{name: fmt.Sprintf("nats-%d", i+1)}
		for _, address := range []*string{&s.listen, &s.routes, &s.health} {
			var err error
			if *address, err = d.ports.next(); err != nil {
				return nil, err
			}
		}
		var err error
		if s.store, err = d.disk(s.name, s.name); err != nil {
			return nil, err
		}
		for _, before := range servers { // the earlier one of a pair connects to the later one
			w, err := d.way(before.name, s.name, before.name+"-"+s.name, s.routes)
			if err != nil {
				return nil, err
			}
			before.solicits = append(before.solicits, w.Address())
		}
		servers = append(servers, s)
	}
	for _, s := range servers {
		path := filepath.Join(d.options.Dir, s.name+".conf")
		if err := os.WriteFile(path, []byte(s.config(len(servers) > 1)), 0o600); err != nil {
			return nil, err
		}
		if err := d.add(s.name, Server, s.health, []string{"--config", path}); err != nil {
			return nil, err
		}
		d.nats = append(d.nats, s.listen)
	}
	return servers, nil
}

// Names and passwords of nats-server's accounts; all of it listens on this machine's loopback only. Who gives none is
// tidemark.
const (
	systemUser     = "operator"
	systemPassword = "operator"
)

// config is like tools/split/nats-server.conf, with a system account, by which the cluster's leader can be changed.
//
// Servers do not tell clients of each other (no_advertise), and tell each other an address at which nobody listens, so
// that all connections are those that go through links: a server that hears of another by gossip tries once and gives up.
func (s *server) config(cluster bool) string {
	text := fmt.Sprintf(`server_name: %s
listen: %q
http: %q
accounts {
  SYS { users: [ { user: %q, password: %q } ] }
  TIDEMARK { jetstream: enabled, users: [ { user: tidemark, password: tidemark } ] }
}
system_account: SYS
no_auth_user: tidemark
jetstream {
  store_dir: %q
  # An acknowledged message is on disk, not only in the page cache.
  sync_interval: always
  # A little more than stream.maxBytes, whatever the disk has free.
  max_file_store: 11GiB
}
`, s.name, s.listen, s.health, systemUser, systemPassword, s.store)
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
		urls = append(urls, "nats://"+w.Address())
	}
	listen, err := d.ports.next()
	if err != nil {
		return err
	}
	return d.add(name, role, listen, nil, append([]string{
		"TIDEMARK_NATS_URL=" + strings.Join(urls, ","), fmt.Sprintf("TIDEMARK_NATS_REPLICAS=%d", len(servers)),
		"TIDEMARK_" + strings.ToUpper(string(role)) + "_LISTEN=" + listen,
	}, settings...)...)
}

// way makes a link to an address.
func (d *Deployment) way(from, to, name, target string) (Way, error) {
	listen, err := d.ports.next()
	if err != nil {
		return Way{}, err
	}
	l, err := link.New(name, listen, target)
	if err != nil {
		return Way{}, err
	}
	w := Way{Link: l, From: from, To: to}
	d.ways = append(d.ways, w)
	return w, nil
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
