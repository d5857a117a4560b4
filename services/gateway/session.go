package gateway

import (
	"context"
	"sync"
	"time"

	"github.com/zishang520/socket.io/servers/socket/v3"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/auth"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/delivery"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/idempotency"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/origin"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// session is one Socket.IO connection. Its events are handled one after another
// on the library's queue for it; its end comes on any goroutine.
type session struct {
	g        *Gateway
	gen      *generation
	link     *transport.Link
	socketID string
	user     user // the zero user for a guest
	sender   idempotency.Sender
	origin   *origin.Origin
	limits   limits
	member   *delivery.Member

	rooms map[string]bool // it is in; used on the socket's queue only
	name  nickname
	turn  chan struct{} // held by the page of history that is being read

	ctx    context.Context // ends with the connection
	cancel context.CancelFunc

	mu    sync.Mutex
	ended bool
	undo  []func() // what its end has to undo, last first
}

// user is who a session belongs to.
type user struct {
	sessionID, id, name string
	token               *auth.Token // that he has shown; nil: none
}

func (u user) guest() bool { return u.id == "" }

// newSession makes the session of a connection. Nothing is sent to it yet. It is nil
// if the user has as many connections here as he may.
func (g *Gateway) newSession(gen *generation, link *transport.Link, socketID string, u user, rooms []string) *session {
	s := &session{g: g, gen: gen, link: link, socketID: socketID, user: u, origin: origin.New(), rooms: make(map[string]bool), turn: make(chan struct{}, 1)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.atEnd(s.cancel)
	var topics []subject.Conversation
	if u.guest() {
		s.sender = idempotency.Guest{SocketID: socketID, Since: gen.clock.now(), Joined: gen.tail.Position()}
		s.limits = g.newLimits(nil)
		rooms = append(rooms, subject.General.Name)
	} else {
		s.sender = idempotency.User{ID: u.id, SocketID: socketID, Since: gen.clock.now(), Joined: gen.tail.Position()}
		account, ok := g.accounts.enter(s)
		if !ok {
			s.end()
			return nil
		}
		s.atEnd(func() { g.accounts.leave(s) })
		s.limits = g.newLimits(account)
		topics = append(topics, subject.Inbox(u.id))
	}
	for _, name := range rooms {
		if !s.rooms[name] && u.mayEnter(name) {
			s.rooms[name] = true
			topics = append(topics, room(name))
		}
	}
	s.member = gen.hub.Add(link, s, topics)
	s.atEnd(func() { gen.hub.Leave(s.member) })
	return s
}

func room(name string) subject.Conversation {
	return subject.Conversation{Kind: subject.Room, Name: name}
}

// Own implements delivery.Viewer.
func (s *session) Own(e *event.Event) bool { return s.sender.Sent(e) }

// Sent implements delivery.Viewer.
func (s *session) Sent(e *event.Event) bool { return e.Sender == s.user.id && s.origin.Made(e.ID) }

// ID implements delivery.Viewer.
func (s *session) ID() string { return s.sender.Name() }

// atEnd has something done when the session ends, at once if it has.
func (s *session) atEnd(undo func()) {
	s.mu.Lock()
	if !s.ended {
		s.undo = append(s.undo, undo)
		undo = nil
	}
	s.mu.Unlock()
	if undo != nil {
		undo()
	}
}

// end undoes what the session did, once; it may be called more often.
func (s *session) end() {
	s.mu.Lock()
	undo := s.undo
	s.ended, s.undo = true, nil
	s.mu.Unlock()
	for i := range undo {
		undo[len(undo)-1-i]()
	}
}

// request is one event of a client.
type request struct {
	args    []any // without the ack
	arrived time.Time
	// ack answers the client, if it wants an answer. done must be called when
	// everything about the event is finished: until then it counts against what
	// the client may have under way.
	ack  func(answer map[string]any)
	done func()
}

// answer ends a request with an answer. It no longer counts before the client can
// know: of one that waits for each answer never two are under way (limitMessage).
func (r request) answer(answer map[string]any) {
	r.done()
	r.ack(answer)
}

// handlers is what a client may send.
var handlers = map[string]func(*session, request){
	"chat message":    (*session).chatMessage,
	"room message":    (*session).roomMessage,
	"private message": (*session).privateMessage,
	"new message":     (*session).newMessage,
	"room join":       (*session).joinRoom,
	"room leave":      (*session).leaveRoom,
	"history":         (*session).history,
	"typing":          func(s *session, r request) { s.typing(r, false) },
	"stop typing":     func(s *session, r request) { s.typing(r, true) },
	"add user":        (*session).addUser,
}

// event is called once for each event of the client, in order, with its name,
// its arguments and, last, the ack if the client wants one.
func (s *session) event(args []any, done func()) {
	name, _ := args[0].(string)
	r := request{arrived: time.Now(), done: done}
	r.args, r.ack = splitAck(args[1:])
	if handle := handlers[name]; handle != nil {
		handle(s, r)
		return
	}
	// Answered, because a client with retries would otherwise send it again
	// and again, and nothing after it.
	s.refuse(r, &contract.Refusal{Code: contract.InvalidPayload, Message: "unknown event"})
}

// refuse ends a request that is refused for good.
func (s *session) refuse(r request, why *contract.Refusal) {
	s.g.metrics.refused[why.Code].Inc()
	r.answer(contract.Refused(why))
}

func splitAck(args []any) ([]any, func(map[string]any)) {
	if n := len(args); n > 0 {
		if ack, ok := args[n-1].(socket.Ack); ok {
			return args[:n-1], func(answer map[string]any) { ack([]any{answer}, nil) }
		}
	}
	return args, func(map[string]any) {}
}
