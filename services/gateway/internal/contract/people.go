package contract

import (
	"strconv"

	"github.com/tidemark-chat/tidemark/streams/event"
)

// Session is the "session" event, the first of a user's connection. sessionID is
// the user's secret, userID is public. A token's user has no sessionID, and is told
// his name, which he may not know; others have said it, and their username is "".
func Session(sessionID, userID, username string) []byte {
	dst := appendString([]byte(`2["session",{"sessionID":`), sessionID)
	dst = appendString(append(dst, `,"userID":`...), userID)
	if username != "" {
		dst = appendString(append(dst, `,"username":`...), username)
	}
	return append(dst, '}', ']')
}

// The "users" event is UsersOpen, what AppendUser appends for each user, and
// UsersClose.
const (
	UsersOpen  = `2["users",[`
	UsersClose = `]]`
)

// AppendUser appends the entry of a user to a "users" event. messages are the
// latest ones exchanged with that user, the oldest first.
func AppendUser(dst []byte, id, username string, connected bool, messages []*event.Event) []byte {
	if n := len(dst); n > 0 && dst[n-1] != '[' { // of UsersOpen
		dst = append(dst, ',')
	}
	dst = appendUser(dst, id, username)
	dst = strconv.AppendBool(dst, connected)
	dst = append(dst, `,"messages":[`...)
	for i, e := range messages {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendListed(dst, e)
	}
	return append(dst, ']', '}')
}

// AppendListed appends a message as it stands in a user's entry.
func AppendListed(dst []byte, e *event.Event) []byte {
	return append(appendDirect(append(dst, '{'), e), '}')
}

func appendUser(dst []byte, id, username string) []byte {
	dst = appendString(append(dst, `{"userID":`...), id)
	dst = appendString(append(dst, `,"username":`...), username)
	return append(dst, `,"connected":`...)
}

// UserConnected is the "user connected" event.
func UserConnected(id, username string) []byte {
	dst := appendUser([]byte(`2["user connected",`), id, username)
	return append(dst, `true,"messages":[]}]`...)
}

// UserDisconnected is the "user disconnected" event.
func UserDisconnected(id string) []byte {
	return append(appendString([]byte(`2["user disconnected",`), id), ']')
}

// Login is the "login" event: the answer to "add user".
func Login(numUsers int) []byte {
	return append(strconv.AppendInt([]byte(`2["login",{"numUsers":`), int64(numUsers), 10), '}', ']')
}

// UserJoined is the "user joined" event: somebody else has sent "add user".
func UserJoined(username string, numUsers int) []byte {
	return appendNickname([]byte(`2["user joined",`), username, numUsers)
}

// UserLeft is the "user left" event.
func UserLeft(username string, numUsers int) []byte {
	return appendNickname([]byte(`2["user left",`), username, numUsers)
}

func appendNickname(dst []byte, username string, numUsers int) []byte {
	dst = appendString(append(dst, `{"username":`...), username)
	dst = strconv.AppendInt(append(dst, `,"numUsers":`...), int64(numUsers), 10)
	return append(dst, '}', ']')
}

// Typing is the "typing" event or, with stop, "stop typing". userID and room are
// left out where they are empty.
func Typing(stop bool, username, userID, room string) []byte {
	dst := []byte(`2["typing",{"username":`)
	if stop {
		dst = []byte(`2["stop typing",{"username":`)
	}
	dst = appendString(dst, username)
	if userID != "" {
		dst = appendString(append(dst, `,"userID":`...), userID)
	}
	if room != "" {
		dst = appendString(append(dst, `,"room":`...), room)
	}
	return append(dst, '}', ']')
}
