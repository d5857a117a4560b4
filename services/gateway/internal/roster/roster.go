// Package roster tells connections who comes and goes, on whatever gateway.
//
//	presence ── Changed ──▶ roster ──▶ listeners: "user connected", "user disconnected"
//	                               ╰─▶ lounge:    "login", "user joined", "user left"
//
// What a listener may rely on: together with the list it was given when it began,
// what it is told adds up to who is there. A listener whose outlet is full, or
// that has not been sent its list yet, is owed: of each user that changes
// meanwhile only the latest state is told, and one that is owed too much is cut.
// The lounge is told at once or not at all.
package roster

import (
	"context"
	"sync"
	"time"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
	"github.com/tidemark-chat/tidemark/streams/presence"
)

// retryInterval is how often listeners that are owed something are tried again.
const retryInterval = 250 * time.Millisecond

// maxOwed is how many users a listener may be owed, beyond which it is cut: when it
// comes back, it is sent the list anew.
const maxOwed = 1000

// Outlet is where a listener's frames go. Nothing blocks.
type Outlet interface {
	Send(frames ...transport.Frame) int // may refuse
	Push(transport.Frame)               // may not
	Close()
}

// Roster is one gateway's. Changed is called by presence, in order; the other
// methods by anyone.
type Roster struct {
	// mu is taken under presence's lock, and before an outlet's own.
	mu        sync.Mutex
	online    map[string]string // names of the users who are connected, by id
	listeners map[*Listener]struct{}
	owed      map[*Listener]struct{} // those that are behind, and have their list
	lounge    map[string]Outlet      // by socket id
}

// Listener is a connection that is told about users.
type Listener struct {
	outlet  Outlet
	holding bool            // it has not been sent its list yet
	told    map[string]bool // what it was last told of the users it is owed; nil if none
}

// New makes an empty roster.
func New() *Roster {
	return &Roster{
		online: make(map[string]string), listeners: make(map[*Listener]struct{}),
		owed: make(map[*Listener]struct{}), lounge: make(map[string]Outlet),
	}
}

// Run tries listeners that are owed something again, until ctx ends.
func (r *Roster) Run(ctx context.Context) {
	ticker := time.NewTicker(retryInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			r.retry()
		case <-ctx.Done():
			return
		}
	}
}

// Changed takes the next change of who is there.
func (r *Roster) Changed(c presence.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.Kind == presence.Nick {
		r.tellLounge(c)
		return
	}
	if c.Online {
		r.online[c.ID] = c.Name
	} else {
		delete(r.online, c.ID)
	}
	f := r.frame(c.ID)
	for l := range r.listeners {
		r.tell(l, c.ID, c.Online, f)
	}
}

// Listen makes a listener and says who is connected now, names by id. It is told
// what changes after Begin; Leave ends it.
func (r *Roster) Listen(outlet Outlet) (l *Listener, online map[string]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l = &Listener{outlet: outlet, holding: true}
	r.listeners[l] = struct{}{}
	online = make(map[string]string, len(r.online))
	for id, name := range r.online {
		online[id] = name
	}
	return l, online
}

// Begin says that a listener has been sent the list that Listen gave.
func (r *Roster) Begin(l *Listener) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l.holding = false
	r.settle(l)
}

// Leave ends a listener.
func (r *Roster) Leave(l *Listener) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.listeners, l)
	delete(r.owed, l)
}

// EnterLounge lets a connection hear of nicknames, its own included: the change
// that presence will say of its socket id is its "login".
func (r *Roster) EnterLounge(socket string, outlet Outlet) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lounge[socket] = outlet
}

// LeaveLounge ends that.
func (r *Roster) LeaveLounge(socket string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.lounge, socket)
}

func (r *Roster) retry() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for l := range r.owed {
		r.settle(l)
	}
}

// The methods below are called under mu.

func (r *Roster) tellLounge(c presence.Change) {
	f := transport.NewFrame(contract.UserLeft(c.Name, c.Count))
	if c.Online {
		f = transport.NewFrame(contract.UserJoined(c.Name, c.Count))
	}
	for socket, outlet := range r.lounge {
		switch {
		case socket != c.ID:
			outlet.Send(f)
		case c.Online:
			outlet.Push(transport.NewFrame(contract.Login(c.Count)))
		}
	}
}

func (r *Roster) tell(l *Listener, user string, online bool, f transport.Frame) {
	_, owed := l.told[user]
	if owed {
		return
	}
	if !l.holding && l.outlet.Send(f) == 1 {
		return
	}
	if l.told == nil {
		l.told = make(map[string]bool)
	}
	l.told[user] = !online
	if l.holding {
		return // the list is being made, for few at a time
	}
	r.owed[l] = struct{}{}
	if len(l.told) > maxOwed {
		delete(r.listeners, l)
		delete(r.owed, l)
		l.outlet.Close()
	}
}

// settle tells a listener what it is owed, as far as its outlet takes it.
func (r *Roster) settle(l *Listener) {
	for user, told := range l.told {
		if _, online := r.online[user]; online != told && l.outlet.Send(r.frame(user)) == 0 {
			r.owed[l] = struct{}{}
			return
		}
		delete(l.told, user)
	}
	l.told = nil
	delete(r.owed, l)
}

func (r *Roster) frame(user string) transport.Frame {
	if name, online := r.online[user]; online {
		return transport.NewFrame(contract.UserConnected(user, name))
	}
	return transport.NewFrame(contract.UserDisconnected(user))
}
