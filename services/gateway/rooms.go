package gateway

import (
	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// joinRoom handles ("room join", {room} [, ack]).
func (s *session) joinRoom(r request) {
	name, refusal := s.room(r)
	if refusal == nil && !s.user.mayEnter(name) {
		refusal = forbidden("the token is not for this room")
	}
	if refusal == nil && !s.rooms[name] && s.others() >= s.g.cfg.Gateway.MaxRooms && name != subject.General.Name {
		refusal = forbidden("in too many rooms")
	}
	if refusal != nil {
		s.refuse(r, refusal)
		return
	}
	head, ok := s.gen.hub.Join(s.ctx, s.member, room(name))
	if !ok {
		r.done()
		return
	}
	s.rooms[name] = true
	r.answer(contract.Joined(name, head))
}

// others is how many rooms the connection is in beside general.
func (s *session) others() int {
	if s.rooms[subject.General.Name] {
		return len(s.rooms) - 1
	}
	return len(s.rooms)
}

// leaveRoom handles ("room leave", {room} [, ack]). Nothing of the room is sent
// after the ack.
func (s *session) leaveRoom(r request) {
	name, refusal := s.room(r)
	if refusal != nil {
		s.refuse(r, refusal)
		return
	}
	delete(s.rooms, name)
	s.gen.hub.Part(s.member, room(name))
	r.answer(contract.Left(name))
}

func (s *session) room(r request) (name string, refusal *contract.Refusal) {
	name, refusal = contract.ParseRoom(r.args)
	if refusal == nil {
		refusal = s.limitRequest(r.arrived)
	}
	return name, refusal
}

// history handles ("history", {room or with [, before, after or at] [, limit]}, ack).
func (s *session) history(r request) {
	h, refusal := contract.ParseHistory(r.args)
	topic, conversation := room(h.Room), room(h.Room)
	switch {
	case refusal != nil:
	case h.With != "" && s.user.guest():
		refusal = forbidden("guests have no direct messages")
	case h.With != "":
		topic = subject.Inbox(s.user.id)
		conversation = subject.Conversation{Kind: subject.DM, Name: subject.PairName(s.user.id, h.With)}
	case !s.rooms[h.Room]:
		refusal = forbidden("not in this room")
	}
	if refusal == nil {
		refusal = s.limitRequest(r.arrived)
	}
	if refusal != nil {
		s.refuse(r, refusal)
		return
	}
	// Not on the socket's queue: what it sends next does not wait for this.
	s.gen.paging.run(s.ctx, s.takeTurn, func() {
		defer func() { <-s.turn }()
		s.gen.upToDate(s.ctx)
		page, more, err := s.pageOf(topic, conversation, h)
		if err != nil {
			s.unanswered(r, err)
			return
		}
		r.answer(contract.HistoryPage(page, s.Own, h.Newer, more))
	}, r.done)
}

func (s *session) pageOf(
	topic, conversation subject.Conversation, h contract.History,
) (page []*event.Event, more bool, err error) {
	past := s.gen.past
	switch {
	case h.Newer:
		return past.PageAfter(s.ctx, topic, conversation, h.After, h.Limit)
	case !h.At.IsZero():
		return past.PageAt(s.ctx, topic, conversation, h.At, h.Limit)
	}
	return past.Page(s.ctx, topic, conversation, h.Before, h.Limit)
}

// takeTurn waits until no other page is being read for the connection.
func (s *session) takeTurn() bool {
	select {
	case s.turn <- struct{}{}:
		return true
	case <-s.ctx.Done():
		return false
	}
}
