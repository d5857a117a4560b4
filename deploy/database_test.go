package deploy

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// databaseURL matches one of PostgreSQL, with variables of Compose or of a shell within.
var databaseURL = regexp.MustCompile(`postgres(?:ql)?://(?:\$\{[^}]*\}|[^\s"'])*`)

// TestPostgreSQLIsSpokenWithByTLS: without sslmode the driver takes plain text where a server, or who stands before it, offers
// nothing else.
func TestPostgreSQLIsSpokenWithByTLS(t *testing.T) {
	found := map[string]int{}
	for _, path := range append(files(t, "."), "../docs/deployment.md") {
		for _, text := range databaseURL.FindAllString(read(t, path), -1) {
			folder, _, _ := strings.Cut(path, "/")
			found[folder]++
			_, options, _ := strings.Cut(text, "?sslmode=")
			query, err := url.ParseQuery("sslmode=" + options)
			if err != nil {
				t.Fatalf("%s: %s: %v", path, text, err)
			}
			switch mode := query.Get("sslmode"); {
			case folder == composeDir && mode == "disable" && strings.Contains(text, "@postgres:5432/"): // in a network of this machine that leads nowhere else
			case mode == "verify-full" && strings.HasPrefix(query.Get("sslrootcert"), "/etc/tidemark/"):
			default:
				t.Errorf("%s: %s checks nobody's certificate", path, text)
			}
		}
	}
	if found[composeDir] == 0 || found["kubernetes"] == 0 || found["systemd"] == 0 {
		t.Errorf("URLs were found in %v", found)
	}
}
