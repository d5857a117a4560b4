package command

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSecretsThatOthersCanReadAreNamed(t *testing.T) {
	dir := t.TempDir()
	own, group, all := filepath.Join(dir, "own"), filepath.Join(dir, "group"), filepath.Join(dir, "all")
	for path, mode := range map[string]os.FileMode{own: 0o600, group: 0o640, all: 0o644} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil { // whatever the umask
			t.Fatal(err)
		}
	}
	if got := Private("fine", own, "", filepath.Join(dir, "missing")); got != "fine" {
		t.Error(got)
	}
	if got, want := Private("fine", own, group, all), "fine; can be read by others: chmod 600 "+group+" "+all; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
