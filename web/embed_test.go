package web

import (
	"io/fs"
	"testing"
)

func TestDistHoldsAllOfABuildOrNothingOfOne(t *testing.T) {
	for _, name := range []string{"socket.io/socket.io.js", "socket.io/socket.io.min.js", "socket.io/socket.io.js.map"} {
		_, err := fs.Stat(Dist(), name)
		if found := err == nil; found != Built() {
			t.Errorf("%s: found %t, while Built is %t", name, found, Built())
		}
	}
}

func TestDistIsKeptByGitWithoutABuild(t *testing.T) {
	if _, err := fs.Stat(Dist(), ".gitkeep"); err != nil {
		t.Error(err)
	}
}
