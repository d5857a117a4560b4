package gateway_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
)

// TestTheSocketsOfAUserShareOneLimit has two sockets of a user send as fast as they
// can, each within its own limit but together above theirs.
func TestTheSocketsOfAUserShareOneLimit(t *testing.T) {
	t.Parallel()
	const perSocket, perUser = 10, 12
	_, _, at := together(t, 1, func(c *config.Config) { c.Gateway.RateLimit, c.Gateway.UserRateLimit = perSocket, perUser })
	began := time.Now()
	alice := gatewaytest.Join(t, at[0], auth{"username": "alice"})
	sockets := []*gatewaytest.Peer{alice, gatewaytest.Join(t, at[0], auth{"sessionID": alice.SessionID})}
	bob := gatewaytest.Join(t, at[0], auth{"username": "bob"})
	var refused gatewaytest.Refusal
	var refusedKey string
	accepted := []int{0, 0}
	last := uint64(0)
	for i := range 60 {
		key := fmt.Sprintf("%s-%d", sockets[i%2].SocketID, i)
		switch ack := privately(t, sockets[i%2], bob.UserID, "x", key); {
		case ack.OK:
			accepted[i%2]++
			if last != 0 && ack.Offset != last+1 {
				t.Errorf("offset %d after %d: what was refused is stored", ack.Offset, last)
			}
			last = ack.Offset
		case ack.Error.Code != "rate_limited" || ack.Error.RetryAfterMs < 1 || ack.Error.RetryAfterMs > 1000:
			t.Errorf("message %d: %+v", i, ack)
		default:
			refused, refusedKey = ack.Error, key
		}
	}
	took := time.Since(began).Seconds()
	if total := accepted[0] + accepted[1]; total < perUser || float64(total) > perUser*(1+took)+1 {
		t.Errorf("in %.2f s %v messages of two sockets were taken, the user may send %d a second", took, accepted, perUser)
	}
	if refused.Code == "" {
		t.Fatal("nothing was refused")
	}
	if ack := privately(t, bob, alice.UserID, "x"); !ack.OK {
		t.Errorf("another user: %+v", ack)
	}
	<-time.After(time.Duration(refused.RetryAfterMs) * time.Millisecond)
	if ack := privately(t, sockets[1], bob.UserID, "x", refusedKey); !ack.OK || ack.Duplicate {
		t.Errorf("after the time it was told: %+v", ack)
	}
}

// TestASocketHasItsOwnLimitToo has one of a user's sockets send more than it may
// while the user may more.
func TestASocketHasItsOwnLimitToo(t *testing.T) {
	t.Parallel()
	const perSocket = 5
	_, _, at := together(t, 1, func(c *config.Config) { c.Gateway.RateLimit, c.Gateway.UserRateLimit = perSocket, 1000 })
	began, taken := time.Now(), 0
	alice := gatewaytest.Join(t, at[0], auth{"username": "alice", "rooms": []string{"r"}})
	second := gatewaytest.Join(t, at[0], auth{"sessionID": alice.SessionID})
	for range 20 {
		for _, event := range []string{"room message", "private message"} { // from one allowance
			ack, err := alice.Send(testContext(t), event, map[string]any{"room": "r", "to": alice.UserID, "content": "x"})
			if err != nil || !ack.OK && ack.Error.Code != "rate_limited" {
				t.Fatalf("%+v, %v", ack, err)
			}
			if ack.OK {
				taken++
			}
		}
	}
	if took := time.Since(began).Seconds(); taken < perSocket || float64(taken) > perSocket*(1+took)+1 {
		t.Errorf("in %.2f s %d messages were taken, a socket may send %d a second", took, taken, perSocket)
	}
	if ack := privately(t, second, alice.UserID, "x"); !ack.OK {
		t.Errorf("the other socket: %+v", ack)
	}
}

// TestEverythingButMessagesHasALimitOfItsOwn mixes joins, history, typing and the
// like, of a user and of a guest.
func TestEverythingButMessagesHasALimitOfItsOwn(t *testing.T) {
	t.Parallel()
	const perSecond = 6
	_, _, at := together(t, 1, func(c *config.Config) { c.Gateway.RateLimit, c.Gateway.RequestRateLimit = 50, perSecond })
	for _, a := range []auth{{"username": "alice", "rooms": []string{"r"}}, {"rooms": []string{"r"}}} {
		began, taken := time.Now(), 0
		p := gatewaytest.Join(t, at[0], a)
		for range 6 {
			for _, event := range []string{"room join", "history", "typing", "room leave", "stop typing", "add user"} {
				arg := any(map[string]any{"room": "r"})
				if event == "room leave" {
					arg = map[string]any{"room": "another"}
				} else if event == "add user" {
					arg = "name"
				}
				ack, err := p.Send(testContext(t), event, arg)
				if err != nil || !ack.OK && (ack.Error.Code != "rate_limited" || ack.Error.RetryAfterMs < 1) {
					t.Fatalf("%s: %+v, %v", event, ack, err)
				}
				if ack.OK {
					taken++
				}
			}
		}
		if took := time.Since(began).Seconds(); taken < perSecond || float64(taken) > perSecond*(1+took)+1 {
			t.Errorf("in %.2f s %d requests were taken, a socket may make %d a second", took, taken, perSecond)
		}
		toRoom(t, p, "r", "messages have another")
	}
}
