package gateway_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
)

// TestWhoSaysTheWrongThingIsNotLetIn also checks that nobody is told of somebody
// who was refused, and that nothing of him is in the log.
func TestWhoSaysTheWrongThingIsNotLetIn(t *testing.T) {
	t.Parallel()
	c := newCast(t, "mallory")
	manyRooms := func(n int) []string {
		rooms := make([]string, n)
		for i := range rooms {
			rooms[i] = fmt.Sprint("room ", i)
		}
		return rooms
	}
	for _, refused := range []struct {
		why   string
		auths []auth
	}{
		{"invalid username", []auth{
			{"username": ""}, {"username": strings.Repeat("u", 65)}, {"username": strings.Repeat("é", 65)}, {"username": strings.Repeat("u", 100_000)},
			{"username": 7}, {"username": 0}, {"username": true}, {"username": nil}, {"username": []string{"alice"}}, {"username": []any{}},
			{"username": auth{"name": "alice"}}, {"username": auth{}}, {"username": "", "serverOffset": 0},
			{"username": "", "sessionID": ""}, {"username": 7, "sessionID": strings.Repeat("0", 32)}, {"username": nil, "sessionID": "x"},
		}},
		{"invalid rooms", []auth{
			{"rooms": "vault"}, {"rooms": auth{"0": "vault"}}, {"rooms": 7}, {"rooms": true}, {"rooms": ""},
			{"rooms": []any{7}}, {"rooms": []any{""}}, {"rooms": []any{nil}}, {"rooms": []any{"vault", []string{"vault"}}}, {"rooms": []any{auth{"room": "vault"}}},
			{"rooms": manyRooms(101)}, {"rooms": []string{strings.Repeat("r", 129)}}, {"rooms": []string{"vault", strings.Repeat("é", 129)}},
		}},
		{"invalid offset", []auth{
			{"serverOffset": -1}, {"serverOffset": 0.5}, {"serverOffset": "0x1"}, {"serverOffset": "1e3"}, {"serverOffset": " 1"},
			{"serverOffset": []int{1}}, {"serverOffset": auth{}}, {"serverOffset": true}, {"serverOffset": 1 << 53}, {"serverOffset": "Latest"},
		}},
		{"tokens are not supported by this gateway", []auth{{"token": "x"}, {"token": 7}, {"token": auth{}}}},
	} {
		for i, a := range refused.auths {
			variants := []auth{a}
			if refused.why != "invalid username" {
				variants = append(variants, a.With(auth{"username": "eve"}), a.With(auth{"sessionID": c.alice.SessionID}))
			}
			for _, a := range variants {
				said := fmt.Sprintf("auth %.100v", a)
				client, err := gatewaytest.Dial(testContext(t), c.at[i%2], a)
				if why := (*gatewaytest.ErrRefused)(nil); !errors.As(err, &why) || why.Message != refused.why {
					t.Errorf("%s: %v, want connect_error %s", said, err, refused.why)
				}
				if err == nil {
					client.Close()
				}
				c.heard(said, 0, nil)
			}
		}
	}
	if strings.Contains(text(c.people), `"eve"`) {
		t.Errorf("somebody was told of eve: %s", text(c.people))
	}
	for _, a := range []auth{
		{"rooms": manyRooms(100)}, {"rooms": []any{}}, {"rooms": nil}, {"rooms": slices.Concat(manyRooms(100), manyRooms(100))},
		{"rooms": []string{strings.Repeat("é", 128)}},
		{"username": "u"}, {"username": strings.Repeat("é", 64)}, {"username": "<b>\x00 \u202e"}, {"username": "u", "sessionID": 7},
		{"username": "u", "sessionID": []string{c.alice.SessionID}}, {"username": "", "sessionID": c.alice.SessionID},
		{"username": []int{1}, "sessionID": c.alice.SessionID},
	} {
		gatewaytest.Join(t, c.at[0], a.With(auth{"serverOffset": "latest"})).Close()
	}
}

// TestASessionOfAnotherIsNotToBeGuessed tries what comes close to alice's session:
// without a name it is refused, with one it makes somebody else.
func TestASessionOfAnotherIsNotToBeGuessed(t *testing.T) {
	t.Parallel()
	c := newCast(t, "mallory")
	id := c.alice.SessionID
	sum := sha256.Sum256([]byte(id))
	last := map[bool]string{true: "1", false: "0"}[strings.HasSuffix(id, "0")]
	guesses := []any{
		c.alice.UserID, "alice", c.alice.SocketID, strings.ToUpper(id) + "A", id[:31], id[1:], id + "0", id[:31] + last, id + id, id + " ", " " + id, id + "\n",
		id + "\x00", id + "\x00" + strings.Repeat("x", 100), "\x00" + id, id[:16] + "\x00" + id[16:], id[:16] + "-" + id[16:], "\u200b" + id,
		hex.EncodeToString(sum[:]), hex.EncodeToString(sum[:16]), base64.StdEncoding.EncodeToString([]byte(id)), base64.RawURLEncoding.EncodeToString(sum[:]),
		strings.Repeat("0", 32), strings.Repeat("f", 32), strings.Repeat(id, 320), strings.Repeat("\x00", 10_240), "*", ">", "$KV.SESSIONS.>",
		hex.EncodeToString(sum[:]) + ".*", "../" + id, "__proto__", id + "," + id, `"` + id + `"`,
		[]string{id}, []any{id, id}, auth{"id": id}, auth{"toString": id}, 0, 7, true, []any{}, auth{},
	}
	if upper := strings.ToUpper(id); upper != id {
		guesses = append(guesses, upper)
	}
	for i, guess := range guesses {
		said := fmt.Sprintf("sessionID %.100q", fmt.Sprint(guess))
		client, err := gatewaytest.Dial(testContext(t), c.at[i%2], auth{"sessionID": guess})
		if refused := (*gatewaytest.ErrRefused)(nil); !errors.As(err, &refused) || refused.Message != "invalid username" {
			t.Errorf("%s: %v, want connect_error invalid username", said, err)
		}
		if err == nil {
			client.Close()
		}
		c.heard(said, 0, nil)
		named := gatewaytest.Join(t, c.at[i%2], auth{"sessionID": guess, "username": "alice"})
		if named.UserID == c.alice.UserID || named.SessionID == id || named.UserID == "" || named.SessionID == guess {
			t.Errorf("%s and a name: user %q, session %q", said, named.UserID, named.SessionID)
		}
		named.Close()
		c.heard(said, 1, nil) // the registration
	}
	// And one who knows it is alice, whatever name he gives.
	again := gatewaytest.Join(t, c.at[0], auth{"sessionID": id, "username": "mallory"})
	if entry, ok := again.Listed(c.alice.UserID); again.UserID != c.alice.UserID || again.SessionID != id || !ok || entry.Username != "alice" {
		t.Errorf("with her session: user %q, %+v", again.UserID, entry)
	}
}
