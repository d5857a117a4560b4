// Package contract is what clients see, to the letter: what they may say when
// they connect and send, what they are answered, and how events look on the
// wire. Pure functions of values; docs/contract.md is its prose.
package contract

import "errors"

// Errors of a connect, to the letter: clients see them as connect_error.
var (
	ErrInvalidOffset   = errors.New("invalid offset")
	ErrInvalidUsername = errors.New("invalid username")
	ErrInvalidRooms    = errors.New("invalid rooms")
	ErrNoGuests        = errors.New("guests are not allowed")
	ErrNoTokens        = errors.New("tokens are not supported by this gateway")
	ErrTokenRequired   = errors.New("token required")
	ErrInvalidToken    = errors.New("invalid token")
	ErrTokenExpired    = errors.New("token expired")
	ErrInvalidSession  = errors.New("invalid session")
)

// EndsAttempts reports whether err is one of those above.
func EndsAttempts(err error) bool {
	for _, told := range []error{
		ErrInvalidOffset, ErrInvalidUsername, ErrInvalidRooms, ErrNoGuests,
		ErrNoTokens, ErrTokenRequired, ErrInvalidToken, ErrTokenExpired, ErrInvalidSession,
	} {
		if errors.Is(err, told) {
			return true
		}
	}
	return false
}

// Options are what an operator decides about connects.
type Options struct {
	AllowGuests    bool
	MaxRooms       int  // of one Hello
	Tokens         bool // can be verified
	TokensRequired bool // of everybody
}

// Hello is what a client says when it connects: a guest, or a user who shows a
// token, or who names a session, or a name, or both.
type Hello struct {
	Guest bool
	// Token is to be verified. It says who this is, and whether he may connect,
	// before all else; a SessionID beside it must not be another user's.
	Token string
	// SessionID is to be looked up, whatever it is. Where it is known, it says who
	// this is.
	SessionID string
	// Username is who this is otherwise, or empty: then, if there is no such
	// session, the answer is ErrInvalidUsername.
	Username string
	Rooms    []string // rooms to join, each once
	Start    Start
	Epoch    string // of the log its offset belongs to; empty if it did not say
}

// Start is where a client wants to begin: the zero value is the beginning.
type Start struct {
	Absent bool   // it did not say: where that is depends on who it is
	Latest bool   // from now on, without a replay
	Offset uint64 // otherwise after this offset
}

// ParseHello reads the auth payload of a connect, which may be nil. Its errors
// are the ones above. Where a Token comes with an error, the error is to be told
// only to those whose token is good.
func ParseHello(auth map[string]any, o Options) (Hello, error) {
	hello, err := identify(auth, o)
	if err != nil {
		return Hello{}, err
	}
	if hello.Start, err = parseStart(auth["serverOffset"]); err != nil {
		return hello.toVerify(), err
	}
	if hello.Rooms, err = parseRooms(auth["rooms"], o.MaxRooms); err != nil {
		return hello.toVerify(), err
	}
	hello.Epoch, _ = auth["epoch"].(string)
	return hello, nil
}

// toVerify is what of a Hello that is wrong has to be looked at all the same.
func (h Hello) toVerify() Hello {
	if h.Token == "" {
		return Hello{}
	}
	return Hello{Token: h.Token, SessionID: h.SessionID}
}

// identify decides who is connecting by the shape of auth.
func identify(auth map[string]any, o Options) (Hello, error) {
	value, named := auth["username"]
	username, valid := characters(value, maxName)
	sessionID, _ := auth["sessionID"].(string) // "" and what is no string are unknown sessions
	token, _ := auth["token"].(string)
	switch {
	case auth["token"] != nil && !o.Tokens:
		return Hello{}, ErrNoTokens
	case token != "":
		return Hello{Token: token, SessionID: sessionID}, nil
	case auth["token"] != nil:
		return Hello{}, ErrInvalidToken
	case o.TokensRequired:
		return Hello{}, ErrTokenRequired
	case sessionID != "", valid:
		return Hello{SessionID: sessionID, Username: username}, nil
	case named, auth["sessionID"] != nil:
		return Hello{}, ErrInvalidUsername
	case !o.AllowGuests:
		return Hello{}, ErrNoGuests
	}
	return Hello{Guest: true}, nil
}

// parseStart reads serverOffset: a non-negative integer, or a string of digits;
// "" is the beginning.
func parseStart(v any) (Start, error) {
	switch v {
	case nil:
		return Start{Absent: true}, nil
	case "":
		return Start{}, nil
	case "latest":
		return Start{Latest: true}, nil
	}
	offset, ok := wholeNumber(v)
	if !ok {
		return Start{}, ErrInvalidOffset
	}
	return Start{Offset: offset}, nil
}

func parseRooms(v any, most int) (rooms []string, err error) {
	if v == nil {
		return nil, nil
	}
	list, ok := v.([]any)
	if !ok {
		return nil, ErrInvalidRooms
	}
	seen := make(map[string]bool)
	for _, v := range list {
		room, ok := characters(v, maxRoom)
		if !ok || !seen[room] && len(rooms) == most {
			return nil, ErrInvalidRooms
		}
		if !seen[room] {
			seen[room] = true
			rooms = append(rooms, room)
		}
	}
	return rooms, nil
}
