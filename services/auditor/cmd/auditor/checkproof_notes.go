package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"golang.org/x/mod/sumdb/note"

	"github.com/tidemark-chat/tidemark/services/auditor/notes"
	"github.com/tidemark-chat/tidemark/services/auditor/proof"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

// kindCheckpoints is what a file of signed checkpoints is called, which does not say so itself.
const kindCheckpoints = "checkpoints"

// mostShown is how many checkpoints of a file are shown: the last ones.
const mostShown = 5

// signedList is what a file of signed checkpoints holds.
type signedList struct {
	Count  uint64       `json:"count"`
	Signed uint64       `json:"signed"` // by one of the keys
	Last   []*statement `json:"last"`   // of these
}

// checkNotes checks the signatures of a file of checkpoints. What holds none at all is of no kind.
func checkNotes(file io.Reader, keys []note.Verifier) (*found, error) {
	f, list := &found{}, &signedList{}
	var wrong error // the first
	for text, err := range notes.All(file) {
		if path := (*fs.PathError)(nil); errors.As(err, &path) {
			return f, err
		}
		list.Count++
		if err == nil {
			err = list.add(f, text, keys)
		}
		if err != nil {
			wrong = cmp.Or(wrong, fmt.Errorf("checkpoint %d: %w", list.Count, err))
		}
	}
	switch {
	case f.Kind == "" && wrong != nil:
		return f, unknown(wrong)
	case f.Kind == "":
		return f, unknown(errors.New("it is empty"))
	}
	f.Checkpoints = list
	if wrong != nil {
		return f, fmt.Errorf("%w: %d of the %d checkpoints in it are not proved; %w", proof.ErrRefused, list.Count-list.Signed, list.Count, wrong)
	}
	return f, nil
}

func unknown(cause error) error {
	return fmt.Errorf("%w: it is no proof, no transcript and no file of signed checkpoints that this auditor knows (%w)", proof.ErrRefused, cause)
}

// checkListed checks that the lines of a file are those of auditor checkpoint --format json, and say what the notes in them do.
func checkListed(file io.Reader) error {
	for in := bufio.NewReader(file); ; {
		line, err := in.ReadSlice('\n')
		if err == io.EOF && len(line) == 0 {
			return nil
		}
		var l listed
		if err == nil {
			err = json.Unmarshal(line, &l)
		}
		c, unreadable := notary.Read([]byte(l.Note))
		if err = errors.Join(err, unreadable); err == nil {
			var want []byte
			if want, err = proof.Encode(list(c, l.Note, l.Sequence, l.Verified)); err == nil && !bytes.Equal(line, want) {
				err = errors.New("a line does not say what its checkpoint does")
			}
		}
		if err != nil {
			return unknown(err)
		}
	}
}

// add adds a checkpoint. One that can be read shows what kind of file it is, whoever signed it.
func (l *signedList) add(f *found, text []byte, keys []note.Verifier) error {
	if _, err := notes.Read(text); err != nil {
		return err
	}
	f.Kind = kindCheckpoints
	c, err := proof.Verify(string(text), keys...)
	if err != nil {
		return err
	}
	l.Signed++
	l.Last = append(l.Last, stated(c, string(text)))
	l.Last = l.Last[max(0, len(l.Last)-mostShown):]
	return nil
}

func (f *found) printCheckpoints(w io.Writer) {
	l := f.Checkpoints
	fmt.Fprintf(w, "proved: %d of %d checkpoints are signed", l.Signed, l.Count)
	if l.Signed > uint64(len(l.Last)) {
		fmt.Fprintf(w, "; the last %d of them", len(l.Last))
	}
	fmt.Fprintln(w)
	for _, s := range l.Last {
		fmt.Fprintf(w, "  %-13s %s\n", "signed", s)
	}
	fmt.Fprintln(w, "not proved: that one extends the other (who has the log can see: auditor consistency); that the clocks were right;\n"+
		"  that the key is the notary's, unless you have it from its owner")
}
