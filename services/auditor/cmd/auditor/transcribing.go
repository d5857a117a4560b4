package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/services/auditor/progress"
	"github.com/tidemark-chat/tidemark/services/auditor/proof"
	"github.com/tidemark-chat/tidemark/services/auditor/record"
	"github.com/tidemark-chat/tidemark/services/auditor/transcript"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/notary"
	"github.com/tidemark-chat/tidemark/streams/replay"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

const (
	pageFile  = transcript.PageFile
	linesFile = transcript.LinesFile
)

// transcribing is a transcript while the log is read for it.
type transcribing struct {
	flags   *transcriptFlags
	log     *evidence
	draft   *transcript.Draft
	matches func(*event.Event) bool

	signed         proof.Signed // the checkpoint
	checkpoint     notary.Checkpoint
	hashes         tlog.HashReader
	after, through uint64
	newer          uint64 // events counted as missing, because their schema is newer and nothing that they say can be checked
	lost           uint64 // offsets that are signed, and behind the log's end
	left           uint64 // newer offsets that are not signed yet, and of which there is nothing in it
}

// begin finds out what is to be read, and by which checkpoint it will be proved.
func (f *transcriptFlags) begin(cmd *cobra.Command, e *evidence) (*transcribing, error) {
	ctx := cmd.Context()
	entry, signed, err := e.entry(ctx, 0)
	if err != nil {
		return nil, err
	}
	if e.state.Last < signed.Checkpoint.Size { // it may have grown since
		if e.state, err = eventlog.Open(e.js).State(ctx); err != nil {
			return nil, could(err)
		}
	}
	if err := e.sameLog(signed.Checkpoint); err != nil {
		return nil, could(err)
	}
	t := &transcribing{flags: f, log: e, signed: signed, checkpoint: signed.Checkpoint, hashes: e.audit.Hashes(ctx, entry)}
	if err := t.span(ctx); err != nil {
		return nil, could(err)
	}
	if t.matches, err = f.selection.Matcher(ctx, e.js); err != nil {
		return nil, could(err)
	}
	header := transcript.Header{
		First: t.after + 1, Last: t.through, Since: f.selection.Since, Until: f.selection.Until, Checkpoint: signed.Note,
	}
	t.draft, err = transcript.Begin(f.out, header)
	return t, could(err)
}

// span is what is read: no more than is signed, unless it was asked for. What is signed and no longer there is part of it.
func (t *transcribing) span(ctx context.Context) (err error) {
	s, size, state := &t.flags.selection, t.checkpoint.Size, t.log.state
	if max(s.From, s.To) <= size {
		state.Last = max(state.Last, size)
	}
	if t.after, t.through, err = s.Span(ctx, t.log.js, state); err != nil {
		return err
	}
	if held := max(t.after, t.log.state.Last); t.through > held {
		t.lost = t.through - held
	}
	if t.through > size && s.To == 0 && s.Until.IsZero() && !t.flags.unproved {
		t.left, t.through = t.through-max(size, t.after), max(size, t.after)
	}
	if t.after < t.through {
		return nil
	}
	if t.left > 0 {
		return fmt.Errorf("nothing from offset %d on is signed yet: the newest checkpoint covers the offsets from 1 to %d; the notary signs %s; "+
			"--unproved writes what cannot be proved", t.after+1, size, often(t.log.config))
	}
	return errors.New("the log has no offsets between these bounds")
}

// read reads the log and adds what is of the conversation.
func (t *transcribing) read(cmd *cobra.Command) error {
	shown := cmd.ErrOrStderr()
	if t.flags.quiet {
		shown = io.Discard
	}
	bar := progress.Start(shown, "transcript", t.through-t.after)
	missing, err := replay.Log(cmd.Context(), t.log.js, t.after, t.through-t.lost, func(r replay.Record) error {
		bar.Set(r.Offset - t.after)
		t.draft.Header.Missing += r.Missing
		e, err := r.Event()
		return t.add(&e, err)
	})
	bar.Stop()
	t.draft.Header.Missing += missing + t.lost
	switch {
	case cmd.Context().Err() != nil:
		return could(errors.New("it was stopped, and nothing was written"))
	case err != nil:
		return verdict(err)
	case t.draft.Header.Events == 0 && t.lost > 0:
		return finding("there is no message of this conversation from offset %d to %d, so nothing was written, but %s", t.after+1, t.through, t.wrong())
	case t.draft.Header.Events == 0:
		return could(fmt.Errorf("there is no message of this conversation from offset %d to %d, so nothing was written", t.after+1, t.through))
	}
	t.clip()
	return nil
}

// clip ends the span with the checkpoint, if nothing newer was written: of what is not signed a transcript cannot say what it is.
func (t *transcribing) clip() {
	h := &t.draft.Header
	if h.Unproved == 0 && h.Last > t.checkpoint.Size {
		t.left, h.Last = h.Last-t.checkpoint.Size, t.checkpoint.Size
	}
}

// add adds an event, if it is meant. damaged is what is wrong with it.
func (t *transcribing) add(e *event.Event, damaged error) error {
	if !t.matches(e) {
		t.pass(e, damaged)
		return nil
	}
	if err := t.oneConversation(e.Conversation); err != nil {
		return err
	}
	r := record.Of(e)
	switch {
	case damaged != nil:
		r.Damaged = "it is not what was sealed"
	case e.Schema != event.Schema:
		r.Damaged = fmt.Sprintf("it is of schema %d, which this auditor does not know", e.Schema)
	case !r.Faithful():
		r.Damaged = "its text is not UTF-8"
	case e.Offset <= t.checkpoint.Size:
		return t.addProved(r)
	}
	if !t.flags.unproved {
		return t.cannotProve(&r)
	}
	return t.draft.Add(r, nil)
}

// pass counts an event that does not say that it is meant, if that cannot be relied on: it could be anybody's.
func (t *transcribing) pass(e *event.Event, damaged error) {
	switch {
	case damaged != nil:
		t.draft.Header.Missing++
	case e.Schema != event.Schema:
		t.draft.Header.Missing++
		t.newer++
	}
}

func (t *transcribing) addProved(r record.Record) error {
	path, err := proof.Path(&r, t.checkpoint, t.hashes)
	if err != nil {
		return err
	}
	return t.draft.Add(r, path)
}

func (t *transcribing) cannotProve(r *record.Record) error {
	if r.Damaged != "" {
		return finding("nothing can be proved of the event at offset %d: %s; --unproved writes it, marked", r.Offset, r.Damaged)
	}
	return fmt.Errorf("the message at offset %d is not signed yet: the newest checkpoint covers the offsets from 1 to %d; the notary signs %s; "+
		"--unproved writes it, marked", r.Offset, t.checkpoint.Size, often(t.log.config))
}

// oneConversation makes sure that a transcript is of one.
func (t *transcribing) oneConversation(c subject.Conversation) error {
	h := &t.draft.Header
	if h.Events == 0 {
		h.Conversation = c.String()
	}
	if h.Conversation != c.String() {
		return fmt.Errorf("events of %q and %q were selected, and a transcript is of one conversation", h.Conversation, c)
	}
	return nil
}

// wrong says what was found to be wrong; empty if nothing was.
func (t *transcribing) wrong() string {
	var all []string
	if t.lost > 0 {
		all = append(all, fmt.Sprintf("the log ends at offset %d, and a checkpoint was signed of it, %s, that covers the offsets up to %d: "+
			"%d of the offsets that were asked for are lost (the log's end was cut off, or this is an older copy of it)",
			t.log.state.Last, t.checkpoint.Time.Format(time.RFC3339), t.checkpoint.Size, t.lost))
	}
	if missing := t.draft.Header.Missing; missing > 0 {
		all = append(all, fmt.Sprintf("the log holds nothing intact at %d of the offsets that were asked for", missing))
	}
	if n := t.draft.Repeats; n > 0 {
		all = append(all, fmt.Sprintf("%d of the messages repeat an earlier one: it was stored again, or its key was used again", n))
	}
	return strings.Join(all, "; ")
}

// remark says what was written, and what not.
func (t *transcribing) remark(w io.Writer) {
	h := t.draft.Header
	fmt.Fprintf(w, "%d messages of %q from offset %d to %d, %d of them proved by the checkpoint of %d\n",
		h.Events, h.Conversation, h.First, h.Last, h.Events-h.Unproved, t.checkpoint.Size)
	if t.newer > 0 {
		fmt.Fprintf(w, "%d events are of a newer schema than this auditor knows: whose they are cannot be checked, and they count as missing\n", t.newer)
	}
	if t.left > 0 {
		fmt.Fprintf(w, "%d newer offsets are not signed yet and were left out: the notary signs %s\n", t.left, often(t.log.config))
	}
	fmt.Fprintln(w, "it does not prove that no message was left out: see auditor transcript --help")
}
