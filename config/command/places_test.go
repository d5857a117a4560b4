package command

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

func TestPlacesAreLookedAtAndLeftAsTheyAre(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	at := taken.Addr().String()
	for _, test := range []struct {
		name   string
		check  Check
		status string
	}{
		{"a free address", Free("a", "127.0.0.1:0"), checkOK},
		{"one that is taken", Free("a", at), checkFailed},
		{"a directory", Writable("a", dir), checkOK},
		{"one that is still to be made", Writable("a", filepath.Join(dir, "x", "y")), checkOK},
		{"a file", Writable("a", file), checkFailed},
		{"below a file", Writable("a", filepath.Join(file, "x")), checkFailed},
		{"somebody who answers", Reachable("a", "http://u:p@"+at+"/x"), checkOK},
		{"nobody", Reachable("a", "http://127.0.0.1:1/x"), checkWarning},
	} {
		if got := test.check.look(t.Context()); got.Status != test.status {
			t.Errorf("%s: %+v", test.name, got)
		}
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("left behind: %v", files)
	}
}
