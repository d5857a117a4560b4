package client

import (
	"errors"
	"fmt"
)

// Why a connection ended, for errors.Is. Err wraps one of these, or is a *Refused, a *Violation or a *StatusError.
var (
	// ErrClosed is the end by Close or Cut.
	ErrClosed = errors.New("closed by the client")
	// ErrDisconnected is the end by the server's Socket.IO disconnect, after which official clients do not come back.
	ErrDisconnected = errors.New("the server sent a Socket.IO disconnect")
	// ErrLost is the end of the transport, by whomever, in order or not.
	ErrLost = errors.New("connection lost")
	// ErrPingTimeout is an ErrLost: the server was silent for pingInterval and pingTimeout.
	ErrPingTimeout = fmt.Errorf("%w: no ping came in time", ErrLost)
)

// ErrBacklog says that a packet was not taken, because too much waits for the next POST. The connection goes on.
var ErrBacklog = errors.New("too much is waiting to be sent")

// Refused is a connect_error.
type Refused struct{ Message string }

func (e *Refused) Error() string { return "connect_error: " + e.Message }

// Violation is something that a server must not send.
type Violation struct {
	What   string
	Packet string // how it began; may be empty
}

func (e *Violation) Error() string {
	if e.Packet == "" {
		return "protocol violation: " + e.What
	}
	return fmt.Sprintf("protocol violation: %s: %q", e.What, e.Packet)
}

// violation keeps as much of a packet as a message can use.
func violation(what string, packet []byte) error {
	return &Violation{What: what, Packet: string(packet[:min(len(packet), 200)])}
}

// StatusError is an answer over HTTP that is not a success. Engine.IO's errors come with status 400 and a JSON body.
type StatusError struct {
	Status int
	Body   string // how it began
}

func (e *StatusError) Error() string { return fmt.Sprintf("HTTP status %d: %s", e.Status, e.Body) }

func lost(err error) error { return fmt.Errorf("%w: %w", ErrLost, err) }
