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
	mu      sync.Mutex
	text    string
	known   bool                // or not to be waited for any longer
	waiting []func(name string) // no more than the connection may have under way
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
	if !n.known {
		n.waiting = append(n.waiting, do)
		if len(n.waiting) == 1 {
			timer := time.AfterFunc(nameWait, func() { n.settle("") })
			s.atEnd(func() {
				if timer.Stop() {
					n.settle("")
				}
			})
		}
		n.mu.Unlock()
		return
	}
	name := n.text
	n.mu.Unlock()
	do(name)
}

// settle gives a connection its nickname, or none, for what waits for it. It is
// false if it had one already.
func (n *nickname) settle(text string) bool {
	n.mu.Lock()
	if n.text != "" {
		n.mu.Unlock()
		return false
	}
	waiting := n.waiting
	n.text, n.known, n.waiting = text, true, nil
	n.mu.Unlock()
	for _, do := range waiting {
		do(text)
	}
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
	r.ack(map[string]any{"ok": true})
	r.done()
}
