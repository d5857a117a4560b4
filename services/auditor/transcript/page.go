package transcript

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/tidemark-chat/tidemark/services/auditor/proof"
	"github.com/tidemark-chat/tidemark/streams/notary"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// PageForm names how a page is made of its lines. Pages are compared byte for byte, so it changes with the template, the style and
// what text becomes.
const PageForm = "tidemark.page/2"

// A page begins with its form, and ends with its lines as they are: no line holds a <.
const (
	pageBegin  = "<!doctype html>\n<html lang=\"en\" data-form=\""
	pageLines  = "<script type=\"application/x-ndjson\" id=\"transcript\">\n"
	pageEnd    = "</script>\n</body>\n</html>\n"
	afterForm  = "\">\n<head>\n"
	dateLayout = "Monday 2 January 2006"
)

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	pageStyle string

	pages = template.Must(template.New("page").Funcs(template.FuncMap{
		"runs": runs, "visible": visible, "short": short,
		"rfc3339": func(t time.Time) string { return t.Format(time.RFC3339Nano) },
		"utc":     func(t time.Time) string { return t.Format("2006-01-02 15:04:05.000 UTC") },
		"whole":   func(t time.Time) string { return t.Format("2006-01-02 15:04:05.999 UTC") }, // a fraction only where there is one
	}).Parse(pageText))
)

// head is what the page's head is made of.
type head struct {
	Header     Header
	Checkpoint notary.Checkpoint
	Summary    Summary
	Title      string
	Signer     string // the key's name and hash, as the signature has them
	Style      template.CSS
	StyleHash  string
}

// WritePage writes the page of a transcript's lines, which it reads three times from their beginning. The lines must be right apart from
// their proofs, which are not looked at.
func WritePage(w io.Writer, lines io.ReadSeeker) error {
	h, err := readHead(lines)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, pageBegin+PageForm+afterForm); err != nil {
		return err
	}
	if err := pages.ExecuteTemplate(w, "head", h); err != nil {
		return err
	}
	if err := writeMessages(w, lines); err != nil {
		return err
	}
	if err := pages.ExecuteTemplate(w, "foot", nil); err != nil {
		return err
	}
	if _, err := io.WriteString(w, pageLines); err != nil {
		return err
	}
	if _, err := lines.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := io.Copy(w, lines); err != nil {
		return err
	}
	_, err = io.WriteString(w, pageEnd)
	return err
}

// rescan reads lines from their beginning.
func rescan(lines io.ReadSeeker) (*scanner, error) {
	if _, err := lines.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return scan(lines)
}

func readHead(lines io.ReadSeeker) (*head, error) {
	s, err := rescan(lines)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(pageStyle))
	h := &head{
		Header: s.header, Signer: signer(s.header.Checkpoint),
		Style: template.CSS(pageStyle), StyleHash: "sha256-" + base64.StdEncoding.EncodeToString(sum[:]),
	}
	if h.Checkpoint, err = notary.Read([]byte(s.header.Checkpoint)); err != nil {
		return nil, err
	}
	err = s.each(func(line *Line) error {
		h.Summary.add(line)
		return nil
	})
	h.Title = title(s.header.Conversation, h.Summary.People)
	return h, err
}

// writeMessages writes the lines, a list for each day.
func writeMessages(w io.Writer, lines io.ReadSeeker) error {
	s, err := rescan(lines)
	if err != nil {
		return err
	}
	day := ""
	err = s.each(func(line *Line) error {
		if on := line.Event.At.Format(dateLayout); on != day {
			if err := endDay(w, day); err != nil {
				return err
			}
			if err := pages.ExecuteTemplate(w, "day", on); err != nil {
				return err
			}
			day = on
		}
		return pages.ExecuteTemplate(w, "line", line)
	})
	if err != nil {
		return err
	}
	return endDay(w, day)
}

func endDay(w io.Writer, day string) error {
	if day == "" {
		return nil
	}
	return pages.ExecuteTemplate(w, "endday", nil)
}

// title is what a conversation is called.
func title(conversation string, people []Person) string {
	if len(people) > 0 {
		names := make([]string, len(people))
		for i, p := range people {
			names[i] = p.Called()
		}
		return strings.Join(names, " and ")
	}
	c, err := subject.ParseConversation(conversation)
	if err != nil {
		return conversation
	}
	return string(c.Kind) + " " + c.Name
}

// signer is whose signature a note has, which nobody has verified; it is shown so that people can tell keys apart.
func signer(signed string) string {
	return cmp.Or(strings.Join(proof.Signers(signed), " and "), "an unknown key")
}
