package config

import (
	"strings"
	"testing"
)

func TestAnExportIsAFileOrAURL(t *testing.T) {
	for _, test := range []struct{ text, path, url string }{
		{"", "", ""},
		{"checkpoints.txt", "checkpoints.txt", ""},
		{"/mnt/worm/checkpoints", "/mnt/worm/checkpoints", ""},
		{"http://a.example", "", "http://a.example"},
		{"https://u:p@a.example:8443/x?y=z", "", "https://u:p@a.example:8443/x?y=z"},
	} {
		c, err := load(t, "", map[string]string{"TIDEMARK_NOTARY_EXPORT": test.text})
		if err != nil || c.Notary.ExportPath() != test.path || c.Notary.ExportURL() != test.url {
			t.Errorf("%q: path %q, url %q, %v", test.text, c.Notary.ExportPath(), c.Notary.ExportURL(), err)
		}
	}
	for _, text := range []string{"ftp://a.example/x", "file:///x", "http://", "https://:8080/x", "http://a b/"} {
		if _, err := load(t, "", map[string]string{"TIDEMARK_NOTARY_EXPORT": text}); err == nil || !strings.Contains(err.Error(), "notary.export") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestAnExportsPasswordIsNeverPrinted(t *testing.T) {
	c, err := load(t, "", map[string]string{"TIDEMARK_NOTARY_EXPORT": "https://u:hidden@a.example/x"})
	if err != nil {
		t.Fatal(err)
	}
	if row := c.Settings("notary.export")[0]; row.Value != "https://u:***@a.example/x" {
		t.Errorf("printed as %q", row.Value)
	}
	_, err = load(t, "", map[string]string{"TIDEMARK_NOTARY_EXPORT": "ftp://u:hidden@a.example/x"})
	if err == nil || strings.Contains(err.Error(), "hidden") {
		t.Errorf("got %v", err)
	}
}
