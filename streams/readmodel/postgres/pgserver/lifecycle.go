package pgserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Restart starts the server again on its files and its address: after Kill, or while it runs, which is then stopped first.
func (s *Server) Restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.halt(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	p, err := start(ctx, s.command("postgres", s.arguments()...))
	if err != nil {
		return fmt.Errorf("start PostgreSQL in %s: %w", s.dir, err)
	}
	s.process = p
	if err := s.answers(ctx); err != nil {
		return fmt.Errorf("start PostgreSQL in %s: %w%s", s.dir, err, s.lastWords())
	}
	return nil
}

// Stop ends the connections and stops the server. One that keeps its files in a directory of its own is gone then.
func (s *Server) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.halt()
	if s.temporary {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	return err
}

// Kill ends the server and all its processes at once, as if the machine had failed, and returns when they are gone.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		s.process.kill()
		s.process = nil
	}
}

// halt stops the server if it runs. SIGINT is the fast shutdown: it waits for no client.
func (s *Server) halt() error {
	p := s.process
	if p == nil {
		return nil
	}
	s.process = nil
	_ = p.signal(syscall.SIGINT) // it has ended by itself, or does now
	select {
	case <-p.done:
		return nil
	case <-time.After(stopWait):
		p.kill()
		return fmt.Errorf("stop PostgreSQL in %s: it took more than %v and was killed", s.dir, stopWait)
	}
}

// answers waits until a connection is answered.
func (s *Server) answers(ctx context.Context) error {
	const pause = 20 * time.Millisecond
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-s.process.done:
			return errors.New("it has ended")
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-time.After(pause):
		}
	}
}

// arguments are the server's settings. There is no socket beside the address, and no file that it would need elsewhere.
func (s *Server) arguments() []string {
	settings := []string{
		"listen_addresses=" + s.host, "port=" + s.port, "unix_socket_directories=", "max_connections=100",
		"log_destination=stderr", "logging_collector=off",
	}
	if !s.durable {
		settings = append(settings, "fsync=off", "full_page_writes=off")
	}
	arguments := []string{"-D", s.dataDir()}
	for _, setting := range settings {
		arguments = append(arguments, "-c", setting)
	}
	return arguments
}

// command is one of the server's programs. It sees nothing of this process's settings of PostgreSQL.
func (s *Server) command(program string, arguments ...string) *command {
	c := exec.Command(filepath.Join(s.bin, program), arguments...)
	c.Dir = string(filepath.Separator) // where every user may be
	c.Env = []string{"LC_ALL=C", "TZ=UTC", "PATH=" + os.Getenv("PATH")}
	c.SysProcAttr = s.user.attributes(s.dir)
	return &command{Cmd: c, log: s.logFile()}
}

// lastWords are the last lines of its log, for an error.
func (s *Server) lastWords() string {
	const most = 5
	log, err := os.ReadFile(s.logFile())
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	return "; its log ends with:\n" + strings.Join(lines[max(0, len(lines)-most):], "\n")
}
