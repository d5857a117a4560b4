package contract

import (
	"math"

	"github.com/tidemark-chat/tidemark/streams/subject"
)

// Events of a page of history.
const (
	defaultPage = 50
	maxPage     = 100
)

// History asks for a page of older messages: of a room, or with a user.
type History struct {
	Room, With string // one of them
	Before     uint64 // an offset; 0: from the newest
	Limit      int    // 1 to 100
}

// ParseHistory reads the arguments of "history".
func ParseHistory(args []any) (h History, refusal *Refusal) {
	fields, refusal := fieldsOf(args, "{room or with [, before] [, limit]}")
	if refusal != nil {
		return History{}, refusal
	}
	h.Room, h.With, refusal = roomOrUser(fields, "with")
	if refusal != nil {
		return History{}, refusal
	}
	if before := fields["before"]; before != nil {
		var ok bool
		if h.Before, ok = wholeNumber(before); !ok || h.Before == 0 {
			return History{}, invalid("before must be an offset, 1 or more")
		}
	}
	if h.Limit, refusal = limitOf(fields["limit"]); refusal != nil {
		return History{}, refusal
	}
	return h, nil
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
