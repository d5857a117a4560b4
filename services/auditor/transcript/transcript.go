// Package transcript makes and checks transcripts: one conversation, for handing over to someone who has only the notary's public
// key. A transcript is a file of lines of JSON, each in the one form of [proof.Encode]:
//
//	{"kind":"tidemark.transcript/1","conversation":"room:general",...,"checkpoint":"...","sha256":"..."}   Header
//	{"event":{"offset":42,...},"hashes":["...",...]}                                                       Line
//	{"event":{"offset":57,...},"hashes":["...",...]}
//
// The page (HTML) is made of the lines alone and carries them, so that checking it is: take out the lines, check them, make the
// page again, compare.
//
// What a transcript proves: each of its events is in the log at its place, and is what it was when the notary signed. What it does not
// prove: that no event of the conversation was left out. The header's checksum finds what was altered by accident or carelessly;
// whoever takes out a line and makes a new header is found out only by replaying the log.
//
// Memory is one line, and less than 100 bytes for each event of the conversation, by which those that repeat an earlier one are found.
package transcript

import (
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/services/auditor/record"
)

// Kind is the kind of these files.
const Kind = "tidemark.transcript/1"

// The files of a transcript in its directory.
const (
	LinesFile = "transcript.ndjson"
	PageFile  = "transcript.html"
)

// Header is the first line. What it says beside the checkpoint is the word of whoever made the transcript.
type Header struct {
	Kind         string    `json:"kind"`
	Conversation string    `json:"conversation"`
	First        uint64    `json:"first"`          // the offsets that were read, both included
	Last         uint64    `json:"last"`           // not beyond the checkpoint, unless something is unproved
	Since        time.Time `json:"since,omitzero"` // UTC; zero: no bound
	Until        time.Time `json:"until,omitzero"` // not included
	Events       uint64    `json:"events"`
	Unproved     uint64    `json:"unproved"` // of these
	Missing      uint64    `json:"missing"`  // offsets of the span at which the log holds nothing (also behind its end, where the checkpoint covers more), or nothing of which it could be checked that it is of another conversation
	Checkpoint   string    `json:"checkpoint"`
	SHA256       string    `json:"sha256"` // hex: of the lines of events, and then this line with an empty sha256
}

// Line is an event of the conversation. Without hashes (nil) nothing is proved of it: it is newer than the checkpoint, or damaged.
type Line struct {
	Event  record.Record `json:"event"`
	Hashes []tlog.Hash   `json:"hashes,omitzero"`

	Repeats *Repeat `json:"-"` // found while the lines are read; nil: no earlier one
}

// Proved reports whether the line has a proof; whether that holds is not looked at.
func (l *Line) Proved() bool { return l.Hashes != nil }
