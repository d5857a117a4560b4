// Package embedded runs a nats-server with JetStream in this process: the log
// of a standalone, and the real log in tests. An append it acks is on disk.
package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

const (
	startTimeout = 30 * time.Second
	unlimited    = 1 << 50
)

// Config says where the server keeps its files and whether others may connect.
type Config struct {
	Dir    string       // JetStream's files; one server at a time
	Listen string       // host:port to listen on as well; empty for none
	Log    *slog.Logger // for the server's warnings and errors; nil for none
}

// Server is a running nats-server.
type Server struct {
	ns *server.Server
}

// Start starts a server and waits until it takes connections.
func Start(config Config) (*Server, error) {
	options := &server.Options{
		ServerName: "tidemark",
		JetStream:  true,
		StoreDir:   filepath.Clean(config.Dir),
		SyncAlways: true,
		// The stream's own limit is the limit. By default the server refuses a
		// stream that may grow beyond three quarters of what the disk has free.
		JetStreamMaxStore: unlimited,
		DontListen:        true,
		NoSigs:            true,
		NoLog:             true,
	}
	if config.Listen != "" {
		host, port, err := net.SplitHostPort(config.Listen)
		if err != nil {
			return nil, fmt.Errorf("nats listen address %q: %w", config.Listen, err)
		}
		options.DontListen, options.Host = false, host
		if options.Port, err = strconv.Atoi(port); err != nil {
			return nil, fmt.Errorf("nats listen address %q: port: %w", config.Listen, err)
		}
		if options.Port == 0 {
			options.Port = server.RANDOM_PORT
		}
		if err := free(config.Listen); err != nil {
			return nil, err
		}
	}
	ns, err := server.NewServer(options)
	if err != nil {
		return nil, fmt.Errorf("embedded nats-server: %w", err)
	}
	if config.Log != nil {
		ns.SetLoggerV2(logger{config.Log}, false, false, false)
	}
	ns.Start()
	if !ns.ReadyForConnections(startTimeout) {
		ns.Shutdown()
		return nil, errors.New("embedded nats-server did not become ready")
	}
	return &Server{ns: ns}, nil
}

// free checks an address before the server does, which would end the process.
func free(address string) error {
	syscall.ForkLock.RLock() // a process started meanwhile would inherit the listener, and hold the address for a moment
	defer syscall.ForkLock.RUnlock()
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("nats listen address: %w", err)
	}
	return l.Close()
}

// InProcess makes connections reach this server without a network.
func (s *Server) InProcess() nats.Option { return nats.InProcessServer(s.ns) }

// URL is where others connect; empty if the server does not listen.
func (s *Server) URL() string {
	if addr, ok := s.ns.Addr().(*net.TCPAddr); ok && addr != nil {
		return "nats://" + addr.String()
	}
	return ""
}

// Stop ends the server cleanly, so that the next start need not read the whole
// log again. It returns when the files are closed.
func (s *Server) Stop() {
	s.ns.Shutdown()
	s.ns.WaitForShutdown()
}

// logger passes on what an operator must hear of the server: its disk, mostly.
type logger struct{ log *slog.Logger }

func (l logger) Warnf(format string, args ...any)  { l.log.Warn(fmt.Sprintf(format, args...)) }
func (l logger) Errorf(format string, args ...any) { l.log.Error(fmt.Sprintf(format, args...)) }

// Fatalf does not end the process: Start sees that the server is not ready.
func (l logger) Fatalf(format string, args ...any) { l.log.Error(fmt.Sprintf(format, args...)) }
func (logger) Noticef(string, ...any)              {}
func (logger) Debugf(string, ...any)               {}
func (logger) Tracef(string, ...any)               {}
