package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/tidemark-chat/tidemark/services/swarm/measure"
)

var update = flag.Bool("update", false, "write the golden files")

func TestTheTextIsAsAPersonReadsIt(t *testing.T) {
	load := &Report{Command: "load", Took: 10, Totals: measure.Counts{Connects: 5, Sent: 10, Acked: 9, Received: 45}}
	load.Judge()
	clean := example()
	clean.Findings, clean.LeftOut = nil, nil
	for i := range clean.Rules {
		clean.Rules[i].Findings = 0
	}
	clean.Judge()
	many := example()
	many.Findings = []Finding{{Rule: "ordered", Text: "long", Timeline: slices.Repeat([]string{"line"}, textTimeline+1)}}
	for range textFindings {
		many.Findings = append(many.Findings, Finding{Rule: "ordered", Connection: -1, Text: "short"})
	}
	for name, r := range map[string]*Report{"findings": example(), "clean": clean, "load": load, "many": many} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := r.WriteText(&b); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if b.String() != string(want) {
				t.Errorf("text is\n%s\nwant\n%s", &b, want)
			}
		})
	}
}

func TestNoTextMakesATerminalObey(t *testing.T) {
	r := example()
	r.Command, r.RunID, r.Addresses = hostile, hostile, []string{hostile}
	r.Noted = []string{hostile, "after a kill it went on in 3.2 s"}
	r.LeftOut, r.Rules[1].Name, r.Rules[1].Meaning = []string{hostile}, hostile, hostile
	r.Findings[0] = Finding{hostile, hostile, 1, 1, hostile, []string{hostile}}
	r.Verdict = hostile
	var b bytes.Buffer
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	if i := strings.IndexFunc(b.String(), func(c rune) bool { return c != '\n' && !unicode.IsPrint(c) }); i >= 0 {
		t.Errorf("%q", b.String()[i:])
	}
}

// elements reads well-formed XML and returns how often each element is in it, and its text.
func elements(t *testing.T, document string) (count map[string]int, text string) {
	t.Helper()
	count = make(map[string]int)
	var b strings.Builder
	for d := xml.NewDecoder(strings.NewReader(document)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return count, b.String()
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			count[token.Name.Local]++
			for _, a := range token.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "src" || a.Name.Local == "href" {
					t.Errorf("<%s> has %s=%q", token.Name.Local, a.Name.Local, a.Value)
				}
			}
		case xml.CharData:
			b.Write(token)
		}
	}
}

func TestThePageIsWellFormedAndHoldsEverythingAndObeysNothing(t *testing.T) {
	r := example()
	r.Command, r.RunID, r.Version, r.Addresses, r.Deployment = hostile, hostile, hostile, []string{hostile}, hostile
	r.Noted = []string{hostile, "after a kill it went on in 3.2 s"}
	r.LeftOut, r.Rules[1].Name, r.Rules[1].Meaning = append(r.LeftOut, hostile), hostile, hostile
	r.Arguments = map[string]string{hostile: hostile}
	r.Machine = Machine{CPU: hostile, Platform: hostile, Kernel: hostile, GoVersion: hostile}
	r.Findings[1] = Finding{hostile, hostile, 1, 1, hostile, []string{hostile, ">" + hostile}}
	r.Series[3].Gauges = map[string]float64{hostile: 1}
	var b bytes.Buffer
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	count, text := elements(t, b.String())
	if count["script"] != 0 || count["b"] != 0 || count["link"] != 0 || count["img"] != 0 {
		t.Errorf("elements: %v", count)
	}
	// The strip, seven charts, one for the hostile gauge.
	if count["svg"] != 9 || count["article"] != 3 {
		t.Errorf("%d charts, %d findings", count["svg"], count["article"])
	}
	for _, want := range []string{
		"NOT CLEAN: 3 findings.", "reconnector-7 was sent offset 4710 after 4711", "> 12.041 s  received 4710",
		"What was acked is in the log.", "kill gateway-1", "kill -9, started again after 2 s", "100 ms each way",
		"full disk: needs", "gateway-1 memory (bytes)", "1,207,750", "250 ms", "after a kill it went on in 3.2 s", "00:30", "20k",
		`alert(1)</script> \x1b[2J\x00\u202e "' & <b onclick=x>`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
	for _, mark := range []string{"#0102", "ZgotmplZ"} {
		if strings.Contains(b.String(), mark) {
			t.Errorf("the page holds %q", mark)
		}
	}
}

func TestAPageOfNothingMuch(t *testing.T) {
	for name, r := range map[string]*Report{
		"empty":     {},
		"one point": {Took: 0.5, Series: []measure.Point{{AtSeconds: 0.5, Seconds: 0.5}}},
		"no series": {Took: 5, Faults: []Fault{{At: 1, Kind: "kill"}}},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := r.WriteHTML(&b); err != nil {
				t.Fatal(err)
			}
			if count, _ := elements(t, b.String()); count["h1"] != 1 {
				t.Errorf("elements: %v", count)
			}
		})
	}
}

func TestAPageOfALongRunIsOfBoundedSize(t *testing.T) {
	r := example()
	r.Faults, r.Findings = nil, nil
	for len(r.Series) < 7200 {
		p := r.Series[len(r.Series)%61]
		p.AtSeconds = float64(len(r.Series) + 1)
		r.Series = append(r.Series, p)
	}
	for i := range 3000 {
		r.Faults = append(r.Faults, Fault{float64(2 * i), Begins, "kill", "gateway", ""}, Fault{float64(2*i + 1), Ends, "kill", "gateway", ""})
		r.Findings = append(r.Findings, Finding{Text: "x", Timeline: make([]string, 1000)})
	}
	var b bytes.Buffer
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 4<<20 {
		t.Errorf("%d bytes", b.Len())
	}
	if _, text := elements(t, b.String()); !strings.Contains(text, "and 2,800 more findings") || !strings.Contains(text, "and 2,500 more faults") {
		t.Error("the page does not say that it does not hold everything")
	}
}

func TestTheJSONHoldsEverything(t *testing.T) {
	var b bytes.Buffer
	want := example()
	if err := want.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	got := new(Report)
	d := json.NewDecoder(&b)
	d.DisallowUnknownFields()
	if err := d.Decode(got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read back as %+v", got)
	}
}

func TestTheVerdictFollowsFromTheRulesAndTheFindings(t *testing.T) {
	for _, c := range []struct {
		r    Report
		want Verdict
	}{
		{Report{}, NotChecked},
		{Report{Rules: []Rule{{Name: "a"}}}, Clean},
		{Report{Rules: []Rule{{Name: "a", Findings: 1}}}, Found},
		{Report{Rules: []Rule{{Name: "a"}}, Findings: []Finding{{}}}, Found},
	} {
		if c.r.Judge(); c.r.Verdict != c.want {
			t.Errorf("%+v: want %s", c.r, c.want)
		}
	}
}

func TestSaveReplacesBothFilesAndLeavesNothingElse(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	for range 2 {
		if err := example().Save(dir); err != nil {
			t.Fatal(err)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 2 || files[0].Name() != "report.html" || files[1].Name() != "report.json" {
		t.Errorf("%v", files)
	}
}

func TestASaveThatFailsLeavesTheOldReport(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "report.json")
	if err := os.WriteFile(name, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err := replaceFile(name, func(w io.Writer) error {
		_, err := io.WriteString(w, "half")
		return errors.Join(err, broken)
	})
	text, readErr := os.ReadFile(name)
	files, dirErr := os.ReadDir(dir)
	if !errors.Is(err, broken) || readErr != nil || dirErr != nil || string(text) != "old" || len(files) != 1 {
		t.Errorf("%v, %v, %v, %q, %v", err, readErr, dirErr, text, files)
	}
}

func TestThisMachineIsKnown(t *testing.T) {
	if m := ThisMachine(); m.CPUs < 1 || !strings.Contains(m.Platform, "/") || !strings.HasPrefix(m.GoVersion, "go") && !strings.HasPrefix(m.GoVersion, "devel") {
		t.Errorf("%+v", m)
	}
}
