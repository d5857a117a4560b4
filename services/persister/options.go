package persister

import (
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/persister/signing"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/layout"
	"github.com/tidemark-chat/tidemark/streams/notary"
	"github.com/tidemark-chat/tidemark/streams/provision"
)

// Options is what a persister needs to know.
type Options struct {
	NATSURL     string        // servers of the log; may be empty if NATSOptions connect in process
	NATSOptions []nats.Option // for every connection
	Log         eventlog.Config
	Database    string        // path of the SQLite file, or URL of the PostgreSQL database
	Listen      string        // host:port of health and metrics; empty: not served
	BatchSize   int           // events in one transaction at most
	PinTTL      time.Duration // after so long a silence another persister takes over
	StartWait   time.Duration // how long the log, and a database's server, may be away at the start; 0: 30 s
	Notary      signing.Options
	Telemetry   config.Telemetry // where traces go
}

// Configure takes from the settings what concerns the persister. Its error
// names the setting that it cannot work with.
func Configure(cfg config.Config) (Options, error) {
	o := Options{
		NATSURL:   string(cfg.NATS.URL),
		Log:       layout.Log(cfg),
		Database:  cfg.DatabaseSource(),
		Telemetry: cfg.Telemetry,
		Listen:    cfg.Persister.Listen,
		BatchSize: cfg.Persister.BatchSize,
		PinTTL:    cfg.Persister.PinTTL,
	}
	var err error
	if o.NATSOptions, err = eventlog.Options(cfg, eventlog.Persister); err != nil {
		return o, err
	}
	o.Notary, err = configureNotary(cfg)
	return o, err
}

// configureNotary reads the notary's key, if there is to be a notary, and looks where it is to export to.
func configureNotary(cfg config.Config) (signing.Options, error) {
	o := signing.Options{
		Every: cfg.Notary.Every, Interval: cfg.Notary.Interval, Replicas: cfg.NATS.Replicas, Mode: provision.For(cfg.NATS.Provision),
		ExportPath: cfg.Notary.ExportPath(), ExportURL: cfg.Notary.ExportURL(),
	}
	if cfg.Notary.Key == "" {
		return o, nil
	}
	var err error
	if o.Key, err = notary.ReadSigner(cfg.Notary.Key); err != nil {
		return o, cfg.Invalid("notary.key", err.Error())
	}
	if err := o.CheckExport(); err != nil {
		return o, cfg.Invalid("notary.export", err.Error())
	}
	return o, nil
}

const (
	defaultStartWait = 30 * time.Second
	// maxPull is how long one pull waits for a message: how soon an idle
	// persister notices that it is behind. Pulls renew the pin.
	maxPull = time.Second
)

func (o *Options) check() error {
	switch {
	case o.Database == "":
		return errors.New("persister: no database")
	case o.BatchSize < 1:
		return errors.New("persister: the batch size is below 1")
	case o.PinTTL <= 0:
		return errors.New("persister: the pin's time to live is not positive")
	case o.Notary.Key.Signer != nil && (o.Notary.Every < 1 || o.Notary.Every > notary.MaxLeaves):
		return fmt.Errorf("persister: the notary's checkpoints of %d events are not of 1 to %d", o.Notary.Every, notary.MaxLeaves)
	case o.Notary.Key.Signer != nil && o.Notary.Interval <= 0:
		return errors.New("persister: the notary's interval is not positive")
	}
	if o.StartWait == 0 {
		o.StartWait = defaultStartWait
	}
	return nil
}

// pull is the wait of one pull: several fit into the life of a pin.
func (o *Options) pull() time.Duration { return min(maxPull, o.PinTTL/3) }
