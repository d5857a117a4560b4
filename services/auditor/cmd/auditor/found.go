package main

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/tidemark-chat/tidemark/services/auditor/proof"
	"github.com/tidemark-chat/tidemark/services/auditor/record"
	"github.com/tidemark-chat/tidemark/services/auditor/transcript"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

// found is what check-proof found out about a file.
type found struct {
	Proved      bool           `json:"proved"`
	Reason      string         `json:"reason,omitempty"` // where it is not
	Kind        string         `json:"kind,omitempty"`
	Keys        []string       `json:"keys"`                 // that were given: name and hash
	Event       *record.Record `json:"event,omitempty"`      // of an inclusion
	Older       *statement     `json:"older,omitempty"`      // of a consistency
	Checkpoint  *statement     `json:"checkpoint,omitempty"` // the newer one
	Transcript  *conveyed      `json:"transcript,omitempty"`
	Checkpoints *signedList    `json:"checkpoints,omitempty"`
	Unproved    uint64         `json:"unproved,omitempty"`
}

// statement is what a checkpoint says.
type statement struct {
	Size  uint64    `json:"size"`
	Root  string    `json:"root"`
	Epoch string    `json:"epoch"`
	Time  time.Time `json:"time"`
	Key   string    `json:"key"` // whose signature it is: name and hash
}

// conveyed is what a transcript says of itself.
type conveyed struct {
	Conversation string              `json:"conversation"`
	People       []transcript.Person `json:"people,omitempty"`
	Events       uint64              `json:"events"`
	FirstAt      time.Time           `json:"firstAt"`
	LastAt       time.Time           `json:"lastAt"`
	First        uint64              `json:"first"` // the offsets that were read, says who made it
	Last         uint64              `json:"last"`
	Missing      uint64              `json:"missing"`
	Repeats      uint64              `json:"repeats"` // events that repeat an earlier one
}

// stated is what a checkpoint says that was verified.
func stated(c notary.Checkpoint, signed string) *statement {
	return &statement{Size: c.Size, Root: c.Root.String(), Epoch: c.Epoch, Time: c.Time, Key: strings.Join(proof.Signers(signed), "")}
}

func foundInclusion(p *proof.Inclusion, c notary.Checkpoint, err error) (*found, error) {
	if err != nil {
		return &found{Kind: p.Kind}, err
	}
	return &found{Kind: p.Kind, Event: &p.Event, Checkpoint: stated(c, p.Checkpoint)}, nil
}

func foundConsistency(p *proof.Consistency, older, newer notary.Checkpoint, err error) (*found, error) {
	f := &found{Kind: proof.KindConsistency}
	if err == nil {
		f.Older, f.Checkpoint = stated(older, p.Older), stated(newer, p.Newer)
	}
	return f, err
}

func foundTranscript(r *transcript.Result, err error) (*found, error) {
	f := &found{Kind: transcript.Kind}
	if err != nil {
		return f, err
	}
	h := r.Header
	f.Checkpoint, f.Unproved = stated(r.Checkpoint, h.Checkpoint), h.Unproved
	f.Transcript = &conveyed{
		Conversation: h.Conversation, People: r.Summary.People, Events: h.Events, FirstAt: r.Summary.FirstAt, LastAt: r.Summary.LastAt,
		First: h.First, Last: h.Last, Missing: h.Missing, Repeats: r.Summary.Repeats,
	}
	return f, nil
}

// print writes what was found. Whatever comes from the file is quoted.
func (f *found) print(w io.Writer, format string) error {
	if format == "json" {
		line, err := proof.Encode(f)
		if err != nil {
			return err
		}
		_, err = w.Write(line)
		return err
	}
	var text bytes.Buffer
	switch {
	case f.Event != nil:
		f.printEvent(&text)
	case f.Older != nil:
		f.printConsistency(&text)
	case f.Transcript != nil:
		f.printTranscript(&text)
	case f.Checkpoints != nil:
		f.printCheckpoints(&text)
	}
	_, err := w.Write(text.Bytes())
	return err
}

func (f *found) printEvent(w io.Writer) {
	e := f.Event
	fmt.Fprintf(w, "proved: this is the event at offset %d of the log\n", e.Offset)
	from := strconv.Quote(e.Username) + ", a guest"
	if e.From != "" {
		from = fmt.Sprintf("%q, user %q", e.Username, e.From)
	}
	rows := [][2]string{
		{"time", e.At.Format(time.RFC3339Nano)}, {"type", strconv.Quote(e.Type)}, {"conversation", strconv.Quote(e.Conversation)}, {"from", from},
	}
	if e.To != "" {
		rows = append(rows, [2]string{"to", "user " + strconv.Quote(e.To)})
	}
	rows = append(rows, [2]string{"content", strconv.Quote(e.Content)}, [2]string{"id", strconv.Quote(e.ID)}, [2]string{"digest", e.Digest.String()})
	for _, row := range rows {
		fmt.Fprintf(w, "  %-13s %s\n", row[0], row[1])
	}
	fmt.Fprintf(w, "  %-13s %s\n", "signed", f.Checkpoint)
	fmt.Fprintln(w, "not proved: who a user or a guest is; that the clocks were right; that the key is the notary's, unless you have it from its owner")
}

func (f *found) printConsistency(w io.Writer) {
	fmt.Fprintf(w, "proved: the log of the newer checkpoint begins with all of the log of the older one, unaltered\n")
	fmt.Fprintf(w, "  %-7s %s\n  %-7s %s\n", "older", f.Older, "newer", f.Checkpoint)
	fmt.Fprintln(w, "not proved: that the clocks were right; that the key is the notary's, unless you have it from its owner")
}

func (f *found) printTranscript(w io.Writer) {
	t := f.Transcript
	fmt.Fprintf(w, "proved: %d of %d messages of %q are in the log, each at its offset, with its time, sender and content\n", t.Events-f.Unproved, t.Events, t.Conversation)
	for _, p := range t.People {
		fmt.Fprintf(w, "  %-13s %q, id %q\n", "user", p.Name, p.ID)
	}
	fmt.Fprintf(w, "  %-13s %s to %s\n", "time", t.FirstAt.Format(time.RFC3339), t.LastAt.Format(time.RFC3339))
	fmt.Fprintf(w, "  %-13s %s\n", "signed", f.Checkpoint)
	if f.Unproved > 0 {
		fmt.Fprintf(w, "  %-13s %d messages, which are marked\n", "unproved", f.Unproved)
	}
	if t.Repeats > 0 {
		fmt.Fprintf(w, "  %-13s %d messages, which are marked in the page: an earlier one was stored again, or its key was used again\n", "repeats", t.Repeats)
	}
	fmt.Fprintf(w, "not proved: that no message was left out (it says that offsets %d to %d were read; who has the log can see: auditor verify, auditor transcript);\n", t.First, t.Last)
	if t.Missing > 0 {
		fmt.Fprintf(w, "  it says that the log held nothing intact at %d of these offsets;\n", t.Missing)
	}
	fmt.Fprintln(w, "  who a user or a guest is; that the clocks were right; that the key is the notary's, unless you have it from its owner")
}

// String is a checkpoint in a line. An epoch is the signer's word, and quoted all the same.
func (s *statement) String() string {
	return fmt.Sprintf("%s, offsets 1 to %d, epoch %q, by %s", s.Time.Format(time.RFC3339), s.Size, s.Epoch, s.Key)
}
