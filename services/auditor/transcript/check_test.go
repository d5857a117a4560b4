package transcript_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/tidemark-chat/tidemark/services/auditor/proof"
	"github.com/tidemark-chat/tidemark/services/auditor/proof/prooftest"
	"github.com/tidemark-chat/tidemark/services/auditor/transcript"
)

var update = flag.Bool("update", false, "write the golden files anew; a page that looks different needs another PageForm")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: it is another one (-update writes it)\n%s", path, got)
	}
}

func TestATranscriptHasOneForm(t *testing.T) {
	log := general(t)
	lines, page := write(t, log, "room:general", log.Sign())
	golden(t, "room.ndjson", lines)
	golden(t, "room.html", page)
	log = direct(t)
	lines, page = write(t, log, log.Events[0].Conversation, log.Sign())
	golden(t, "direct.ndjson", lines)
	golden(t, "direct.html", page)
}

func TestATranscriptProvesEachOfItsMessages(t *testing.T) {
	log := general(t)
	lines, page := write(t, log, "room:general", log.Sign())
	fromLines, err := checkLines(t, lines)
	if err != nil {
		t.Fatal(err)
	}
	if fromLines.Proved != 3 || fromLines.Header.Events != 3 || fromLines.Checkpoint.Size != 4 {
		t.Errorf("%+v", fromLines)
	}
	fromPage, err := checkPage(t, page)
	if err != nil || !reflect.DeepEqual(fromPage, fromLines) {
		t.Errorf("%v: page %+v, lines %+v", err, fromPage, fromLines)
	}
}

func TestADirectConversationHasThePeopleOfItsNewestNames(t *testing.T) {
	log := direct(t)
	lines, _ := write(t, log, log.Events[0].Conversation, log.Sign())
	result, err := checkLines(t, lines)
	if err != nil {
		t.Fatal(err)
	}
	want := []transcript.Person{{ID: "id-a", Name: "Ann <a>"}, {ID: "id-b", Name: "Robert"}}
	if !reflect.DeepEqual(result.Summary.People, want) {
		t.Errorf("%+v", result.Summary.People)
	}
}

// everyByte calls check with every byte altered, each in one of several ways and the first lines in all of them, and wants it refused.
func everyByte(t *testing.T, file []byte, check func(testing.TB, []byte) (*transcript.Result, error)) {
	t.Helper()
	if _, err := check(t, file); err != nil {
		t.Fatal(err)
	}
	ways := []byte{1, 2, 32, 128}
	for i := range file {
		for j, with := range ways {
			if i > 500 && j != i%len(ways) {
				continue
			}
			altered := bytes.Clone(file)
			altered[i] ^= with
			if _, err := check(t, altered); !errors.Is(err, proof.ErrRefused) {
				t.Fatalf("byte %d of %d as %q: %v", i, len(file), altered[i], err)
			}
		}
		if i%13 > 0 && i < len(file)-100 {
			continue
		}
		if _, err := check(t, file[:i]); !errors.Is(err, proof.ErrRefused) {
			t.Fatalf("cut to %d bytes: %v", i, err)
		}
	}
	for _, more := range []string{"\n", " ", "x", "<p>", string(file)} {
		if _, err := check(t, append(bytes.Clone(file), more...)); !errors.Is(err, proof.ErrRefused) {
			t.Errorf("with %.10q at the end: %v", more, err)
		}
	}
}

func TestLinesOfWhichAnyByteWasAlteredAreRefused(t *testing.T) {
	log := general(t)
	lines, _ := write(t, log, "room:general", log.Sign())
	everyByte(t, lines, checkLines)
}

func TestAPageOfWhichAnyByteWasAlteredIsRefused(t *testing.T) {
	log := prooftest.Write(t, "one", "two")
	_, page := write(t, log, "room:general", log.Sign())
	everyByte(t, page, checkPage)
}

func TestLinesLeftOutDoubledOrReorderedAreRefused(t *testing.T) {
	log := prooftest.Write(t, prooftest.Many(4)...)
	file, _ := write(t, log, "room:general", log.Sign())
	lines := strings.SplitAfter(strings.TrimSuffix(string(file), "\n"), "\n")
	lines[4] += "\n"
	for _, order := range [][]int{
		{}, {0}, {1, 2, 3, 4}, {0, 1, 2, 3}, {0, 2, 3, 4}, {0, 1, 3, 4}, {0, 1, 1, 2, 3, 4}, {0, 1, 2, 3, 4, 4},
		{0, 2, 1, 3, 4}, {0, 4, 3, 2, 1}, {0, 0, 1, 2, 3, 4}, {0, 1, 2, 3, 4, 0},
	} {
		var altered strings.Builder
		for _, i := range order {
			altered.WriteString(lines[i])
		}
		if _, err := checkLines(t, []byte(altered.String())); !errors.Is(err, proof.ErrRefused) {
			t.Errorf("%v: %v", order, err)
		}
	}
}

func TestAnotherKeyIsRefused(t *testing.T) {
	_, public, err := note.GenerateKey(rand.Reader, "tidemark")
	if err != nil {
		t.Fatal(err)
	}
	other, err := note.NewVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	log := general(t)
	lines, page := write(t, log, "room:general", log.Sign())
	if _, err := transcript.Check(bytes.NewReader(lines), other); !errors.Is(err, proof.ErrRefused) {
		t.Error(err)
	}
	if _, err := transcript.CheckPage(bytes.NewReader(page), int64(len(page)), other); !errors.Is(err, proof.ErrRefused) {
		t.Error(err)
	}
}

func TestAPageOfAnotherFormSaysSo(t *testing.T) {
	log := general(t)
	_, page := write(t, log, "room:general", log.Sign())
	altered := bytes.Replace(page, []byte(transcript.PageForm), []byte("tidemark.page/0"), 1)
	_, err := checkPage(t, altered)
	if !errors.Is(err, proof.ErrRefused) || !strings.Contains(fmt.Sprint(err), `"tidemark.page/0"`) {
		t.Error(err)
	}
}
