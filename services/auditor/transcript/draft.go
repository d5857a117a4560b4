package transcript

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/services/auditor/outfile"
	"github.com/tidemark-chat/tidemark/services/auditor/proof"
	"github.com/tidemark-chat/tidemark/services/auditor/record"
)

// Draft is a transcript that is being made. Its lines wait in a file, because the header, which stands before them, counts them.
type Draft struct {
	Header  Header // counts and checksum are set by Finish, the rest by the caller before that
	Repeats uint64 // events added so far that repeat an earlier one

	dir   string
	spool *os.File
	out   *bufio.Writer
	sum   hash.Hash
	seen  seen
}

// Begin begins a transcript in a directory, which is made if there is none. Close it.
func Begin(dir string, header Header) (*Draft, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	spool, err := os.CreateTemp(dir, ".lines-*")
	if err != nil {
		return nil, err
	}
	header.Kind, header.Events, header.Unproved = Kind, 0, 0
	return &Draft{Header: header, dir: dir, spool: spool, out: bufio.NewWriterSize(spool, 64<<10), sum: sha256.New(), seen: seen{}}, nil
}

// Add adds the next event and its proof, nil if there is none.
func (d *Draft) Add(event record.Record, path []tlog.Hash) (err error) {
	if path == nil {
		d.Header.Unproved++
		if event, err = readable(event); err != nil {
			return err
		}
	}
	line, err := proof.Encode(Line{Event: event, Hashes: path})
	if err != nil {
		return err
	}
	d.Header.Events++
	if d.seen.add(&event) != nil {
		d.Repeats++
	}
	d.sum.Write(line)
	_, err = d.out.Write(line)
	return err
}

// readable is the record as JSON can hold it: what is not UTF-8 in a damaged one is replaced.
func readable(event record.Record) (record.Record, error) {
	encoded, err := json.Marshal(event)
	if err != nil {
		return event, err
	}
	var back record.Record
	return back, json.Unmarshal(encoded, &back)
}

// Finish writes both files, which replace earlier ones of their names, readable by their owner alone.
func (d *Draft) Finish() (err error) {
	d.seen = nil
	if err := d.out.Flush(); err != nil {
		return err
	}
	if d.Header.SHA256, err = d.Header.seal(d.sum); err != nil {
		return err
	}
	head, err := proof.Encode(d.Header)
	if err != nil {
		return err
	}
	lines := filepath.Join(d.dir, LinesFile)
	err = outfile.Write(lines, func(w io.Writer) error {
		_, err := w.Write(head)
		if err == nil {
			_, err = d.spool.Seek(0, io.SeekStart)
		}
		if err == nil {
			_, err = io.Copy(w, d.spool)
		}
		return err
	})
	if err != nil {
		return err
	}
	return outfile.Write(filepath.Join(d.dir, PageFile), func(w io.Writer) error {
		file, err := os.Open(lines)
		if err != nil {
			return err
		}
		defer file.Close()
		return WritePage(w, file)
	})
}

// Close takes away what a draft has left beside its files.
func (d *Draft) Close() error {
	return errors.Join(d.spool.Close(), os.Remove(d.spool.Name()))
}
