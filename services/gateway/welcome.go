package gateway

import (
	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
	"github.com/tidemark-chat/tidemark/streams/presence"
)

// begin begins what a connection is sent. Events of the client may come before it
// is through.
func (s *session) begin(hello contract.Hello) {
	if s.user.guest() {
		s.gen.hub.Begin(s.member, hello.Start, hello.Epoch)
		return
	}
	s.link.Push(transport.NewFrame(contract.Session(s.user.sessionID, s.user.id, s.user.told())))
	s.g.presence.Enter(presence.Entry{Kind: presence.User, ID: s.user.id, Name: s.user.name})
	s.atEnd(func() { s.g.presence.Leave(presence.User, s.user.id) })
	s.gen.welcoming.run(s.ctx, s.awaitDirectory, func() { s.welcome(hello) }, func() {})
}

func (s *session) awaitDirectory() bool {
	select {
	case <-s.gen.people.loaded:
		return true
	case <-s.ctx.Done():
		return false
	}
}

// welcome sends a user who there is and, from that very point in the log, or
// from the offset that the client knows, what comes after.
func (s *session) welcome(hello contract.Hello) {
	s.gen.upToDate(s.ctx)
	now := s.gen.tail.Position()
	talked, err := s.gen.past.Direct(s.ctx, s.user.id, now)
	if err != nil && s.ctx.Err() == nil {
		s.g.failed("a user was not sent all latest messages", err)
	}
	names := s.gen.people.names(s.ctx, talked)
	listener, online := s.g.roster.Listen(s.link)
	s.atEnd(func() { s.g.roster.Leave(listener) })
	users := s.gen.people.list(s.user, online, names)
	s.link.Push(transport.NewFrame(usersPacket(users, online, talked)))
	s.g.roster.Begin(listener)
	if hello.Start.Absent || hello.Start.Latest {
		hello = contract.Hello{Start: contract.Start{Offset: now}}
	}
	s.gen.hub.Begin(s.member, hello.Start, hello.Epoch)
}
