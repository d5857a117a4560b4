package gatewaytest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"testing"
)

// Auth is what a client says when it connects.
type Auth map[string]any

// With is the auth and more.
func (a Auth) With(more Auth) Auth {
	all := maps.Clone(a)
	maps.Copy(all, more)
	return all
}

// Peer is a connection of a user or a guest that has caught up.
type Peer struct {
	*Client
	SessionID, UserID string   // empty for a guest
	Users             []Listed // as the connection began; nil for a guest
	Began             []Event  // what came up to "recovery", which is the last
	Replayed          []Post   // the messages among them
	Recovery          Recovery
}

// DialPeer dials and reads what a connection begins with, up to its "recovery".
func DialPeer(ctx context.Context, address string, auth Auth) (*Peer, error) {
	c, err := Dial(ctx, address, auth)
	if err != nil {
		return nil, err
	}
	p := &Peer{Client: c}
	if err := p.Begin(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return p, nil
}

// Begin is the second half of DialPeer, after Dial.
func (p *Peer) Begin(ctx context.Context) error {
	events, err := p.Until(ctx, func(e Event) bool { return e.Name == "recovery" })
	if err != nil {
		return fmt.Errorf("before recovery: %w", err)
	}
	p.Began, p.Replayed = events, Posts(events)
	for _, e := range events {
		var err error
		switch e.Name {
		case "session":
			err = json.Unmarshal(e.Args[0], p)
		case "users":
			err = json.Unmarshal(e.Args[0], &p.Users)
		case "recovery":
			err = json.Unmarshal(e.Args[0], &p.Recovery)
		}
		if err != nil {
			return fmt.Errorf("%s %s: %w", e.Name, e.Args, err)
		}
	}
	return nil
}

// Join connects with some auth, which may be nil, waits until the connection has
// caught up, and closes it with the test.
func Join(t testing.TB, address string, auth Auth) *Peer {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Timeout)
	defer cancel()
	p, err := DialPeer(ctx, address, auth)
	if err != nil {
		t.Fatal(fmt.Errorf("connect with %v: %w", auth, err))
	}
	t.Cleanup(p.Close)
	return p
}

// Listed is the entry of a user in the list that the connection began with.
func (p *Peer) Listed(user string) (l Listed, ok bool) {
	for _, l := range p.Users {
		if l.UserID == user {
			return l, true
		}
	}
	return Listed{}, false
}
