package session_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/session"
)

func TestARemovedSessionIsGone(t *testing.T) {
	s := open(t, logtest.Start(t).Connect(), time.Hour)
	id, other := create(t, s, ann), create(t, s, session.User{ID: "b", Name: "Bob"})
	hash := session.Hash(id)
	if u, err := s.Owner(ctx, hash); u != ann || err != nil {
		t.Fatalf("%+v, %v", u, err)
	}
	for range 2 {
		if err := s.Remove(ctx, hash); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{s.Renew(ctx, id), second(s.Find(ctx, id)), second(s.Owner(ctx, hash)), second(s.Owner(ctx, id)), s.Remove(ctx, "*")} {
		if !errors.Is(err, session.ErrUnknown) {
			t.Errorf("%v", err)
		}
	}
	if _, err := s.Find(ctx, other); err != nil {
		t.Errorf("another session: %v", err)
	}
}

func second(_ session.User, err error) error { return err }
