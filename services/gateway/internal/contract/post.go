package contract

import "fmt"

// Post is a message a client wants stored.
type Post struct {
	Content string
	Key     string // clientOffset; empty if it gave none
}

// RoomMessage is a message to a room.
type RoomMessage struct {
	Room string
	Post
}

// PrivateMessage is a message to a user, who may not exist.
type PrivateMessage struct {
	To string // the user's id
	Post
}

// ParseChatMessage reads the arguments of "chat message", the ack left out as
// everywhere here: content, and optionally the key.
func ParseChatMessage(args []any, maxContentBytes int) (Post, *Refusal) {
	switch len(args) {
	case 1:
		return postOf(args[0], nil, maxContentBytes)
	case 2:
		return postOf(args[0], args[1], maxContentBytes)
	}
	return Post{}, invalid("want content and an optional clientOffset, got %d arguments", len(args))
}

// ParseNewMessage reads the arguments of "new message": content alone.
func ParseNewMessage(args []any, maxContentBytes int) (Post, *Refusal) {
	if len(args) != 1 {
		return Post{}, invalid("want content alone, got %d arguments", len(args))
	}
	return postOf(args[0], nil, maxContentBytes)
}

// ParseRoomMessage reads the arguments of "room message".
func ParseRoomMessage(args []any, maxContentBytes int) (RoomMessage, *Refusal) {
	fields, refusal := fieldsOf(args, "{room, content [, clientOffset]}")
	if refusal != nil {
		return RoomMessage{}, refusal
	}
	room, refusal := roomOf(fields["room"])
	if refusal != nil {
		return RoomMessage{}, refusal
	}
	post, refusal := postOf(fields["content"], fields["clientOffset"], maxContentBytes)
	if refusal != nil {
		return RoomMessage{}, refusal
	}
	return RoomMessage{Room: room, Post: post}, nil
}

// ParsePrivateMessage reads the arguments of "private message".
func ParsePrivateMessage(args []any, maxContentBytes int) (PrivateMessage, *Refusal) {
	fields, refusal := fieldsOf(args, "{content, to [, clientOffset]}")
	if refusal != nil {
		return PrivateMessage{}, refusal
	}
	to, refusal := userOf(fields["to"], "to")
	if refusal != nil {
		return PrivateMessage{}, refusal
	}
	post, refusal := postOf(fields["content"], fields["clientOffset"], maxContentBytes)
	if refusal != nil {
		return PrivateMessage{}, refusal
	}
	return PrivateMessage{To: to, Post: post}, nil
}

// postOf reads content and key, which may be nil.
func postOf(content, key any, maxContentBytes int) (Post, *Refusal) {
	text, ok := content.(string)
	if !ok || text == "" {
		return Post{}, invalid("content must be a non-empty string")
	}
	if len(text) > maxContentBytes {
		return Post{}, &Refusal{Code: TooLarge, Message: fmt.Sprintf("content has %d bytes, %d are allowed", len(text), maxContentBytes)}
	}
	if key == nil {
		return Post{Content: text}, nil
	}
	clientOffset, ok := characters(key, maxKey)
	if !ok {
		return Post{}, invalid("clientOffset must be a string of 1 to %d characters", maxKey)
	}
	return Post{Content: text, Key: clientOffset}, nil
}
