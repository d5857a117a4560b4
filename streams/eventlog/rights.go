package eventlog

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"
)

// Rights watches whether nats-server refuses something that a service needs. A
// refused request is otherwise one that nobody answers, and what was published
// is gone: such a service must end rather than go on without a right.
type Rights struct {
	role    Role
	refused chan error
	log     *slog.Logger
}

// NewRights makes one for all connections of a service.
func NewRights(role Role, log *slog.Logger) *Rights {
	return &Rights{role: role, refused: make(chan error, 1), log: log}
}

// Option makes a connection report to r. It replaces the error handler of
// [Connect]. A refusal whose text has one of the optional parts in it is only
// logged: what is refused can be done without.
func (r *Rights) Option(optional ...string) nats.Option {
	return nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) {
		if !needed(err, optional) {
			report(r.log, sub, err)
			return
		}
		select {
		case r.refused <- r.explain(err):
		default: // one is enough
		}
	})
}

func (r *Rights) explain(err error) error {
	article := "a"
	if strings.ContainsRune("aeiou", rune(r.role[0])) {
		article = "an"
	}
	return fmt.Errorf("nats-server does not grant what %s %s needs: connect as the user %q, or another with the rights "+
		"that streams permissions prints for it: %w", article, r.role, r.role, err)
}

// Refused brings the first refusal, with the subject that was refused.
func (r *Rights) Refused() <-chan error { return r.refused }

func needed(err error, optional []string) bool {
	return errors.Is(err, nats.ErrPermissionViolation) &&
		!slices.ContainsFunc(optional, func(part string) bool { return strings.Contains(err.Error(), part) })
}

// report logs what went wrong with a connection.
func report(log *slog.Logger, sub *nats.Subscription, err error) {
	if sub != nil {
		log = log.With("subject", sub.Subject)
	}
	log.Error("connection to the log", "error", err)
}
