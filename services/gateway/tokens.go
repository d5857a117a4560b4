package gateway

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/auth"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
	"github.com/tidemark-chat/tidemark/streams/event"
	sessions "github.com/tidemark-chat/tidemark/streams/session"
)

// reloadAuth has tokens verified by other settings from now on, and by what the
// files hold now. Who is connected stays until his token expires. An error changes
// nothing. It must not be called twice at the same time.
func (g *Gateway) reloadAuth(cfg config.Auth) error {
	next, err := auth.New(cfg, g.log)
	if err != nil {
		return err
	}
	before := g.tokens.Load()
	if before != nil {
		next.Inherit(before)
	}
	g.tokens.Store(next)
	if before != nil {
		before.Close()
	}
	return nil
}

// named adds where a setting came from to an error of it.
func named(cfg config.Config, err error) error {
	if wrong := (*config.Error)(nil); errors.As(err, &wrong) {
		return cfg.Invalid(wrong.Problems[0].Key, wrong.Problems[0].Reason)
	}
	return err
}

// identifyByToken finds out whose token a client has shown. wrong is what else is
// wrong with its hello; nothing is stored of it then.
func (g *Gateway) identifyByToken(ctx context.Context, hello contract.Hello, wrong error) (user, error) {
	token, err := g.tokens.Load().Verify(ctx, hello.Token)
	if err == nil {
		err = g.notRevoked(ctx, user{id: token.UserID, token: &token})
	}
	if refusal := g.refusalOf(err); refusal != nil {
		return user{}, refusal
	}
	if err != nil {
		return user{}, err
	}
	if err := g.notAnothers(ctx, hello.SessionID, token.UserID); err != nil {
		return user{}, err
	}
	if wrong != nil {
		return user{}, wrong
	}
	u := user{id: token.UserID, name: token.Name, token: &token}
	return u, g.registerOnce(ctx, u)
}

// refusalOf is what a client is told whose token is refused for good; its operator
// reads why.
func (g *Gateway) refusalOf(err error) error {
	switch {
	case errors.Is(err, auth.ErrExpired): // happens to everybody
		return contract.ErrTokenExpired
	case errors.Is(err, auth.ErrInvalid), errors.Is(err, errRevoked):
		g.refused.Log(g.log, slog.LevelInfo, "a token was refused", "error", err)
		return contract.ErrInvalidToken
	}
	return nil
}

// notAnothers refuses a session beside a token that is not of the token's user. Users
// of tokens have none.
func (g *Gateway) notAnothers(ctx context.Context, sessionID, userID string) error {
	if sessionID == "" {
		return nil
	}
	owner, err := g.sessions.Find(ctx, sessionID)
	switch {
	case errors.Is(err, sessions.ErrUnknown):
		return nil
	case err == nil && owner.ID != userID:
		return contract.ErrInvalidSession
	}
	return err
}

// registered is the key under which a token's user registers, so that he does so once
// although several gateways may meet him first. Messages have other scopes.
const registered = "registered"

// registerOnce registers a token's user, if nobody has.
func (g *Gateway) registerOnce(ctx context.Context, u user) error {
	gen := g.current.Load()
	if gen == nil {
		return errNotFollowing
	}
	if _, known := gen.people.directory.Name(u.id); known {
		return nil
	}
	// What the log does not show yet, it still knows the key of.
	if found, err := gen.people.log.HasUser(ctx, u.id); err != nil || found {
		return err
	}
	e, err := event.NewRegistered(u.id, u.name)
	if err != nil {
		return err
	}
	e.Scope, e.Key = event.Scope("user:"+u.id, e.Conversation), registered
	e.Seal()
	return gen.store(ctx, e)
}

// mayEnter reports whether a user may be in a room: in any, unless a token says.
func (u user) mayEnter(room string) bool {
	return u.token == nil || u.token.Rooms == nil || u.token.Rooms[room]
}

// told is the name that a user has not said himself.
func (u user) told() string {
	if u.token == nil {
		return ""
	}
	return u.name
}

// expire has a connection cut when its user's token ends; official clients come back,
// with a new one if there is one.
func (s *session) expire() {
	if s.user.token == nil {
		return
	}
	timer := time.AfterFunc(time.Until(s.user.token.Expires), s.link.Close)
	s.atEnd(func() { timer.Stop() })
}
