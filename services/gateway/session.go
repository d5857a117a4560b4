package gateway

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/zishang520/socket.io/servers/socket/v3"
	"golang.org/x/time/rate"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/delivery"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/idempotency"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/posting"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
	"github.com/tidemark-chat/tidemark/streams/appender"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// session is one Socket.IO connection. Its events are handled one after another
// on the library's queue for it; its end comes on any goroutine.
type session struct {
	g       *Gateway
	gen     *generation
	link    *transport.Link
	guest   idempotency.Guest
	limiter *rate.Limiter // nil: no limit

	member atomic.Pointer[delivery.Member]
	ended  atomic.Bool
}

// event is called once for each event of the client, in order, with its name,
// its arguments and, last, the ack if the client wants one. done must be called
// when everything about it is finished: until then it counts against what the
// client may have under way.
func (s *session) event(args []any, done func()) {
	name, _ := args[0].(string)
	args, ack := splitAck(args[1:])
	switch name {
	case "chat message":
		s.chatMessage(args, ack, done)
	default:
		// Answered, because a client with retries would otherwise send it again
		// and again, and nothing after it.
		ack(contract.Refused(&contract.Refusal{Code: contract.InvalidPayload, Message: "unknown event"}))
		done()
	}
}

func splitAck(args []any) ([]any, func(map[string]any)) {
	if n := len(args); n > 0 {
		if ack, ok := args[n-1].(socket.Ack); ok {
			return args[:n-1], func(answer map[string]any) { ack([]any{answer}, nil) }
		}
	}
	return args, func(map[string]any) {}
}

// chatMessage handles ("chat message", content [, clientOffset] [, ack]).
func (s *session) chatMessage(args []any, ack func(map[string]any), done func()) {
	arrived := time.Now()
	refuse := func(r *contract.Refusal) {
		s.g.metrics.refused.WithLabelValues(string(r.Code)).Inc()
		ack(contract.Refused(r))
	}
	post, refusal := contract.ParseChatMessage(args, int(s.g.cfg.Gateway.MaxContentBytes))
	if refusal == nil {
		refusal = s.limit(arrived, post.Key)
	}
	if refusal != nil {
		refuse(refusal)
		done()
		return
	}
	s.gen.poster.Post(context.Background(), s.guest, subject.General, post, func(stored posting.Stored, err error) {
		defer done()
		refusal := (*contract.Refusal)(nil)
		switch {
		case err == nil:
			s.g.metrics.acked.WithLabelValues(strconv.FormatBool(stored.Duplicate)).Inc()
			s.g.metrics.ackSeconds.Observe(time.Since(arrived).Seconds())
			ack(contract.Stored(stored.Offset, stored.ID, stored.Duplicate))
		case errors.As(err, &refusal):
			refuse(refusal)
		default: // not acked: the client's own timeout retries
			s.g.metrics.unanswered.Inc()
			s.g.postFailed(err)
		}
	})
}

// limit takes one message from the socket's allowance.
//
// One exception: a message typed before this connection (its key says so) whose
// client waits for each ack is held back instead of refused. That is how official
// clients send what was typed while they were offline, and they take a refusal
// for an ack: the message would be lost.
func (s *session) limit(now time.Time, key string) *contract.Refusal {
	if s.limiter == nil {
		return nil
	}
	r := s.limiter.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait == 0 {
		return nil
	}
	if key != "" && !s.guest.Made(key) && s.link.Unfinished() <= 1 && wait <= longestHold {
		<-time.After(wait) // on this socket's own queue, with nothing behind it
		return nil
	}
	r.CancelAt(now)
	return &contract.Refusal{Code: contract.RateLimited, Message: "too many messages", RetryAfter: wait}
}

// longestHold is shorter than official clients wait for an ack.
const longestHold = 5 * time.Second

// join begins delivery.
func (s *session) join(hello contract.Hello) {
	s.member.Store(s.gen.hub.Join(s.link, delivery.Interest{
		Conversations: []subject.Conversation{subject.General},
		Own:           s.guest.Sent,
	}, hello))
	if s.ended.Load() { // it ended while it joined
		s.end()
	}
}

// end ends delivery. It may be called more than once, and before join.
func (s *session) end() {
	s.ended.Store(true)
	if m := s.member.Load(); m != nil {
		s.gen.hub.Leave(m)
	}
}

// postFailed logs a temporary failure to store a message: at most one line a
// second, since without the log every message fails.
func (g *Gateway) postFailed(err error) {
	now := time.Now().Unix()
	if g.failureLogged.Swap(now) == now {
		return
	}
	level := slog.LevelWarn
	if errors.Is(err, appender.ErrLogFull) {
		level = slog.LevelError // it takes an operator
	}
	g.log.Log(context.Background(), level, "message not stored, its sender must retry", "error", err)
}
