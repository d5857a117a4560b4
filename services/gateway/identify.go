package gateway

import (
	"context"
	"errors"
	"fmt"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
	"github.com/tidemark-chat/tidemark/streams/appender"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/fault"
	sessions "github.com/tidemark-chat/tidemark/streams/session"
)

var errNotFollowing = fault.Errorf("register", fault.Temporary, "not following the log")

// identify finds out who is connecting: the user of a token, or of a known session
// or, with a name, a new one. wrong is what else is wrong with what a client with a
// token says. The error is one of package contract's, or temporary.
func (g *Gateway) identify(ctx context.Context, hello contract.Hello, wrong error) (user, error) {
	if hello.Token != "" {
		return g.identifyByToken(ctx, hello, wrong)
	}
	if hello.SessionID != "" {
		u, err := g.resume(ctx, hello.SessionID)
		if err == nil || !errors.Is(err, sessions.ErrUnknown) {
			return u, err
		}
	}
	if hello.Username == "" {
		return user{}, contract.ErrInvalidUsername
	}
	return g.register(ctx, hello.Username)
}

// resume is the user of a session, or sessions.ErrUnknown: for one that was revoked as
// well, so that its client goes on as it does without one.
func (g *Gateway) resume(ctx context.Context, sessionID string) (user, error) {
	found, err := g.sessions.Find(ctx, sessionID)
	if err != nil {
		return user{}, err
	}
	u := user{sessionID: sessionID, id: found.ID, name: found.Name}
	err = g.notRevoked(ctx, u)
	if errors.Is(err, errRevoked) {
		return user{}, sessions.ErrUnknown
	}
	return u, err
}

// register makes a new user with a session. The session comes first: one without
// a user is never heard of again, a user without a session would be shown to all.
func (g *Gateway) register(ctx context.Context, name string) (u user, err error) {
	gen := g.current.Load()
	if gen == nil {
		return u, errNotFollowing
	}
	u.name = name
	if u.id, err = sessions.NewID(); err != nil {
		return u, err
	}
	if u.sessionID, err = sessions.NewID(); err != nil {
		return u, err
	}
	registered, err := event.NewRegistered(u.id, name)
	if err != nil {
		return u, err
	}
	if err := g.sessions.Create(ctx, u.sessionID, sessions.User{ID: u.id, Name: name}); err != nil {
		return u, err
	}
	return u, gen.store(ctx, registered)
}

// store appends a registration and waits until the log has it.
func (gen *generation) store(ctx context.Context, registered event.Event) error {
	stored := make(chan error, 1)
	err := gen.appends.Append(ctx, registered, func(_ appender.Receipt, err error) { stored <- err })
	if err != nil {
		return err
	}
	select {
	case err := <-stored:
		return err
	case <-ctx.Done():
		return fmt.Errorf("register: %w", ctx.Err())
	}
}
