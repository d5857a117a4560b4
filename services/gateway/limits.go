package gateway

import (
	"time"

	"golang.org/x/time/rate"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
)

const (
	// saved is how long a silence a client may make up for: what it could have
	// sent while the log was away, it may send afterwards, at once.
	saved = 15 * time.Second
	// longestHold is shorter than official clients wait for an ack.
	longestHold = 5 * time.Second
)

// bucket allows so many events a second, as many at once, and after a silence
// what was not used meanwhile. A nil bucket allows everything.
func bucket(perSecond config.Rate) *rate.Limiter {
	if perSecond.Off() {
		return nil
	}
	most := max(1, int(float64(perSecond)*saved.Seconds()))
	l := rate.NewLimiter(rate.Limit(perSecond), most)
	l.AllowN(time.Now(), most-max(1, int(perSecond)))
	return l
}

// limits are the buckets of one socket.
type limits struct {
	messages, requests *rate.Limiter
	user               *rate.Limiter // shared by the sockets of a user
}

func (g *Gateway) newLimits(user *rate.Limiter) limits {
	cfg := g.live.Load()
	if cfg.RateLimit.Off() {
		return limits{}
	}
	return limits{messages: bucket(cfg.RateLimit), requests: bucket(cfg.RequestRateLimit), user: user}
}

// take takes one event from all buckets, or none: then wait says how long it
// would have to wait. hold says for how long it may be held back instead.
func take(now time.Time, hold func(wait time.Duration) bool, buckets ...*rate.Limiter) (wait time.Duration, ok bool) {
	taken := make([]*rate.Reservation, 0, len(buckets))
	for _, b := range buckets {
		if b != nil {
			r := b.ReserveN(now, 1)
			taken = append(taken, r)
			wait = max(wait, r.DelayFrom(now))
		}
	}
	if wait == 0 {
		return 0, true
	}
	if hold(wait) {
		<-time.After(wait) // on this socket's own queue, with nothing behind it
		return 0, true
	}
	for _, r := range taken {
		r.CancelAt(now)
	}
	return wait, false
}

// limitMessage takes one message from the socket's and the user's allowance.
//
// One exception: a message typed before this connection (its key says so) whose
// client waits for each ack is held back instead of refused. That is how official
// clients send what was typed while they were offline, and they take a refusal
// for an ack: the message would be lost.
func (s *session) limitMessage(now time.Time, key string) *contract.Refusal {
	hold := func(wait time.Duration) bool {
		return key != "" && !s.sender.Made(key) && s.link.Unfinished() <= 1 && wait <= longestHold
	}
	return rateLimited("messages", now, hold, s.limits.messages, s.limits.user)
}

// limitRequest takes one of the other events.
func (s *session) limitRequest(now time.Time) *contract.Refusal {
	return rateLimited("requests", now, func(time.Duration) bool { return false }, s.limits.requests)
}

func rateLimited(what string, now time.Time, hold func(time.Duration) bool, buckets ...*rate.Limiter) *contract.Refusal {
	wait, ok := take(now, hold, buckets...)
	if ok {
		return nil
	}
	return &contract.Refusal{Code: contract.RateLimited, Message: "too many " + what, RetryAfter: wait}
}
