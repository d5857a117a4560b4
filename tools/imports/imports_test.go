// Package imports keeps the directions in which the parts of the repository may know each other.
package imports

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const root = "github.com/tidemark-chat/tidemark/"

// may says what each part may import, beside itself and what is not of this repository.
var may = map[string][]string{
	"config":              nil,
	"web":                 nil,
	"tools":               nil,
	"streams":             {"config"},
	"streams/readmodel":   {"streams"}, // a module of its own, so that only who needs it has SQL
	"services/auditor":    {"streams", "streams/readmodel", "config"},
	"services/gateway":    {"streams", "config", "web"},
	"services/persister":  {"streams", "streams/readmodel", "config"},
	"services/standalone": {"services/gateway", "services/persister", "streams", "config"},
	"services/swarm":      {"streams", pgserver, "config"},
	pgserver:              {"streams"},
}

// pgserver starts PostgreSQL servers, and knows nothing of what is in them.
const pgserver = "streams/readmodel/postgres/pgserver"

// forTests are packages that only tests import: they may know the services they start.
var forTests = []string{"services/swarm/deployment/deploymenttest", "services/gateway/gatewaytest"}

func TestPartsKnowOnlyWhatTheyMay(t *testing.T) {
	list, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "work").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(list)) {
		paths := strings.Fields(line)
		path := strings.TrimPrefix(paths[0], root)
		from := part(path)
		seen[from] = true
		for _, imported := range paths[1:] {
			to, ours := strings.CutPrefix(imported, root)
			if ours && !within(path, forTests) && part(to) != from && !slices.Contains(may[from], part(to)) {
				t.Errorf("%s imports %s", path, to)
			}
			if ours && within(to, forTests) && !within(path, forTests) {
				t.Errorf("%s imports %s, which is for tests", path, to)
			}
		}
	}
	for name := range may {
		if !seen[name] {
			t.Errorf("no package of %s was looked at", name)
		}
	}
}

// part is the part that a package belongs to.
func part(path string) string {
	if path == pgserver {
		return pgserver
	}
	elements := strings.SplitN(path, "/", 3)
	if len(elements) > 1 && (elements[0] == "services" || elements[1] == "readmodel") {
		return elements[0] + "/" + elements[1]
	}
	return elements[0]
}

func within(path string, parts []string) bool {
	for _, p := range parts {
		if path == p || strings.HasPrefix(path, p+"/") {
			return true
		}
	}
	return false
}
