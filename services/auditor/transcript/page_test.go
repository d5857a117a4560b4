package transcript_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/services/auditor/proof"
	"github.com/tidemark-chat/tidemark/services/auditor/transcript"
)

// element is what a parser sees of a page.
type element struct {
	name, class string
	attributes  []string // name=value
	text        string   // within
}

// parse reads a page as a parser of HTML does that forgives little.
func parse(t *testing.T, page []byte) (elements []*element) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var open []*element
	for {
		token, err := d.Token()
		if err == io.EOF {
			return elements
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name.Local}
			for _, a := range token.Attr {
				e.attributes = append(e.attributes, a.Name.Local+"="+a.Value)
				if a.Name.Local == "class" {
					e.class = a.Value
				}
			}
			elements, open = append(elements, e), append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			for _, e := range open {
				e.text += string(token)
			}
		case xml.Comment, xml.ProcInst:
			t.Errorf("%T %q", token, token)
		}
	}
}

func TestHostileTextInAPageIsOnlyText(t *testing.T) {
	log := general(t)
	_, page := write(t, log, "room:general", log.Sign())
	allowed := strings.Fields("html head meta title style body header h1 bdi dl dt dd time main section h2 h3 p strong code pre ol li span script")
	var contents []string
	for _, e := range parse(t, page) {
		if !slices.Contains(allowed, e.name) {
			t.Errorf("there is an element %s", e.name)
		}
		if e.name == "script" && !slices.Equal(e.attributes, []string{"type=application/x-ndjson", "id=transcript"}) {
			t.Errorf("a script with %q", e.attributes)
		}
		for _, a := range e.attributes {
			if strings.HasPrefix(a, "on") || strings.HasPrefix(a, "src=") || strings.HasPrefix(a, "href=") || strings.HasPrefix(a, "style=") {
				t.Errorf("%s has %s", e.name, a)
			}
		}
		if e.class == "content" {
			contents = append(contents, e.text)
		}
	}
	shown := strings.NewReplacer("\u202e", "U+202E", "\u202c", "U+202C", "\x1b", "U+001B", "\x00", "U+0000", "\r\n", "\n").Replace(hostile)
	if want := []string{"good evening", shown, "good night"}; !slices.Equal(contents, want) {
		t.Errorf("\n got %q\nwant %q", contents, want)
	}
}

func TestAPageAsksNobodyForAnything(t *testing.T) {
	log := direct(t)
	_, page := write(t, log, log.Events[0].Conversation, log.Sign())
	for _, text := range []string{"http://", "https://", "url(", "@import", "src=", "href="} {
		if bytes.Contains(page, []byte(text)) {
			t.Errorf("the page holds %q", text)
		}
	}
	if !bytes.Contains(page, []byte("default-src &#39;none&#39;")) && !bytes.Contains(page, []byte("default-src 'none'")) {
		t.Error("the page has no policy")
	}
}

func TestAPageWhoseTextAloneWasAlteredIsRefused(t *testing.T) {
	log := general(t)
	_, page := write(t, log, "room:general", log.Sign())
	for from, to := range map[string]string{
		"good evening</p>": "good morning</p>",
		"</ol>":            "<li>another message</li></ol>",
		"<dd>3</dd>":       "<dd>4</dd>",
		"<body>":           "<body onload=alert(1)>",
		"--ink: #1a1c1e":   "--ink: #ffffff",
		"<li id=\"o2\">":   "<li id=\"o2\" hidden>",
	} {
		altered := bytes.Replace(page, []byte(from), []byte(to), 1)
		if bytes.Equal(altered, page) {
			t.Errorf("%q is not in the page", from)
		}
		if result, err := checkPage(t, altered); err == nil || !strings.Contains(err.Error(), "the page does not") {
			t.Errorf("%q: %+v, %v", to, result, err)
		} else if strings.Contains(err.Error(), "attachment") {
			t.Errorf("%q: %v", to, err)
		}
	}
}

func TestAPageThatWasSavedInAnotherWayIsRefusedWithAHint(t *testing.T) {
	log := general(t)
	_, page := write(t, log, "room:general", log.Sign())
	for name, altered := range map[string][]byte{
		"ends of lines":   bytes.ReplaceAll(page, []byte("\n"), []byte("\r\n")),
		"byte order mark": append([]byte("\ufeff"), page...),
		"a browser":       bytes.Replace(page, []byte("<!doctype html>\n"), []byte("<!DOCTYPE html>\n<!-- saved -->\n"), 1),
		"no last newline": page[:len(page)-1],
		"one more":        append(bytes.Clone(page), '\n'),
	} {
		if _, err := checkPage(t, altered); !transcript.IsPage(altered[:64]) || !errors.Is(err, proof.ErrRefused) || !strings.Contains(err.Error(), "send the file itself, as an attachment") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestIsPage(t *testing.T) {
	for begin, want := range map[string]bool{"<!doctype html>\n<html": true, "<!DOCTYPE HTML>": true, "\ufeff\r\n<!doctype html>": true, `{"kind"`: false, "": false} {
		if transcript.IsPage([]byte(begin)) != want {
			t.Errorf("%q", begin)
		}
	}
}
