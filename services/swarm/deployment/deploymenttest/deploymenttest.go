// Package deploymenttest lets a test binary be all binaries of a deployment, so that tests with real processes need not
// build any: links to it are called nats-server, gateway, persister and streams, and under these names it is what they say.
package deploymenttest

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	natsserver "github.com/nats-io/nats-server/v2/server"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/gateway"
	"github.com/tidemark-chat/tidemark/services/persister"
	"github.com/tidemark-chat/tidemark/services/swarm/deployment"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/layout"
	"github.com/tidemark-chat/tidemark/streams/provision"
)

// binaries is the directory of the links, while tests run.
var binaries string

// Run runs the tests of a package, or is what it is called, and returns the exit code for TestMain. What is given is asked
// for errors after tests that passed.
func Run(m *testing.M, after ...func() error) (code int) {
	roles := map[string]func() error{
		string(deployment.Server):    runServer,
		string(deployment.Gateway):   service(gateway.Run),
		string(deployment.Persister): service(persister.Run),
		"streams":                    runProvision,
	}
	err := error(nil)
	if run := roles[filepath.Base(os.Args[0])]; run != nil {
		err = run()
	} else if binaries, err = links(roles); err == nil {
		code = m.Run()
		err = os.RemoveAll(binaries)
	}
	for _, f := range after {
		if binaries != "" && code == 0 && err == nil {
			err = f()
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// Start starts a deployment in a directory of the test's own. It ends with the test, which fails if there is anything to
// complain of.
func Start(t testing.TB, options deployment.Options) *deployment.Deployment {
	t.Helper()
	options.Bin, options.Dir = binaries, t.TempDir()
	d, err := deployment.Start(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.Stop()
		for _, c := range d.Complaints() {
			t.Error(c)
		}
		if t.Failed() {
			for _, p := range d.Processes() {
				t.Logf("%s said:\n%s", p.Name, d.Output(p.Name))
			}
		}
	})
	return d
}

// Binaries is the directory of the binaries.
func Binaries() string { return binaries }

func links[T any](roles map[string]T) (dir string, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	if dir, err = os.MkdirTemp("", "deploymenttest"); err != nil {
		return "", err
	}
	for name := range roles {
		if err := os.Symlink(self, filepath.Join(dir, name)); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// runServer is nats-server: it ends by a signal.
func runServer() error {
	options, err := natsserver.ConfigureOptions(flag.NewFlagSet("nats-server", flag.ContinueOnError), os.Args[1:],
		func() {}, func() {}, func() {})
	if err != nil {
		return err
	}
	server, err := natsserver.NewServer(options)
	if err != nil {
		return err
	}
	server.ConfigureLogger()
	if err := natsserver.Run(server); err != nil {
		return err
	}
	server.WaitForShutdown()
	return nil
}

// runProvision is streams provision.
func runProvision() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	cfg, err := config.Load(nil)
	if err != nil {
		return err
	}
	options, err := eventlog.Options(cfg, eventlog.Provisioner)
	if err != nil {
		return err
	}
	nc, js, err := eventlog.Connect(string(cfg.NATS.URL), "streams", slog.New(slog.NewTextHandler(os.Stderr, nil)), options...)
	if err != nil {
		return err
	}
	defer nc.Close()
	for {
		_, err := layout.Ensure(ctx, js, cfg, provision.Reshape)
		if err == nil || ctx.Err() != nil || fault.Is(err, fault.Permanent) {
			return err
		}
	}
}

func service(run func(context.Context, config.Config, *slog.Logger) error) func() error {
	return func() error {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		cfg, err := config.Load(nil)
		if err != nil {
			return err
		}
		return run(ctx, cfg, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	}
}
