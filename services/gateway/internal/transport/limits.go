package transport

import "time"

// Limits bound what one connection may cost, and say whom to tell of it. A zero
// field means its default.
type Limits struct {
	// SendBudget is how many bytes may be queued for a peer before [Link.Send]
	// takes no more. Default 256 KiB.
	SendBudget int
	// SendLimit bounds what is queued including what the library writes by itself
	// (acks, pings), which cannot be refused: over it the connection is closed.
	// Default SendBudget + 1 MiB.
	SendLimit int
	// InboundEvents and InboundBytes bound the events taken in and not yet
	// finished (see [Link.Begin]). Over either the connection is not read until one
	// is finished. One event is always let in. Defaults 64 and 256 KiB.
	InboundEvents int
	InboundBytes  int
	// MaxFrame is the largest message, or body of a polling request, in bytes.
	// The library's MaxHttpBufferSize, which is announced to clients, should be
	// the same. Default 128 KiB.
	MaxFrame int
	// StallTimeout closes a connection to which not one byte could be written for
	// this long, or whose request body does not arrive. Default 30 s.
	StallTimeout time.Duration
	// Observer is told of what is written, and what is not. Default: nobody is.
	Observer Observer
	// AnyMessage lets every kind of message through, binary ones too, and counts
	// none: for the official conformance suites, whose servers echo anything.
	AnyMessage bool
}

// Observer is told what becomes of what is sent, on any goroutine, and must not
// block. It must be a pointer or otherwise comparable: the library compares Limits.
type Observer interface {
	// Written says that an event that [Link.Time] was asked to time has been written,
	// and when it was stored.
	Written(stored time.Time)
	// Stalled says that a connection is closed because it took nothing for
	// StallTimeout.
	Stalled()
}

type nobody struct{}

func (nobody) Written(time.Time) {}
func (nobody) Stalled()          {}

const (
	// writeChunk is the most that is written under one deadline, so that a slow
	// reader is told from a stalled one.
	writeChunk = 16 << 10
	// attemptMost is the largest batch that is tried without waiting. A very large
	// write fills the socket's buffer so far that of a slow reader nothing is heard
	// for long.
	attemptMost = 64 << 10
	// pollAnswer is about the most that one poll is answered with.
	pollAnswer = 64 << 10
	// lingerMax bounds how long a closing connection may take to say goodbye.
	lingerMax = 5 * time.Second
)

func (l Limits) withDefaults() Limits {
	orDefault(&l.SendBudget, 256<<10)
	orDefault(&l.SendLimit, l.SendBudget+1<<20)
	orDefault(&l.InboundEvents, 64)
	orDefault(&l.InboundBytes, 256<<10)
	orDefault(&l.MaxFrame, 128<<10)
	if l.StallTimeout <= 0 {
		l.StallTimeout = 30 * time.Second
	}
	if l.Observer == nil {
		l.Observer = nobody{}
	}
	return l
}

func orDefault(n *int, value int) {
	if *n <= 0 {
		*n = value
	}
}

// linger is how long a connection that is being closed in an orderly way may
// take to write what is queued and to hear the peer's goodbye.
func (l Limits) linger() time.Duration { return min(l.StallTimeout, lingerMax) }
