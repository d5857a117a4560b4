package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tidemark-chat/tidemark/config/command"
	"github.com/tidemark-chat/tidemark/services/swarm/client"
	"github.com/tidemark-chat/tidemark/services/swarm/crowd"
	"github.com/tidemark-chat/tidemark/services/swarm/trial"
)

// Most that a run may have, so that a slip of the finger harms nobody.
const (
	mostClients = 50_000
	mostRate    = 100_000
	mostSize    = 16 << 10
	mostRooms   = 10_000
	mostLength  = 7 * 24 * time.Hour
)

// flags are those that all runs have.
type flags struct {
	urls       []string
	clients    int
	mix        string
	rate       float64
	size       int
	rooms      int
	transports string
	seed       uint64
	length     time.Duration
	spread     time.Duration
	ackTimeout time.Duration
	out        string
	format     string
}

// add defines the flags with what a command does by default.
func (f *flags) add(to *pflag.FlagSet, d flags) {
	to.StringSliceVar(&f.urls, "url", []string{"http://127.0.0.1:3000"}, "base URL of a gateway; several for several gateways of one log")
	to.IntVar(&f.clients, "clients", d.clients, fmt.Sprintf("how many clients, up to %d", mostClients))
	to.StringVar(&f.mix, "mix", d.mix, "shares of the profiles (see swarm profiles)")
	to.Float64Var(&f.rate, "rate", d.rate, "messages per second, of all clients together")
	to.IntVar(&f.size, "size", 120, fmt.Sprintf("bytes of a message, up to %d", mostSize))
	to.IntVar(&f.rooms, "rooms", d.rooms, "rooms beside general that users are in")
	to.StringVar(&f.transports, "transports", d.transports, "shares of the transports")
	to.Uint64Var(&f.seed, "seed", 1, "of everything that is left to chance")
	to.DurationVar(&f.length, "for", d.length, "how long")
	to.DurationVar(&f.spread, "ramp", 2*time.Second, "time over which clients connect at the beginning")
	to.DurationVar(&f.ackTimeout, "ack-timeout", 3*time.Second, "a client sends again what was not acked for so long")
	to.StringVar(&f.out, "out", "", "directory for report.json and report.html")
	to.StringVar(&f.format, "format", "text", "what is written to standard output: text or json")
}

// trial makes a run of the flags.
func (f *flags) trial(cmd *cobra.Command) (*trial.Trial, error) {
	mix, err := crowd.ParseMix(f.mix)
	if err != nil {
		return nil, fmt.Errorf("--mix: %w", err)
	}
	transports, err := parseTransports(f.transports)
	if err != nil {
		return nil, fmt.Errorf("--transports: %w", err)
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	if mix.Total() == 0 {
		return nil, errors.New("--mix: nobody is in it")
	}
	if err := writable(f.out); err != nil {
		return nil, fmt.Errorf("--out: %w", err)
	}
	t := &trial.Trial{
		Command: cmd.Name(), Arguments: map[string]string{}, Version: command.Version(), Length: f.length, View: cmd.ErrOrStderr(),
		Crowd: crowd.Options{
			Gateways: f.urls, Mix: mix.Scale(f.clients), Seed: f.seed, Rate: f.rate, Size: f.size, Rooms: f.rooms,
			Transports: transports, Spread: f.spread, AckTimeout: f.ackTimeout,
		},
	}
	cmd.Flags().Visit(func(flag *pflag.Flag) { t.Arguments[flag.Name] = flag.Value.String() })
	delete(t.Arguments, "nats.url") // it may hold a password
	return t, nil
}

// writable makes sure, before a run, that its report can be kept.
func writable(dir string) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".swarm-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// check makes sure that a run is bounded.
func (f *flags) check() error {
	switch {
	case f.clients < 1 || f.clients > mostClients:
		return fmt.Errorf("--clients: %d, want 1 to %d", f.clients, mostClients)
	case f.rate < 0 || f.rate > mostRate:
		return fmt.Errorf("--rate: %v, want 0 to %d", f.rate, mostRate)
	case f.size < 1 || f.size > mostSize:
		return fmt.Errorf("--size: %d, want 1 to %d", f.size, mostSize)
	case f.rooms < 0 || f.rooms > mostRooms:
		return fmt.Errorf("--rooms: %d, want 0 to %d", f.rooms, mostRooms)
	case f.length <= 0 || f.length > mostLength:
		return fmt.Errorf("--for: %v, want up to %v", f.length, mostLength)
	case f.spread < 0 || f.spread > mostLength:
		return fmt.Errorf("--ramp: %v, want 0 to %v", f.spread, mostLength)
	case f.ackTimeout < time.Millisecond:
		return fmt.Errorf("--ack-timeout: %v, want at least 1ms", f.ackTimeout)
	case f.format != "text" && f.format != "json":
		return fmt.Errorf("--format: %q, want text or json", f.format)
	}
	for i, text := range f.urls {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" {
			return fmt.Errorf("--url: %q, want http://host:port", text)
		}
		f.urls[i] = strings.TrimRight(text, "/")
	}
	return nil
}

// parseTransports reads "websocket=6,polling=2".
func parseTransports(text string) (shares []crowd.Share, err error) {
	for part := range strings.SplitSeq(text, ",") {
		name, weight, found := strings.Cut(strings.TrimSpace(part), "=")
		share := crowd.Share{Transport: client.Transport(name), Weight: 1}
		if found {
			if _, err := fmt.Sscanf(weight, "%d", &share.Weight); err != nil || share.Weight < 0 {
				return nil, fmt.Errorf("%q: want a transport and its share, as in websocket=6", part)
			}
		}
		switch share.Transport {
		case client.WebSocket, client.Polling, client.Upgrade:
		default:
			return nil, fmt.Errorf("%q: want websocket, polling or upgrade", name)
		}
		shares = append(shares, share)
	}
	return shares, nil
}
