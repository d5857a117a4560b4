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
)

// Options are what an operator decides about connects.
type Options struct {
	AllowGuests bool
	MaxRooms    int // of one Hello
}

// Hello is what a client says when it connects: a guest, or a user who names a
// session, or a name, or both.
type Hello struct {
	Guest bool
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
// are the ones above.
func ParseHello(auth map[string]any, o Options) (Hello, error) {
	hello, err := identify(auth, o.AllowGuests)
	if err != nil {
		return Hello{}, err
	}
	if hello.Start, err = parseStart(auth["serverOffset"]); err != nil {
		return Hello{}, err
	}
	if hello.Rooms, err = parseRooms(auth["rooms"], o.MaxRooms); err != nil {
		return Hello{}, err
	}
	hello.Epoch, _ = auth["epoch"].(string)
	return hello, nil
}

// identify decides who is connecting by the shape of auth.
func identify(auth map[string]any, allowGuests bool) (Hello, error) {
	if auth["token"] != nil {
		return Hello{}, ErrNoTokens
	}
	value, named := auth["username"]
	username, valid := characters(value, maxName)
	sessionID, _ := auth["sessionID"].(string) // "" and what is no string are unknown sessions
	switch {
	case sessionID != "", valid:
		return Hello{SessionID: sessionID, Username: username}, nil
	case named, auth["sessionID"] != nil:
		return Hello{}, ErrInvalidUsername
	case !allowGuests:
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
