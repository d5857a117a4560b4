package transcript

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/tidemark-chat/tidemark/services/auditor/proof"
)

// IsPage tells a page by its beginning, also one that was saved by something that writes it in its own way.
func IsPage(begin []byte) bool {
	begin = bytes.TrimLeft(bytes.TrimPrefix(begin, []byte("\ufeff")), " \t\r\n")
	return bytes.HasPrefix(bytes.ToLower(begin), []byte("<!doctype html>"))
}

// CheckPage checks a page of size bytes: the lines that it carries, as Check does, and that it shows them and nothing else.
func CheckPage(page io.ReaderAt, size int64, keys ...note.Verifier) (*Result, error) {
	result, err := checkPage(page, size, keys)
	if errors.Is(err, proof.ErrRefused) && resaved(page, size) {
		err = fmt.Errorf("%w; send the file itself, as an attachment: a browser's \"save as\" alters it, and so does what converts the ends of lines", err)
	}
	return result, err
}

// resaved reports whether a page begins or ends in another way than it was written: with other ends of lines, a byte order mark, an
// element in other letters.
func resaved(page io.ReaderAt, size int64) bool {
	begin, end := make([]byte, len(pageBegin)), make([]byte, len(pageEnd))
	_, err1 := page.ReadAt(begin, 0)
	_, err2 := page.ReadAt(end, max(0, size-int64(len(end))))
	return errors.Join(err1, err2) == nil && (string(begin) != pageBegin || string(end) != pageEnd)
}

func checkPage(page io.ReaderAt, size int64, keys []note.Verifier) (*Result, error) {
	if err := checkForm(page, size); err != nil {
		return nil, err
	}
	from, err := find(io.NewSectionReader(page, 0, size), pageLines)
	if err != nil {
		return nil, err
	}
	to := size - int64(len(pageEnd))
	if from > to {
		return nil, refused("the page is cut short")
	}
	lines := io.NewSectionReader(page, from, to-from)
	same := &comparison{with: bufio.NewReaderSize(io.NewSectionReader(page, 0, size), 64<<10)}
	if err := WritePage(same, lines); err != nil {
		return nil, err
	}
	if err := same.atEnd(); err != nil {
		return nil, err
	}
	return Check(io.NewSectionReader(page, from, to-from), keys...)
}

// checkForm looks whether the page says that it is of the form that this code makes.
func checkForm(page io.ReaderAt, size int64) error {
	begin := make([]byte, min(size, int64(len(pageBegin)+64)))
	if _, err := page.ReadAt(begin, 0); err != nil && err != io.EOF {
		return err
	}
	rest, found := strings.CutPrefix(string(begin), pageBegin)
	form, _, ended := strings.Cut(rest, "\"")
	if !found || !ended {
		return refused("it is no page of a transcript, or its beginning was altered")
	}
	if form != PageForm {
		return refused("the page is of the form %q and this auditor knows %q only: use the auditor that made it, or check %s", form, PageForm, LinesFile)
	}
	return nil
}

// find is the position behind the first occurrence of a line.
func find(r io.Reader, line string) (int64, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	position := int64(0)
	begins := true // a line
	for {
		part, err := in.ReadSlice('\n')
		position += int64(len(part))
		if begins && string(part) == line {
			return position, nil
		}
		begins = err == nil
		switch {
		case err == io.EOF:
			return 0, refused("the page carries no lines")
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return 0, err
		}
	}
}

// comparison is a writer that takes only what it reads.
type comparison struct {
	with *bufio.Reader
	at   int64
	have []byte
}

func (c *comparison) Write(p []byte) (int, error) {
	for written := 0; written < len(p); {
		part := p[written:min(len(p), written+32<<10)]
		if cap(c.have) < len(part) {
			c.have = make([]byte, 32<<10)
		}
		n, err := io.ReadFull(c.with, c.have[:len(part)])
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return written, err
		}
		if !bytes.Equal(c.have[:n], part) {
			return written, c.differs(part, n)
		}
		c.at += int64(n)
		written += n
	}
	return len(p), nil
}

func (c *comparison) differs(want []byte, n int) error {
	i := 0
	for i < n && c.have[i] == want[i] {
		i++
	}
	return refused("the page does not show what its lines say: it was altered at byte %d", c.at+int64(i))
}

// atEnd checks that nothing is left.
func (c *comparison) atEnd() error {
	if _, err := c.with.ReadByte(); err == nil {
		return refused("the page does not end where it should: something was added at byte %d", c.at)
	} else if err != io.EOF {
		return err
	}
	return nil
}
