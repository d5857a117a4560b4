package gatewaytest

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Message is a "chat message" event.
type Message struct {
	Content string
	Offset  uint64
	Meta    Post
}

// Ack is the answer to a message.
type Ack struct {
	OK        bool    `json:"ok"`
	Offset    uint64  `json:"offset"`
	ID        string  `json:"id"`
	Duplicate bool    `json:"duplicate"`
	Error     Refusal `json:"error"`
}

// Refusal is why something was refused; the zero Refusal if it was not.
type Refusal struct {
	Code         string `json:"code"`
	Message      string `json:"message"`
	RetryAfterMs int    `json:"retryAfterMs"`
}

// Recovery is the "recovery" event.
type Recovery struct {
	Recovered bool   `json:"recovered"`
	From      uint64 `json:"from"`
	Head      uint64 `json:"head"`
	Count     uint64 `json:"count"`
	Epoch     string `json:"epoch"`
	Reason    string `json:"reason"`
}

// Post is a message as it came in an event of any kind, a page of history or the
// list of users.
type Post struct {
	Event        string `json:"-"` // "chat message", "private message", "room message"; empty if in a list
	Room         string `json:"room"`
	Content      string `json:"content"`
	From         string `json:"from"`
	To           string `json:"to"`
	Username     string `json:"username"`
	Offset       uint64 `json:"offset"`
	ID           string `json:"id"`
	At           string `json:"at"`
	ClientOffset string `json:"clientOffset"`
}

// parsePost reads an event, which gives nil if it is no message.
func parsePost(e Event) (*Post, error) {
	p, want := &Post{Event: e.Name}, 1
	switch e.Name {
	case "chat message":
		p.Room, want = "general", 3
	case "private message", "room message":
	default:
		return nil, nil
	}
	if len(e.Args) != want {
		return nil, fmt.Errorf("%s with %d arguments: %s", e.Name, len(e.Args), e.Args)
	}
	if want == 1 {
		return p, json.Unmarshal(e.Args[0], p)
	}
	return p, errors.Join(json.Unmarshal(e.Args[0], &p.Content), json.Unmarshal(e.Args[1], &p.Offset), json.Unmarshal(e.Args[2], p))
}

// Posts are the messages among some events.
func Posts(events []Event) (posts []Post) {
	for _, e := range events {
		if e.Post != nil {
			posts = append(posts, *e.Post)
		}
	}
	return posts
}

// Offsets are the offsets of messages.
func Offsets(posts []Post) []uint64 {
	offsets := make([]uint64, len(posts))
	for i, p := range posts {
		offsets[i] = p.Offset
	}
	return offsets
}

// Listed is a user in "users" or "user connected".
type Listed struct {
	UserID    string `json:"userID"`
	Username  string `json:"username"`
	Connected bool   `json:"connected"`
	Messages  []Post `json:"messages"`
}

// Joined is the ack of "room join" and "room leave".
type Joined struct {
	OK    bool    `json:"ok"`
	Room  string  `json:"room"`
	Head  uint64  `json:"head"`
	Error Refusal `json:"error"`
}

// Page is the ack of "history".
type Page struct {
	OK       bool    `json:"ok"`
	Messages []Post  `json:"messages"`
	More     bool    `json:"more"`
	Error    Refusal `json:"error"`
}
