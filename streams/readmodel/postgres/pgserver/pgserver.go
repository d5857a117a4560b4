// Package pgserver runs a PostgreSQL server of its own, for tests and for a cluster on one machine. It needs the server's
// programs, which it does not bring along, and nothing else: no service, no configuration, no rights.
//
//	Start ──▶ initdb, if the directory is empty ──▶ postgres, a child of this process ──▶ answers a connection
//
// Where this process is root, which PostgreSQL refuses to be, the server runs as the user postgres. On Linux it ends
// with its parent, however that one ends.
package pgserver

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/tidemark-chat/tidemark/streams/loopback"
)

const (
	superuser = "postgres"
	// startWait bounds how long a server may take until it answers, recovery included.
	startWait = time.Minute
	// stopWait bounds a fast shutdown; what runs on is killed.
	stopWait = 20 * time.Second
)

// Options say which server to run.
type Options struct {
	Dir     string // keeps its files; made and filled if need be. Empty: a directory that Stop removes
	Durable bool   // commits reach the disk; otherwise a crash of the machine, not of the server, can ruin the files
	Listen  string // host:port; empty: one of this machine's own that nobody else uses
}

// Server is one server. Its methods can be called from any goroutine.
type Server struct {
	bin, dir, host, port, password string
	durable, temporary             bool
	user                           *account // nil: who this process is

	mu      sync.Mutex
	process *process // nil while it is stopped
}

// Start starts a server and returns once it answers.
func Start(ctx context.Context, options Options) (*Server, error) {
	s, err := newServer(options)
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start PostgreSQL in %s: %w", s.dir, err), s.Stop())
	}
	if err := s.Restart(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func newServer(options Options) (*Server, error) {
	s := &Server{dir: options.Dir, durable: options.Durable, temporary: options.Dir == ""}
	var err error
	if s.bin, err = Find(); err != nil {
		return nil, err
	}
	if s.user, err = unprivileged(); err != nil {
		return nil, err
	}
	if s.host, s.port, err = net.SplitHostPort(cmp.Or(options.Listen, loopback.Address())); err != nil {
		return nil, err
	}
	if s.temporary {
		s.dir, err = os.MkdirTemp("", "tidemark-postgres-")
	} else {
		s.dir, err = filepath.Abs(options.Dir)
	}
	return s, err
}

// prepare makes the server's files, or reads the password of those that are there.
func (s *Server) prepare(ctx context.Context) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	if err := s.user.own(s.dir); err != nil {
		return err
	}
	known, err := os.ReadFile(s.passwordFile())
	if err == nil {
		s.password = string(known)
		return nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	s.password = rand.Text()
	return s.initialize(ctx)
}

// initialize makes the files. The password is put in its place last, so that a half-made server is made again.
func (s *Server) initialize(ctx context.Context) error {
	if err := os.RemoveAll(s.dataDir()); err != nil {
		return err
	}
	unfinished := s.passwordFile() + ".new"
	if err := os.WriteFile(unfinished, []byte(s.password), 0o600); err != nil {
		return err
	}
	if err := s.user.own(unfinished); err != nil {
		return err
	}
	command := s.command("initdb", "--pgdata", s.dataDir(), "--username", superuser, "--pwfile", unfinished,
		"--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions")
	p, err := start(ctx, command)
	if err != nil {
		return err
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		p.kill()
		return context.Cause(ctx)
	}
	if p.err != nil {
		return fmt.Errorf("initdb: %w%s", p.err, s.lastWords())
	}
	return os.Rename(unfinished, s.passwordFile())
}

// URL is what a client of one of its databases is given, the superuser's password included. A server keeps its address
// as long as it is not stopped for good.
func (s *Server) URL(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(superuser, s.password), Host: net.JoinHostPort(s.host, s.port), Path: "/" + database,
	}
	return u.String()
}

// CreateDatabase makes an empty database. It is an error if there is one of that name.
func (s *Server) CreateDatabase(ctx context.Context, name string) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err == nil {
		_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
		err = errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
	}
	if err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	return nil
}

func (s *Server) dataDir() string { return filepath.Join(s.dir, "data") }

func (s *Server) passwordFile() string { return filepath.Join(s.dir, "password") }

func (s *Server) logFile() string { return filepath.Join(s.dir, "log") }
