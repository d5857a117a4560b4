package transport

import "sync"

// registry finds the link of a connection that wants to upgrade by its session
// id. One is shared by the constructors of one server; a link is in it from the
// handshake until it is shut.
type registry struct {
	mu    sync.Mutex
	links map[string]*Link
}

func newRegistry() *registry { return &registry{links: map[string]*Link{}} }

func (r *registry) add(sid string, l *Link) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l.sid = sid
	r.links[sid] = l
}

func (r *registry) find(sid string) (*Link, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l, ok := r.links[sid]
	return l, ok
}

func (r *registry) remove(l *Link) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.links, l.sid)
}
