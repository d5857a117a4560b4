package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"
)

const (
	maxName = 64 // characters, of users and their names
	maxRoom = 128
)

// Token is what a token says that was verified.
type Token struct {
	UserID string // see UserID
	Name   string // of 1 to 64 characters
	// Rooms are the only ones its user may be in; nil: any.
	Rooms map[string]bool
	// Issued is when it was issued, and Expires when it ends, both as early and as late
	// as the leeway of clocks allows; Issued is zero if it does not say.
	Issued, Expires time.Time
}

// claims are those of a token that matter here. json.RawMessage tells a claim that is
// null from one that is not there.
type claims struct {
	jwt.RegisteredClaims
	Name              json.RawMessage `json:"name"`
	PreferredUsername json.RawMessage `json:"preferred_username"`
	Rooms             json.RawMessage `json:"rooms"`
}

// named are the names of claims that matter here.
var named = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "name", "preferred_username", "rooms"}

// UnmarshalJSON takes claims by their exact names. encoding/json by itself takes "Sub" for sub, and the last of
// several: an identity provider that lets its users choose claims of such names would let them be anybody.
func (c *claims) UnmarshalJSON(data []byte) error {
	if err := unambiguous(data); err != nil {
		return err
	}
	type plain claims
	return json.Unmarshal(data, (*plain)(c))
}

// unambiguous tells whether each claim that matters is there at most once, and none under a name that only looks
// like its own.
func unambiguous(data []byte) error {
	in := json.NewDecoder(bytes.NewReader(data))
	if open, err := in.Token(); err != nil || open != json.Delim('{') {
		return errors.New("the claims are no object")
	}
	seen := make(map[string]bool, len(named))
	for in.More() {
		name, err := in.Token()
		if err != nil {
			return err
		}
		for _, ours := range named {
			switch said := name.(string); {
			case !strings.EqualFold(said, ours):
			case said != ours || seen[ours]:
				return fmt.Errorf("the claim %q may be there once and in these letters, and there is %q too", ours, said)
			default:
				seen[ours] = true
			}
		}
		var value json.RawMessage
		if err := in.Decode(&value); err != nil {
			return err
		}
	}
	return nil
}

// token reads claims whose times, issuer and audience are right.
func (c *claims) token(leeway time.Duration) (Token, error) {
	if !wellFormed(c.Subject) {
		return Token{}, fmt.Errorf("%w: sub must be a text of 1 to %d printable characters", ErrInvalid, maxName)
	}
	t := Token{UserID: UserID(c.Subject), Name: c.name(), Expires: c.ExpiresAt.Add(leeway)}
	if c.IssuedAt != nil {
		t.Issued = c.IssuedAt.Add(-leeway)
	}
	var err error
	if t.Rooms, err = c.rooms(); err != nil {
		return Token{}, err
	}
	return t, nil
}

// name is the first of these claims that can be shown as a name.
func (c *claims) name() string {
	for _, claim := range []json.RawMessage{c.Name, c.PreferredUsername} {
		var name string
		if json.Unmarshal(claim, &name) == nil && wellFormed(name) {
			return name
		}
	}
	return c.Subject
}

// rooms reads the claim that restricts. One that is there and is no list of rooms
// refuses the token: it was meant to restrict something.
func (c *claims) rooms() (map[string]bool, error) {
	if len(c.Rooms) == 0 {
		return nil, nil
	}
	var list []string
	if err := json.Unmarshal(c.Rooms, &list); err != nil || list == nil {
		return nil, fmt.Errorf("%w: rooms must be a list of names", ErrInvalid)
	}
	rooms := make(map[string]bool, len(list))
	for _, room := range list {
		if room == "" || utf8.RuneCountInString(room) > maxRoom {
			return nil, fmt.Errorf("%w: a room's name has 1 to %d characters", ErrInvalid, maxRoom)
		}
		rooms[room] = true
	}
	return rooms, nil
}

func wellFormed(name string) bool {
	return name != "" && utf8.RuneCountInString(name) <= maxName && utf8.ValidString(name) && strings.IndexFunc(name, unicode.IsControl) < 0
}

// marked is what ids begin with that could otherwise be taken for others.
const marked = "sub:"

// UserID is the id of a token's user: sub itself. Only a sub that looks like the id
// of a user who chose his own name (32 lower-case hex digits), or that begins with
// the mark, gets the mark in front of it. So no two subs share an id, and none has
// that of a user without a token.
func UserID(sub string) string {
	if strings.HasPrefix(sub, marked) || selfChosen(sub) {
		return marked + sub
	}
	return sub
}

// selfChosen tells whether an id could be one that a gateway has made at random.
func selfChosen(id string) bool {
	return len(id) == 32 && strings.Trim(id, "0123456789abcdef") == ""
}
