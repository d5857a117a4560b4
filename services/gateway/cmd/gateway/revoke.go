package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
	"unicode/utf8"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/config/command"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/provision"
	"github.com/tidemark-chat/tidemark/streams/revocation"
	sessions "github.com/tidemark-chat/tidemark/streams/session"
)

const maxReason = 200 // characters

// order is what the command line asks for.
type order struct {
	user, session, reason, format string
	lift                          bool
	timeout                       time.Duration
}

// done is what came of it.
type done struct {
	User    string    `json:"user,omitempty"`    // the user, or whose session
	Session string    `json:"session,omitempty"` // hash
	Lifted  bool      `json:"lifted"`
	At      time.Time `json:"at,omitzero"`
	Reason  string    `json:"reason,omitempty"`
	Found   *bool     `json:"found,omitempty"` // there was such a session, or a revocation to lift; nil: was not looked at
}

func revokeCommand() *cobra.Command {
	var o order
	cmd := &cobra.Command{
		Use:   "revoke (--user ID | --session ID) [--reason TEXT | --lift]",
		Short: "Cut a user, or one session, on all gateways, and let neither in again",
		Long: "Revokes a user: his connections are cut on every gateway, and his session, or every token issued to him until now, is\n" +
			"refused from now on. Or a session alone, by its id or by the hash (SHA-256, hex) that the bucket SESSIONS knows it by: it is\n" +
			"removed as well. --lift takes a revocation back; a session that was removed stays so.\n\n" +
			"Needs nats-server as the user \"operator\" (streams permissions), where rights are restricted.\n\n" +
			"Exit codes: 0 done, 1 it could not be done, 2 bad usage or settings.",
		Example: "  gateway revoke --nats.url nats://127.0.0.1:4222 --user 'auth0|5f7c8ec7' --reason 'left the company'\n  gateway revoke --session 2f1c...e8 --format json",
		Args: func(cmd *cobra.Command, args []string) error {
			return errors.Join(cobra.NoArgs(cmd, args), o.check())
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, log, err := command.Load(cmd)
			if err != nil {
				return err
			}
			d, err := o.carryOut(cmd.Context(), cfg, log)
			if err != nil {
				return err
			}
			return d.print(cmd.OutOrStdout(), o.format)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.user, "user", "", "`id` of the user: userID, as clients see it")
	flags.StringVar(&o.session, "session", "", "`id` of the session, or its hash")
	flags.StringVar(&o.reason, "reason", "", "`text` that is kept with it")
	flags.BoolVar(&o.lift, "lift", false, "take the revocation back")
	flags.StringVar(&o.format, "format", "text", "`form` of the output: text or json")
	flags.DurationVar(&o.timeout, "timeout", 10*time.Second, "how long it may take")
	return cmd
}

func (o order) check() error {
	switch {
	case (o.user == "") == (o.session == ""):
		return errors.New("want either --user or --session")
	case o.session != "" && !sessions.IsID(o.session) && !sessions.IsHash(o.session):
		return errors.New("--session is neither an id, 32 hex digits, nor a hash, 64 hex digits, in lower case")
	case o.lift && o.reason != "":
		return errors.New("--lift wants no --reason")
	case utf8.RuneCountInString(o.reason) > maxReason:
		return fmt.Errorf("--reason is longer than %d characters", maxReason)
	case o.format != "text" && o.format != "json":
		return fmt.Errorf("--format %q is not allowed, it must be text or json", o.format)
	case o.timeout <= 0:
		return errors.New("--timeout must be above 0")
	}
	return nil
}

// carryOut does what was asked for, or says why not; then it may be asked for again.
func (o order) carryOut(ctx context.Context, cfg config.Config, log *slog.Logger) (done, error) {
	if cfg.NATS.URL == "" {
		return done{}, cfg.Invalid("nats.url", "it must name the nats-server of the gateways; a standalone's listens at nats.listen")
	}
	options, err := eventlog.Options(cfg, eventlog.Operator)
	if err != nil {
		return done{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	rights := eventlog.NewRights(eventlog.Operator, log)
	nc, js, err := eventlog.Connect(string(cfg.NATS.URL), "revoke", log, append(options, rights.Option())...)
	if err != nil {
		return done{}, fmt.Errorf("connect to nats-server at %s: %w", cfg.NATS.URL, err)
	}
	defer nc.Close()
	type outcome struct {
		done
		err error
	}
	ended := make(chan outcome, 1)
	go func() { // ends with the timeout at the latest
		d, err := o.apply(ctx, js)
		ended <- outcome{d, err}
	}()
	select {
	case end := <-ended:
		return end.done, end.err
	case err := <-rights.Refused():
		return done{}, err
	}
}

func (o order) apply(ctx context.Context, js jetstream.JetStream) (done, error) {
	r := revocation.Revocation{Target: revocation.Target{User: o.user}, Reason: o.reason}
	if o.session != "" {
		r.User, r.Session = "", o.session
		if sessions.IsID(o.session) {
			r.Session = sessions.Hash(o.session)
		}
	}
	if o.lift {
		found, err := revocation.Lift(ctx, js, r.Target)
		return done{User: r.User, Session: r.Session, Lifted: true, Found: &found}, err
	}
	if r.Session == "" {
		r, err := revocation.Revoke(ctx, js, r)
		return done{User: r.User, At: r.At, Reason: r.Reason}, err // whom the log knows this user may not read
	}
	store := sessions.Open(js, sessions.Config{Mode: provision.Check})
	owner, err := store.Owner(ctx, r.Session)
	found := err == nil
	if err != nil && !errors.Is(err, sessions.ErrUnknown) {
		return done{}, err
	}
	r.Of = owner.ID
	// Who is connected hears of the revocation; only then does the session go.
	if r, err = revocation.Revoke(ctx, js, r); err == nil && found {
		err = store.Remove(ctx, r.Session)
	}
	return done{User: r.Of, Session: r.Session, At: r.At, Reason: r.Reason, Found: &found}, err
}

func (d done) print(w io.Writer, format string) error {
	if format == "json" {
		out := json.NewEncoder(w)
		out.SetEscapeHTML(false)
		return out.Encode(d)
	}
	whom := fmt.Sprintf("user %q", d.User)
	if d.Session != "" {
		whom = "session " + d.Session
		if d.User != "" {
			whom += fmt.Sprintf(" of user %q", d.User)
		}
	}
	line := whom + " is revoked as of " + d.At.Format(time.RFC3339Nano)
	switch {
	case d.Lifted && *d.Found:
		line = "the revocation of " + whom + " is lifted"
	case d.Lifted:
		line = whom + " was not revoked"
	case d.Found == nil:
		line += "; whether there is such a user is not looked at"
	case !*d.Found:
		line += "; the bucket SESSIONS does not hold it any more: it was removed, has expired, or never was. Who is still connected with it is cut"
	}
	_, err := fmt.Fprintln(w, line)
	return err
}
