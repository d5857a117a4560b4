package contract

import (
	"strconv"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// AppendMessage appends a message event as a Socket.IO packet, in the form of
// its conversation: of general, of a direct one, of any other room.
//
//	2["chat message",<content>,<offset>,{"id":…,"at":…,"from":…,"username":…,"clientOffset":…}]
//	2["private message",{"content":…,"from":…,"to":…,"offset":…,"id":…,"at":…,"username":…,"clientOffset":…}]
//	2["room message",{"room":…,"content":…,"from":…,"username":…,"offset":…,"id":…,"at":…,"clientOffset":…}]
//
// A guest has no from, and a username only as a nickname. own says that it goes
// to one of the sender's sockets, which alone are told the clientOffset.
func AppendMessage(dst []byte, e *event.Event, own bool) []byte {
	switch {
	case e.Conversation.Kind == subject.DM:
		return appendPrivateMessage(dst, e, own)
	case e.Conversation == subject.General:
		return appendChatMessage(dst, e, own)
	default:
		return appendRoomMessage(dst, e, own)
	}
}

func appendChatMessage(dst []byte, e *event.Event, own bool) []byte {
	dst = append(dst, `2["chat message",`...)
	dst = appendString(dst, e.Content)
	dst = append(dst, ',')
	dst = strconv.AppendUint(dst, e.Offset, 10)
	dst = append(dst, ',', '{')
	dst = appendStamp(dst, e)
	dst = appendSender(dst, e)
	return append(appendKey(dst, e, own), '}', ']')
}

func appendPrivateMessage(dst []byte, e *event.Event, own bool) []byte {
	dst = append(dst, `2["private message",{`...)
	dst = appendDirect(dst, e)
	dst = append(dst, ',')
	dst = appendStamp(dst, e)
	dst = appendString(append(dst, `,"username":`...), e.SenderName)
	return append(appendKey(dst, e, own), '}', ']')
}

func appendRoomMessage(dst []byte, e *event.Event, own bool) []byte {
	dst = append(dst, `2["room message",{"room":`...)
	dst = append(appendString(dst, e.Conversation.Name), ',')
	return append(appendPosted(dst, e, own), '}', ']')
}

// NewMessage appends a message of general as the "new message" of those who have
// a nickname.
func NewMessage(dst []byte, username, content string) []byte {
	dst = appendString(append(dst, `2["new message",{"username":`...), username)
	dst = appendString(append(dst, `,"message":`...), content)
	return append(dst, '}', ']')
}

// Parts of the objects above, without braces.

func appendPosted(dst []byte, e *event.Event, own bool) []byte {
	dst = appendString(append(dst, `"content":`...), e.Content)
	dst = appendSender(dst, e)
	dst = append(dst, `,"offset":`...)
	dst = strconv.AppendUint(dst, e.Offset, 10)
	dst = appendStamp(append(dst, ','), e)
	return appendKey(dst, e, own)
}

func appendDirect(dst []byte, e *event.Event) []byte {
	dst = appendString(append(dst, `"content":`...), e.Content)
	dst = appendString(append(dst, `,"from":`...), e.Sender)
	dst = appendString(append(dst, `,"to":`...), e.Recipient)
	dst = append(dst, `,"offset":`...)
	return strconv.AppendUint(dst, e.Offset, 10)
}

func appendStamp(dst []byte, e *event.Event) []byte {
	dst = appendString(append(dst, `"id":`...), e.ID)
	dst = append(dst, `,"at":"`...)
	return append(appendTime(dst, e.At), '"')
}

func appendSender(dst []byte, e *event.Event) []byte {
	if e.Sender != "" {
		dst = appendString(append(dst, `,"from":`...), e.Sender)
	}
	if e.SenderName != "" {
		dst = appendString(append(dst, `,"username":`...), e.SenderName)
	}
	return dst
}

func appendKey(dst []byte, e *event.Event, own bool) []byte {
	if own && e.Key != "" {
		dst = appendString(append(dst, `,"clientOffset":`...), e.Key)
	}
	return dst
}
