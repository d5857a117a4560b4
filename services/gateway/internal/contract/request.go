package contract

import (
	"math"
	"time"

	"github.com/tidemark-chat/tidemark/streams/subject"
)

// Events of a page of history.
const (
	defaultPage = 50
	maxPage     = 100
)

// History asks for a page of messages: of a room, or with a user. At most one of
// Before, Newer and At says which; without any it is the newest.
type History struct {
	Room, With string    // one of them
	Before     uint64    // the newest before this offset, if it is not 0
	Newer      bool      // the oldest after the offset After
	After      uint64    // 0: from the beginning
	At         time.Time // the newest stored up to this time, if it is not zero; UTC
	Limit      int       // 1 to 100
}

// ParseHistory reads the arguments of "history".
func ParseHistory(args []any) (h History, refusal *Refusal) {
	fields, refusal := fieldsOf(args, "{room or with [, before, after or at] [, limit]}")
	if refusal != nil {
		return History{}, refusal
	}
	h.Room, h.With, refusal = roomOrUser(fields, "with")
	if refusal != nil {
		return History{}, refusal
	}
	if refusal = h.parsePlace(fields["before"], fields["after"], fields["at"]); refusal != nil {
		return History{}, refusal
	}
	if h.Limit, refusal = limitOf(fields["limit"]); refusal != nil {
		return History{}, refusal
	}
	return h, nil
}

// parsePlace reads where the page is, of which at most one way is not nil.
func (h *History) parsePlace(before, after, at any) *Refusal {
	var ok bool
	switch {
	case before != nil && after != nil, before != nil && at != nil, after != nil && at != nil:
		return invalid("want at most one of before, after and at")
	case before != nil:
		if h.Before, ok = wholeNumber(before); !ok || h.Before == 0 {
			return invalid("before must be an offset, 1 or more")
		}
	case after != nil:
		if h.After, h.Newer = wholeNumber(after); !h.Newer {
			return invalid("after must be an offset, 0 or more")
		}
	case at != nil:
		if h.At, ok = instant(at); !ok {
			return invalid("at must be a time as in RFC 3339, of the years 1970 to 9999")
		}
	}
	return nil
}

func limitOf(v any) (int, *Refusal) {
	if v == nil {
		return defaultPage, nil
	}
	limit, ok := v.(float64)
	if !ok || !(limit >= 1) || limit != math.Trunc(limit) { // NaN is not >= 1
		return 0, invalid("limit must be an integer, 1 or more")
	}
	return int(min(limit, maxPage)), nil
}

// ParseRoom reads the arguments of "room join" and "room leave".
func ParseRoom(args []any) (room string, refusal *Refusal) {
	fields, refusal := fieldsOf(args, "{room}")
	if refusal != nil {
		return "", refusal
	}
	return roomOf(fields["room"])
}

// TypingTo is where somebody types: in a room, or to a user.
type TypingTo struct{ Room, To string } // one of them

// ParseTyping reads the arguments of "typing" and "stop typing". None are as good
// as general.
func ParseTyping(args []any) (TypingTo, *Refusal) {
	if len(args) == 0 || len(args) == 1 && args[0] == nil {
		return TypingTo{Room: subject.General.Name}, nil
	}
	fields, refusal := fieldsOf(args, "{room or to}, or nothing")
	if refusal != nil {
		return TypingTo{}, refusal
	}
	room, to, refusal := roomOrUser(fields, "to")
	return TypingTo{Room: room, To: to}, refusal
}

// ParseNickname reads the arguments of "add user".
func ParseNickname(args []any) (string, *Refusal) {
	if len(args) == 1 {
		if name, ok := characters(args[0], maxName); ok {
			return name, nil
		}
	}
	return "", invalid("want a username, a string of 1 to %d characters", maxName)
}
