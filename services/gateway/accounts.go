package gateway

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/tidemark-chat/tidemark/streams/revocation"
	sessions "github.com/tidemark-chat/tidemark/streams/session"
)

// accounts are the users connected to this gateway, each as long as one of its
// sockets is.
type accounts struct {
	g *Gateway

	mu     sync.Mutex
	byUser map[string]*account
}

type account struct {
	bucket  *rate.Limiter
	sockets map[*session]struct{}
}

// enter adds a socket to its user and returns the bucket that the user's sockets
// share. It is false if the user has as many sockets here as he may.
func (a *accounts) enter(s *session) (*rate.Limiter, bool) {
	cfg := a.g.live.Load()
	a.mu.Lock()
	defer a.mu.Unlock()
	of := a.byUser[s.user.id]
	if of == nil {
		of = &account{bucket: bucket(cfg.UserRateLimit), sockets: make(map[*session]struct{})}
		a.byUser[s.user.id] = of
	}
	if most := int(cfg.UserLimit); most > 0 && len(of.sockets) >= most {
		return nil, false
	}
	of.sockets[s] = struct{}{}
	return of.bucket, true
}

func (a *accounts) leave(s *session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	of := a.byUser[s.user.id]
	delete(of.sockets, s)
	if len(of.sockets) == 0 {
		delete(a.byUser, s.user.id)
	}
}

// sessionIDs are the sessions that are connected, each once.
func (a *accounts) sessionIDs() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	ids := make(map[string]struct{})
	for _, of := range a.byUser {
		for s := range of.sockets {
			if s.user.sessionID != "" { // users of tokens have none
				ids[s.user.sessionID] = struct{}{}
			}
		}
	}
	return slices.Collect(maps.Keys(ids))
}

// renew keeps the sessions of connected users from expiring, until ctx ends. Who is
// connected with one that has gone all the same is cut: he could not come back by it, and
// it may have been removed because it was stolen.
func (a *accounts) renew(ctx context.Context, store *sessions.Store) {
	ticker := time.NewTicker(a.g.cfg.Gateway.SessionTTL / renewals)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		for _, id := range a.sessionIDs() {
			switch err := store.Renew(ctx, id); {
			case errors.Is(err, sessions.ErrUnknown):
				a.cut(revocation.Revocation{Target: revocation.Target{Session: sessions.Hash(id)}}, "a connection whose session is not there any more is cut")
			case err != nil && ctx.Err() == nil:
				a.g.failed("a session was not renewed", err)
			}
		}
	}
}

// renewals is how often in its life the session of a connected user is looked at.
const renewals = 10
