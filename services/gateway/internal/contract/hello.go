// Package contract is what clients see, to the letter: what they may say when
// they connect and send, what they are answered, and how events look on the
// wire. Pure functions of values; docs/contract.md is its prose.
package contract

import (
	"errors"
	"math"
	"strconv"
	"unicode/utf8"
)

// Errors of a connect, to the letter: clients see them as connect_error.
var (
	ErrInvalidOffset   = errors.New("invalid offset")
	ErrInvalidUsername = errors.New("invalid username")
	ErrNoGuests        = errors.New("guests are not allowed")
	ErrNoUsers         = errors.New("users are not supported by this gateway")
)

const (
	// MaxOffset is the largest offset a client can hold: JavaScript's largest
	// safe integer.
	MaxOffset = 1<<53 - 1

	maxUsername = 64 // characters
)

// Hello is what a client says when it connects.
type Hello struct {
	Start Start
	Epoch string // of the log its offset belongs to; empty if it did not say
}

// Start is where a client wants to begin.
type Start struct {
	Latest bool   // from now on, without a replay
	Offset uint64 // otherwise after this offset; 0 is the beginning
}

// ParseHello reads the auth payload of a connect, which may be nil. Its errors
// are the ones above.
func ParseHello(auth map[string]any, allowGuests bool) (Hello, error) {
	if err := identify(auth, allowGuests); err != nil {
		return Hello{}, err
	}
	start, err := parseStart(auth["serverOffset"])
	if err != nil {
		return Hello{}, err
	}
	epoch, _ := auth["epoch"].(string)
	return Hello{Start: start, Epoch: epoch}, nil
}

// identify decides who is connecting by the shape of auth: today, guests only.
func identify(auth map[string]any, allowGuests bool) error {
	username, named := auth["username"]
	known, token := auth["sessionID"] != nil, auth["token"] != nil
	switch {
	case named:
		name, ok := username.(string)
		if n := utf8.RuneCountInString(name); !ok || n == 0 || n > maxUsername {
			return ErrInvalidUsername
		}
		return ErrNoUsers
	case known:
		return ErrInvalidUsername // no session is known
	case token:
		return ErrNoUsers
	case !allowGuests:
		return ErrNoGuests
	}
	return nil
}

// parseStart reads serverOffset: a non-negative integer, or a string of digits;
// "" is the beginning, as is nothing at all for a guest.
func parseStart(v any) (Start, error) {
	switch v := v.(type) {
	case nil:
		return Start{}, nil
	case float64:
		if v < 0 || v > MaxOffset || v != math.Trunc(v) { // NaN fails the last
			return Start{}, ErrInvalidOffset
		}
		return Start{Offset: uint64(v)}, nil
	case string:
		if v == "" {
			return Start{}, nil
		}
		if v == "latest" {
			return Start{Latest: true}, nil
		}
		offset, err := strconv.ParseUint(v, 10, 64) // digits only: no sign, no space
		if err != nil || offset > MaxOffset {
			return Start{}, ErrInvalidOffset
		}
		return Start{Offset: offset}, nil
	default:
		return Start{}, ErrInvalidOffset
	}
}
