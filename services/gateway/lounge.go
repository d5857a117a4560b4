package gateway

import (
	"sync"
	"time"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
	"github.com/tidemark-chat/tidemark/streams/presence"
)

// nickname is what a connection calls itself by "add user". It is no identity:
// anybody may take any.
type nickname struct {
	mu       sync.Mutex
	text     string
	timer    *time.Timer         // ends the wait for it
	known    bool                // or not to be waited for any longer
	flushing bool                // what waited is being done, in order
	waiting  []func(name string) // no more than the connection may have under way
}

// nameWait is how long messages wait for their sender's nickname.
const nameWait = time.Second

// whenNamed does something with the connection's nickname: a user's is his name; a
// guest's may come a little later. When the page of examples/chat comes back, it
// sends what was typed meanwhile first and its nickname then.
func (s *session) whenNamed(do func(name string)) {
	if !s.user.guest() {
		do(s.user.name)
		return
	}
	n := &s.name
	n.mu.Lock()
	if n.known {
		name := n.text
		n.mu.Unlock()
		do(name)
		return
	}
	n.waiting = append(n.waiting, do)
	first := n.timer == nil
	if first {
		n.timer = time.AfterFunc(nameWait, func() { n.settle("") })
	}
	n.mu.Unlock()
	if first { // not under the lock: it is done at once where the session has ended
		s.atEnd(func() { n.timer.Stop(); n.settle("") })
	}
}

// settle gives a connection its nickname, or none, and does what waits for it, in
// order. It is false if it had one already.
func (n *nickname) settle(text string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.text != "" {
		return false
	}
	n.text = text
	if n.flushing || n.known {
		return true
	}
	n.flushing = true
	for len(n.waiting) > 0 {
		do, name := n.waiting[0], n.text
		n.waiting = n.waiting[1:]
		n.mu.Unlock()
		do(name)
		n.mu.Lock()
	}
	n.known, n.flushing = true, false
	return true
}

func (n *nickname) get() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text
}

// addUser handles ("add user", nickname [, ack]). From then on the connection is
// told who else has a nickname, and messages of general as "new message" too.
// A user goes by the name that he has. Only the first one counts.
func (s *session) addUser(r request) {
	text, refusal := contract.ParseNickname(r.args)
	if refusal == nil {
		refusal = s.limitRequest(r.arrived)
	}
	if refusal != nil {
		s.refuse(r, refusal)
		return
	}
	if !s.user.guest() {
		text = s.user.name
	}
	if s.name.settle(text) {
		s.gen.hub.Lounge(s.member)
		s.g.roster.EnterLounge(s.socketID, s.link)
		s.atEnd(func() { s.g.roster.LeaveLounge(s.socketID) })
		s.g.presence.Enter(presence.Entry{Kind: presence.Nick, ID: s.socketID, Name: text})
		s.atEnd(func() { s.g.presence.Leave(presence.Nick, s.socketID) })
	}
	r.answer(map[string]any{"ok": true})
}
