package gateway

import (
	"context"
	"encoding/json"

	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/delivery"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// signalSubject carries what is passed on between gateways and never stored.
const signalSubject = subject.Typing

// signal says that somebody types, or no longer does.
type signal struct {
	Gateway  string               `json:"gateway"` // that it comes from, which has passed it on already
	Topic    subject.Conversation `json:"topic"`   // to whose members it goes
	Stop     bool                 `json:"stop,omitempty"`
	Username string               `json:"username"`
	UserID   string               `json:"userID,omitempty"`
	Room     string               `json:"room,omitempty"`
}

// typing handles ("typing" or "stop typing" [, {room or to}]): passed on at once
// to whom it concerns, if that is allowed, and otherwise ignored.
func (s *session) typing(r request, stop bool) {
	t, refusal := contract.ParseTyping(r.args)
	username := s.username()
	sig := signal{Gateway: s.g.id, Topic: room(t.Room), Stop: stop, Username: username, UserID: s.user.id, Room: t.Room}
	switch {
	case refusal != nil:
	case t.To != "" && s.user.guest():
		refusal = forbidden("guests have no direct messages")
	case t.To != "":
		sig.Topic = subject.Inbox(t.To)
	case !s.rooms[t.Room]:
		refusal = forbidden("not in this room")
	}
	if len(r.args) == 0 || r.args[0] == nil {
		sig.Room = "" // as it was said
	}
	if refusal == nil {
		refusal = s.limitRequest(r.arrived)
	}
	if refusal != nil {
		s.refuse(r, refusal)
		return
	}
	if username != "" { // nobody can show a nameless one
		s.gen.signal(sig, s.member)
		s.g.sendSignal(sig)
	}
	r.answer(map[string]any{"ok": true})
}

func (gen *generation) signal(s signal, except *delivery.Member) {
	gen.hub.Signal(s.Topic, transport.NewFrame(contract.Typing(s.Stop, s.Username, s.UserID, s.Room)), except)
}

// sendSignal tells the other gateways. A signal that gets lost is lost.
func (g *Gateway) sendSignal(s signal) {
	body, err := json.Marshal(s)
	if err == nil {
		err = g.nats.people.Conn().Publish(signalSubject, body)
	}
	if err != nil {
		g.failed("a typing signal was not passed on", err)
	}
}

// passSignals passes on what other gateways send, until ctx ends.
func (g *Gateway) passSignals(ctx context.Context) error {
	sub, err := g.nats.people.Conn().Subscribe(signalSubject, func(m *nats.Msg) {
		var s signal
		gen := g.current.Load()
		if gen == nil || json.Unmarshal(m.Data, &s) != nil || s.Gateway == g.id {
			return
		}
		gen.signal(s, nil)
	})
	if err != nil {
		return err
	}
	<-ctx.Done()
	return sub.Unsubscribe()
}
