package contract

import (
	"fmt"
	"time"
	"unicode/utf8"
)

// Code is the reason of a permanent refusal.
type Code string

const (
	InvalidPayload Code = "invalid_payload"
	TooLarge       Code = "too_large"
	RateLimited    Code = "rate_limited"
	KeyConflict    Code = "key_conflict"
)

// Refusal is a permanent refusal of what a client sent. It is acked, so that a
// client with retries goes on with its next message.
type Refusal struct {
	Code       Code
	Message    string
	RetryAfter time.Duration // RateLimited only
}

func (r *Refusal) Error() string { return string(r.Code) + ": " + r.Message }

const maxKey = 128 // characters

// Post is a message a client wants stored.
type Post struct {
	Content string
	Key     string // clientOffset; empty if it gave none
}

// ParseChatMessage reads the arguments of "chat message", the ack left out:
// content, and optionally the key.
func ParseChatMessage(args []any, maxContentBytes int) (Post, *Refusal) {
	if len(args) == 0 || len(args) > 2 {
		return Post{}, invalid("want content and an optional clientOffset, got %d arguments", len(args))
	}
	content, ok := args[0].(string)
	if !ok || content == "" {
		return Post{}, invalid("content must be a non-empty string")
	}
	if len(content) > maxContentBytes {
		return Post{}, &Refusal{Code: TooLarge, Message: fmt.Sprintf("content has %d bytes, %d are allowed", len(content), maxContentBytes)}
	}
	post := Post{Content: content}
	if len(args) == 2 && args[1] != nil {
		post.Key, ok = args[1].(string)
		if n := utf8.RuneCountInString(post.Key); !ok || n == 0 || n > maxKey {
			return Post{}, invalid("clientOffset must be a string of 1 to %d characters", maxKey)
		}
	}
	return post, nil
}

func invalid(format string, args ...any) *Refusal {
	return &Refusal{Code: InvalidPayload, Message: fmt.Sprintf(format, args...)}
}

// Stored is the ack of a message the log holds.
func Stored(offset uint64, id string, duplicate bool) map[string]any {
	return map[string]any{"ok": true, "offset": offset, "id": id, "duplicate": duplicate}
}

// Refused is the ack of a permanent refusal.
func Refused(r *Refusal) map[string]any {
	e := map[string]any{"code": string(r.Code), "message": r.Message}
	if r.Code == RateLimited {
		e["retryAfterMs"] = max(1, r.RetryAfter.Milliseconds())
	}
	return map[string]any{"ok": false, "error": e}
}
