package gateway

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/tidemark-chat/tidemark/streams/revocation"
	sessions "github.com/tidemark-chat/tidemark/streams/session"
)

var errRevoked = errors.New("revoked")

// targets are the revocations that would concern a user as he connects.
func (u user) targets() []revocation.Target {
	of := []revocation.Target{{User: u.id}}
	if u.sessionID != "" {
		of = append(of, revocation.Target{Session: sessions.Hash(u.sessionID)})
	}
	return of
}

// revokedBy reports whether a revocation as of some time, if any, ends what a user has
// shown: a token if it may be older; a session always, for its user cannot have another.
func (u user) revokedBy(since time.Time) bool {
	return !since.IsZero() && (u.token == nil || !u.token.Issued.After(since))
}

// notRevoked fails with errRevoked, or a Temporary error where that is not known now.
func (g *Gateway) notRevoked(ctx context.Context, u user) error {
	for _, t := range u.targets() {
		since, err := g.revocations.Revoked(ctx, t)
		if err != nil {
			return err
		}
		if u.revokedBy(since) {
			return errRevoked
		}
	}
	return nil
}

// cutIfRevoked cuts a connection whose user was revoked while it was made: before it
// was counted among his, so that whoever was told cannot have found it.
func (s *session) cutIfRevoked() {
	if s.user.guest() {
		return
	}
	for _, t := range s.user.targets() {
		if s.user.revokedBy(s.g.revocations.Known(t)) {
			s.link.Close()
		}
	}
}

// revoked cuts the connections that a revocation concerns.
func (a *accounts) revoked(r revocation.Revocation) {
	a.cut(r, "a connection of somebody who was revoked is cut")
}

func (a *accounts) cut(r revocation.Revocation, why string) {
	for _, s := range a.concerned(r) {
		a.g.log.Info(why, "user", s.user.id)
		s.link.Close()
	}
}

// concerned are the connections that a revocation ends: all that a user has here, or those
// of a session, which is looked for among everybody's where it is not known whose it was.
func (a *accounts) concerned(r revocation.Revocation) (found []*session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	among := a.byUser
	if id := cmp.Or(r.User, r.Of); id != "" {
		of := a.byUser[id]
		if of == nil {
			return nil
		}
		among = map[string]*account{id: of}
	}
	for _, of := range among {
		for s := range of.sockets {
			if r.Session == "" && r.User != "" && s.user.revokedBy(r.At) ||
				r.Session != "" && s.user.sessionID != "" && sessions.Hash(s.user.sessionID) == r.Session {
				found = append(found, s)
			}
		}
	}
	return found
}
