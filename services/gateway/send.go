package gateway

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/posting"
	"github.com/tidemark-chat/tidemark/streams/appender"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// chatMessage handles ("chat message", content [, clientOffset] [, ack]).
func (s *session) chatMessage(r request) {
	post, refusal := contract.ParseChatMessage(r.args, s.maxContent())
	s.postToRoom(r, subject.General.Name, post, refusal)
}

// roomMessage handles ("room message", {room, content [, clientOffset]} [, ack]).
func (s *session) roomMessage(r request) {
	m, refusal := contract.ParseRoomMessage(r.args, s.maxContent())
	s.postToRoom(r, m.Room, m.Post, refusal)
}

// newMessage handles ("new message", content [, ack]): a message to general under
// the nickname that "add user" gives.
func (s *session) newMessage(r request) {
	post, refusal := contract.ParseNewMessage(r.args, s.maxContent())
	if s.mayPost(r, subject.General.Name, post.Key, refusal) {
		s.whenNamed(func(name string) { s.post(r, s.message(subject.General, post, name)) })
	}
}

func (s *session) postToRoom(r request, name string, post contract.Post, refusal *contract.Refusal) {
	if s.mayPost(r, name, post.Key, refusal) {
		s.post(r, s.message(room(name), post, s.username()))
	}
}

// mayPost refuses what may not be posted to a room.
func (s *session) mayPost(r request, room, key string, refusal *contract.Refusal) bool {
	if refusal == nil && !s.rooms[room] {
		refusal = forbidden("not in this room")
	}
	if refusal == nil {
		refusal = s.limitMessage(r.arrived, key)
	}
	if refusal != nil {
		s.refuse(r, refusal)
	}
	return refusal == nil
}

// privateMessage handles ("private message", {content, to [, clientOffset]} [, ack]).
func (s *session) privateMessage(r request) {
	m, refusal := contract.ParsePrivateMessage(r.args, s.maxContent())
	if refusal == nil && s.user.guest() {
		refusal = forbidden("guests have no direct messages")
	}
	if refusal == nil {
		refusal = s.limitMessage(r.arrived, m.Key)
	}
	if refusal != nil {
		s.refuse(r, refusal)
		return
	}
	known, err := s.gen.people.knows(s.ctx, m.To)
	switch {
	case err != nil:
		s.unanswered(r, err)
	case !known:
		s.refuse(r, &contract.Refusal{Code: contract.UnknownRecipient, Message: "no such user"})
	default:
		s.post(r, s.directMessage(m.To, m.Post))
	}
}

// username is the user's name, or the nickname of a guest who has one.
func (s *session) username() string {
	if s.user.guest() {
		return s.name.get()
	}
	return s.user.name
}

func (s *session) maxContent() int { return int(s.g.cfg.Gateway.MaxContentBytes) }

func forbidden(message string) *contract.Refusal {
	return &contract.Refusal{Code: contract.Forbidden, Message: message}
}

func (s *session) message(to subject.Conversation, post contract.Post, as string) event.Event {
	e := event.NewPosted(s.origin.NewID(s.gen.clock.now()), to, post.Content)
	e.Sender, e.SenderName, e.Key = s.user.id, as, post.Key
	return e
}

func (s *session) directMessage(to string, post contract.Post) event.Event {
	pair := subject.Conversation{Kind: subject.DM, Name: subject.PairName(s.user.id, to)}
	e := s.message(pair, post, s.user.name)
	e.Recipient = to
	return e
}

// post has a message stored and answers its sender.
func (s *session) post(r request, e event.Event) {
	ctx, span := s.g.tracer.Receive(context.Background(), r.arrived)
	s.gen.poster.Post(ctx, s.sender, e, func(stored posting.Stored, err error) {
		span.End(outcome(err))
		refusal := (*contract.Refusal)(nil)
		switch {
		case err == nil:
			s.g.metrics.acknowledged(time.Since(r.arrived), stored.Duplicate)
			r.answer(contract.Stored(stored.Offset, stored.ID, stored.Duplicate))
		case errors.As(err, &refusal):
			s.refuse(r, refusal)
		default:
			s.unanswered(r, err)
		}
	})
}

// outcome is what a trace says of how a posting ended: nothing if it was stored.
func outcome(err error) string {
	if refusal := (*contract.Refusal)(nil); errors.As(err, &refusal) {
		return "refused: " + string(refusal.Code)
	}
	if err != nil {
		return "unanswered"
	}
	return ""
}

// unanswered ends a request that failed for now. It is not acked: the client's
// own timeout retries.
func (s *session) unanswered(r request, err error) {
	s.g.metrics.unanswered.Inc()
	s.g.failed("request failed, its sender must retry", err)
	r.done()
}

// failed logs a temporary failure: seldom, since without the log everything fails.
func (g *Gateway) failed(message string, err error) {
	level := slog.LevelWarn
	if errors.Is(err, appender.ErrLogFull) {
		level = slog.LevelError // it takes an operator
	}
	g.failures.Log(g.log, level, message, "error", err)
}
