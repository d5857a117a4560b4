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

// identify finds out who is connecting: the user of a known session or, with a
// name, a new one. The error is contract.ErrInvalidUsername, or temporary.
func (g *Gateway) identify(ctx context.Context, hello contract.Hello) (user, error) {
	if hello.SessionID != "" {
		u, err := g.sessions.Find(ctx, hello.SessionID)
		if err == nil {
			return user{sessionID: hello.SessionID, id: u.ID, name: u.Name}, nil
		}
		if !errors.Is(err, sessions.ErrUnknown) {
			return user{}, err
		}
	}
	if hello.Username == "" {
		return user{}, contract.ErrInvalidUsername
	}
	return g.register(ctx, hello.Username)
}

// register makes a new user with a session. The session comes first: one without
// a user is never heard of again, a user without a session would be shown to all.
func (g *Gateway) register(ctx context.Context, name string) (u user, err error) {
	gen := g.current.Load()
	if gen == nil {
		return u, fault.Errorf("register", fault.Temporary, "not following the log")
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
	stored := make(chan error, 1)
	err = gen.appends.Append(ctx, registered, func(_ appender.Receipt, err error) { stored <- err })
	if err != nil {
		return u, err
	}
	select {
	case err := <-stored:
		return u, err
	case <-ctx.Done():
		return u, fmt.Errorf("register: %w", ctx.Err())
	}
}
