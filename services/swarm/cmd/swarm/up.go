package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/swarm/deployment"
	"github.com/tidemark-chat/tidemark/services/swarm/entry"
	"github.com/tidemark-chat/tidemark/streams/readmodel/postgres/pgserver"
)

// entryPort is where people find a cluster on this machine.
const entryPort = "3080"

// upFlags say what runs.
type upFlags struct {
	dir, bin, host string
	database, feed string
	open           bool
}

func upCommand() *cobra.Command {
	var f upFlags
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Run a whole cluster on this machine, to be used and played with",
		Long: "Runs three nats-servers, PostgreSQL (SQLite where that is not installed), two persisters, two gateways and an entry in\n" +
			"front of them, and keeps what they store. nats-server has a user with the least rights for each service, and streams\n" +
			"provision has made the streams. What is deployed is what swarm prove --faults --cluster breaks, without its faults.\n\n" +
			"Nothing is supervised: a process that ends is told of and stays away until it is started again. Commands are read from\n" +
			"the standard input, a line each: status, kill NAME, stop NAME, start NAME. Ctrl-C stops everything in order.\n\n" +
			"It listens on a loopback address only (--host). It needs Linux.",
		Example: "  swarm up\n  swarm up --feed republish --dir /var/tmp/cluster\n  swarm up --database sqlite --open\n" +
			"  kill -9 <pid of gateway-1>     (in another terminal; then, here: start gateway-1)",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return usage(f.up(cmd)) },
	}
	cmd.Flags().StringVar(&f.dir, "dir", filepath.Join(".data", "cluster"), "where stores and logs are")
	cmd.Flags().StringVar(&f.host, "host", "127.0.0.1", "loopback `address` where all of it listens: on another one (127.0.0.2) no port is taken by the first")
	cmd.Flags().StringVar(&f.bin, "bin", "", "directory of the binaries nats-server, gateway, persister and streams (default: that of the swarm's own)")
	cmd.Flags().StringVar(&f.database, "database", "", "where the read model is: sqlite or postgres (default: PostgreSQL where it is installed)")
	cmd.Flags().StringVar(&f.feed, "feed", string(config.Ordered), "how events come to the gateways: ordered or republish")
	cmd.Flags().BoolVar(&f.open, "open", false, "nats-server lets anybody in and services make the streams, instead of least rights")
	return cmd
}

// up runs the cluster until the command's context ends.
func (f *upFlags) up(cmd *cobra.Command) error {
	out := &lines{to: cmd.OutOrStdout()}
	options, err := f.options(out)
	if err != nil {
		return err
	}
	options.Ended = func(p *deployment.Process, err error) {
		out.say("%s has ended (%v) and stays away; its log is %s. To start it again: start %s", p.Name, err, filepath.Join(options.Dir, p.Name+".log"), p.Name)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(f.host, entryPort))
	if err != nil {
		return fmt.Errorf("the entry: %w; on another loopback address all ports are free: --host 127.0.0.2", err)
	}
	defer listener.Close()
	out.say("starting a cluster in %s", options.Dir)
	d, err := deployment.Start(cmd.Context(), options)
	if errors.Is(err, deployment.ErrTaken) {
		return fmt.Errorf("%w; on another loopback address all ports are free: --host 127.0.0.2", err)
	}
	if err != nil {
		return err
	}
	defer func() {
		out.say("stopping")
		d.Stop()
		for _, c := range d.Complaints() {
			out.say("%s", c)
		}
	}()
	front, err := entry.New(d.Gateways(), slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil)))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	c := console{d: d, out: out}
	c.welcome(listener.Addr().String(), options.Dir)
	go c.read(ctx, cmd.InOrStdin()) // ends with the process: a read of a terminal cannot be ended
	return front.Serve(ctx, listener)
}

// options says what is deployed, and why not PostgreSQL.
func (f *upFlags) options(out *lines) (deployment.Options, error) {
	o := deployment.Options{
		Bin: f.bin, Dir: f.dir, Host: f.host, Cluster: true, Standing: true, Secured: !f.open, Republish: f.feed == string(config.Republish),
		GatewayEnv: []string{"TIDEMARK_GATEWAY_TRUSTED_PROXIES=127.0.0.0/8"},
	}
	if f.feed != string(config.Ordered) && f.feed != string(config.Republish) {
		return o, fmt.Errorf("--feed: %q, want ordered or republish", f.feed)
	}
	if ip := net.ParseIP(f.host); ip == nil || !ip.IsLoopback() {
		return o, fmt.Errorf("--host: %q, want a loopback address such as 127.0.0.2", f.host)
	}
	if o.Bin == "" {
		own, err := os.Executable()
		if err != nil {
			return o, err
		}
		o.Bin = filepath.Dir(own)
	}
	switch _, missing := pgserver.Find(); {
	case f.database == string(config.SQLite):
	case f.database != "" && f.database != string(config.Postgres):
		return o, fmt.Errorf("--database: %q, want sqlite or postgres", f.database)
	case missing == nil:
		o.Postgres = true
	case f.database == string(config.Postgres):
		return o, missing
	default:
		out.say("PostgreSQL is not here, so the two persisters share a SQLite file: %v", missing)
	}
	return o, errors.Join(os.MkdirAll(f.dir, 0o700))
}
