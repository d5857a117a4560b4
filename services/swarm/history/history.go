// Package history is what the clients of a run did and were told, in the order in which each of them did it and was
// told it. It is written by the crowd while it runs and read by the oracle when it has ended.
//
//	Run ── Actor ──┬─ Send ── Try         what it sent, how often, and each answer
//	               └─ Connection ── Entry  what came over one connection, in the order of arrival
//
// All times are since the run began, by one clock.
package history

import (
	"sync"
	"time"

	"github.com/tidemark-chat/tidemark/streams/subject"
)

// Run is all of it.
type Run struct {
	// ID begins the content of every message of this run ("<ID> "), and of no other.
	ID     string
	Began  time.Time
	Actors []*Actor
}

// Actor is one client with one identity, over all its connections, of which it may have several at the same time.
// Whoever runs it writes under Mu; when the run has ended nobody writes any more.
type Actor struct {
	Name    string // in this run: "reconnector-7"
	Profile string // which kind of client: "reconnector"

	Mu          sync.Mutex
	User        string // id that the server gave it; empty: a guest
	Username    string
	Sends       []*Send
	Connections []*Connection
}

// Message is a message as somebody tells of it: the log, or a client that was sent it.
type Message struct {
	Offset       uint64
	ID           string
	At           string               // RFC 3339 in UTC with milliseconds
	Conversation subject.Conversation // a room, or the pair of users
	From         string               // user id; empty: a guest
	Username     string
	To           string // user id; empty: in a room
	Content      string
	Key          string // the sender's clientOffset; told to the sender's own connections only
}

// Send is a message that somebody wants to be stored once, however often it is sent.
type Send struct {
	Conversation subject.Conversation
	To           string // user id, of a direct message
	Key          string // clientOffset; empty: none was given, and then there is at most one try
	Content      string // differs from that of every other Send of the run
	Tries        []Try
}

// Try is one transmission.
type Try struct {
	Connection int           // index among the actor's
	At         time.Duration // just before it was written
	Answer     *Answer       // nil: none came
}

// Answer is an ack.
type Answer struct {
	At        time.Duration
	OK        bool
	Offset    uint64
	ID        string
	Duplicate bool
	Code      string // of a refusal, if not OK: "rate_limited"
}

// Connection is one Socket.IO connection, from the CONNECT that was answered to its end.
type Connection struct {
	Gateway   string // base URL
	Transport string // "websocket", "polling"
	SocketID  string

	// What it said when it connected.
	From   *uint64 // serverOffset; nil if it gave none
	Latest bool    // serverOffset was "latest"
	Epoch  string
	Rooms  []string

	Opened, Closed time.Duration // Closed is 0 while it is open
	Why            string        // it ended
	Entries        []Entry       // in the order of arrival; what the client itself did stands where it did it
}

// Kind is what an entry is about.
type Kind uint8

// The kinds of entries.
const (
	Received     Kind = iota // Message came
	Recovered                // Recovery came
	Watermark                // Offset came in a watermark
	JoinAsked                // the client asked to join Room
	Joined                   // the join of Room was acked with Offset as its head
	LeaveAsked               // the client asked to leave Room
	Left                     // the leave of Room was acked
	JoinRefused              // the join of Room was refused; Text says why
	LeaveRefused             // the leave of Room was refused; Text says why
	Malformed                // something came that breaks the contract by itself; Text says what
	PausedHere               // the client stopped reading
	ResumedHere              // it reads again
)

// Entry is one thing that happened on a connection.
type Entry struct {
	At       time.Duration
	Kind     Kind
	Offset   uint64
	Room     string
	Text     string
	Message  *Message  // shared by all who were sent the same bytes
	Recovery *Recovery // of a Recovered
}

// Recovery is the event of this name.
type Recovery struct {
	Recovered bool   `json:"recovered"`
	From      uint64 `json:"from"`
	Head      uint64 `json:"head"`
	Count     uint64 `json:"count"`
	Epoch     string `json:"epoch"`
	Reason    string `json:"reason"`
}
