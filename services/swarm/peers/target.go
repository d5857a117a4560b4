package peers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/tidemark-chat/tidemark/streams/loopback"
)

// Target is a server that is measured.
type Target struct {
	Name  string // as in options and results
	Title string // as people read it

	// newcomer is the auth of a client that wants nothing of what was; returning is of one that was there and has had
	// this much.
	newcomer  any
	returning func(seen) (any, error)

	// spawn starts its processes, the one that clients connect to first. Those it has started it returns with an error
	// too. recovering: clients will come back, which takes a setting that costs time where nobody does.
	spawn func(ctx context.Context, i Installed, p place, recovering bool) ([]*process, error)
	ready func(address string) bool

	metrics bool // tells of its memory at /metrics
}

// place is where a server may live.
type place struct {
	address string // to listen on, host:port
	dir     string // empty, on the disk that is measured
	sockets string // a directory whose path is short enough for sockets
}

// Targets are all that can be measured, Tidemark first.
func Targets() []Target {
	return []Target{
		{
			Name: "tidemark", Title: "Tidemark",
			newcomer:  map[string]any{"serverOffset": "latest"},
			returning: seen.asServerOffset,
			spawn:     spawnTidemark, ready: answersReady, metrics: true,
		},
		{
			Name: "node", Title: "Socket.IO, plain",
			newcomer:  map[string]any{},
			returning: seen.asRecovery,
			spawn: func(_ context.Context, i Installed, p place, recovering bool) ([]*process, error) {
				var settings []string
				if recovering {
					settings = append(settings, "RECOVERY=1")
				}
				return spawnNode(i, p, "plain.mjs", settings...)
			},
			ready: takesConnections,
		},
		{
			Name: "tutorial", Title: "tutorial with SQLite",
			newcomer:  map[string]any{"serverOffset": 1 << 50}, // more than there ever is
			returning: seen.asServerOffset,
			spawn: func(_ context.Context, i Installed, p place, _ bool) ([]*process, error) {
				return spawnNode(i, p, "tutorial.mjs", "DATA_DIR="+p.dir)
			},
			ready: takesConnections,
		},
		{
			Name: "redis", Title: "Redis Streams adapter",
			newcomer:  map[string]any{},
			returning: seen.asRecovery,
			spawn:     spawnRedis, ready: takesConnections,
		},
	}
}

// Installed is where the things are that are measured.
type Installed struct {
	Standalone string // the binary
	Node       string // the directory of the Node.js servers, with node_modules
	Redis      string // redis-server
	Data       string // a directory on the disk that is to be measured
}

func spawnTidemark(_ context.Context, i Installed, p place, _ bool) ([]*process, error) {
	return one(start("tidemark", []string{
		"TIDEMARK_DATA_DIR=" + p.dir, "TIDEMARK_GATEWAY_LISTEN=" + p.address, "TIDEMARK_GATEWAY_RATE_LIMIT=off",
		"TIDEMARK_NATS_LISTEN=off", "TIDEMARK_PERSISTER_LISTEN=127.0.0.1:0",
	}, i.Standalone))
}

func spawnNode(i Installed, p place, file string, settings ...string) ([]*process, error) {
	host, port, err := net.SplitHostPort(p.address)
	if err != nil {
		return nil, err
	}
	return one(start("node", append(settings, "HOST="+host, "PORT="+port, "NODE_ENV=production"), "node", filepath.Join(i.Node, file)))
}

// redisServer is the name of Redis's process.
const redisServer = "redis-server"

// spawnRedis leaves Redis's settings as they are: a snapshot now and then, and no fsync before it answers.
func spawnRedis(ctx context.Context, i Installed, p place, _ bool) ([]*process, error) {
	socket := filepath.Join(p.sockets, "redis")
	redis, err := start(redisServer, nil, i.Redis, "--port", "0", "--unixsocket", socket, "--dir", p.dir)
	if err != nil {
		return nil, err
	}
	for _, err := os.Stat(socket); err != nil; _, err = os.Stat(socket) {
		if err := errors.Join(redis.ended(), pause(ctx, startEvery)); err != nil {
			return []*process{redis}, err
		}
	}
	node, err := spawnNode(i, p, "redis.mjs", "REDIS_SOCKET="+socket)
	return append(node, redis), err
}

func one(p *process, err error) ([]*process, error) {
	if err != nil {
		return nil, err
	}
	return []*process{p}, nil
}

// server is a target that runs.
type server struct {
	target    Target
	address   string
	processes []*process
	dirs      []string // go with it
}

const (
	startEvery  = 10 * time.Millisecond // how often it is asked whether it has started
	startAtMost = 20 * time.Second
	probeAtMost = time.Second
)

// startServer starts a target on an empty directory and waits until it takes clients.
func startServer(ctx context.Context, i Installed, t Target, recovering bool) (*server, error) {
	s := &server{target: t}
	if err := s.start(ctx, i, recovering); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// start may have started some of it when it returns an error.
func (s *server) start(ctx context.Context, i Installed, recovering bool) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startAtMost, fmt.Errorf("%s takes no clients after %v", s.target.Name, startAtMost))
	defer cancel()
	if err := os.MkdirAll(i.Data, 0o700); err != nil {
		return err
	}
	for _, parent := range []string{i.Data, ""} {
		dir, err := os.MkdirTemp(parent, "tidemark-peers-")
		if err != nil {
			return err
		}
		s.dirs = append(s.dirs, dir)
	}
	s.address = loopback.Address()
	dir, err := filepath.Abs(s.dirs[0])
	if err != nil {
		return err
	}
	s.processes, err = s.target.spawn(ctx, i, place{s.address, dir, s.dirs[1]}, recovering)
	if err != nil {
		return err
	}
	return s.awaitReady(ctx)
}

func (s *server) awaitReady(ctx context.Context) error {
	for !s.target.ready(s.address) {
		if err := s.ended(); err != nil {
			return err
		}
		if err := pause(ctx, startEvery); err != nil {
			return fmt.Errorf("%w; it said: %s", err, s.processes[0].said)
		}
	}
	return nil
}

// ended is the error of a server of which something has ended by itself, or nil.
func (s *server) ended() error {
	for _, p := range s.processes {
		if err := p.ended(); err != nil {
			return err
		}
	}
	return nil
}

// stop kills the server and removes what it has stored.
func (s *server) stop() {
	for _, p := range s.processes {
		p.kill()
	}
	for _, dir := range s.dirs {
		_ = os.RemoveAll(dir) // what stays there harms nobody
	}
}

func answersReady(address string) bool {
	probe := http.Client{Timeout: probeAtMost}
	answer, err := probe.Get("http://" + address + "/readyz")
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

func takesConnections(address string) bool {
	conn, err := net.DialTimeout("tcp", address, probeAtMost)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
