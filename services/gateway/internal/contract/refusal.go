package contract

import (
	"fmt"
	"time"
)

// Code is the reason of a permanent refusal.
type Code string

const (
	InvalidPayload   Code = "invalid_payload"
	TooLarge         Code = "too_large"
	RateLimited      Code = "rate_limited"
	Forbidden        Code = "forbidden"
	UnknownRecipient Code = "unknown_recipient"
	KeyConflict      Code = "key_conflict"
)

// Codes are all there are.
var Codes = []Code{InvalidPayload, TooLarge, RateLimited, Forbidden, UnknownRecipient, KeyConflict}

// Refusal is a permanent refusal of what a client sent. It is acked, so that a
// client with retries goes on with its next message.
type Refusal struct {
	Code       Code
	Message    string
	RetryAfter time.Duration // RateLimited only
}

func (r *Refusal) Error() string { return string(r.Code) + ": " + r.Message }

func invalid(format string, args ...any) *Refusal {
	return &Refusal{Code: InvalidPayload, Message: fmt.Sprintf(format, args...)}
}
