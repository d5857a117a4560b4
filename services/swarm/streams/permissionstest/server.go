// Package permissionstest gives tests a real nats-server on which nobody may do
// more than package permissions says.
package permissionstest

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/permissions"
)

// Root is a user who may do everything.
const Root eventlog.Role = "root"

// Server is a running nats-server with the users of all roles, and Root.
type Server struct {
	t  testing.TB
	ns *server.Server

	mu       sync.Mutex
	refusals []string
}

// Start starts a server with the configuration that operators get, and stops it
// with the test.
func Start(t testing.TB, o permissions.Options) *Server {
	t.Helper()
	users := append(permissions.All(o), permissions.Rights{Role: Root, Publish: []string{">"}, Subscribe: []string{">"}})
	path := filepath.Join(t.TempDir(), "nats-server.conf")
	text := fmt.Sprintf("listen: 127.0.0.1:-1\njetstream { store_dir: %q, max_file_store: 20GiB }\n%s", t.TempDir(), permissions.Config(users))
	for _, u := range users {
		t.Setenv(u.PasswordVariable(), password(u.Role))
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	options, err := server.ProcessConfigFile(path)
	if err != nil {
		t.Fatal(err)
	}
	options.NoSigs, options.NoLog = true, true
	s := &Server{t: t}
	if s.ns, err = server.NewServer(options); err != nil {
		t.Fatal(err)
	}
	s.ns.SetLoggerV2(listener{s}, false, false, false)
	s.ns.Start()
	t.Cleanup(func() { s.ns.Shutdown(); s.ns.WaitForShutdown() })
	return s
}

func password(role eventlog.Role) string { return "of-the-" + string(role) }

// URL is where the user of a role connects, the password in it.
func (s *Server) URL(role eventlog.Role) string {
	return strings.Replace(s.ns.ClientURL(), "//", "//"+string(role)+":"+password(role)+"@", 1)
}

// Connect makes a connection of a role that is closed with the test.
func (s *Server) Connect(role eventlog.Role, options ...nats.Option) jetstream.JetStream {
	s.t.Helper()
	options = append([]nats.Option{nats.CustomInboxPrefix(role.InboxPrefix())}, options...)
	nc, js, err := eventlog.Connect(s.URL(role), "test", slog.New(slog.DiscardHandler), options...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(nc.Close)
	return js
}

// Refusals are what the server has said of what it refused.
func (s *Server) Refusals() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.refusals)
}

// listener hears what the server logs.
type listener struct{ *Server }

func (l listener) Errorf(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); strings.Contains(text, "Violation") {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.refusals = append(l.refusals, text)
	}
}
func (listener) Warnf(string, ...any)   {}
func (listener) Fatalf(string, ...any)  {}
func (listener) Noticef(string, ...any) {}
func (listener) Debugf(string, ...any)  {}
func (listener) Tracef(string, ...any)  {}
