package gateway

import (
	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
	"github.com/tidemark-chat/tidemark/streams/presence"
)

// nickname is what a connection calls itself by "add user". It is no identity:
// anybody may take any.
type nickname struct {
	text    string
	entered bool
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
	if !s.name.entered {
		if !s.user.guest() {
			text = s.user.name
		}
		s.name = nickname{text: text, entered: true}
		s.gen.hub.Lounge(s.member)
		s.g.roster.EnterLounge(s.socketID, s.link)
		s.atEnd(func() { s.g.roster.LeaveLounge(s.socketID) })
		s.g.presence.Enter(presence.Entry{Kind: presence.Nick, ID: s.socketID, Name: text})
		s.atEnd(func() { s.g.presence.Leave(presence.Nick, s.socketID) })
	}
	r.ack(map[string]any{"ok": true})
	r.done()
}
