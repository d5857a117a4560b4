package pgserver

import (
	"cmp"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
)

// installed is where Debian and Ubuntu have the programs of each version, which are not on the path.
const installed = "/usr/lib/postgresql"

var errMissing = errors.New("install PostgreSQL's server (Debian and Ubuntu: apt-get install postgresql): " +
	"its programs postgres and initdb are neither on the path nor in " + installed)

// Find is the directory of the server's programs: those on the path, or the newest that are installed.
func Find() (binDir string, err error) { return find(installed) }

func find(installed string) (binDir string, err error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil && complete(filepath.Dir(path)) {
			return filepath.Dir(path), nil
		}
	}
	versions, err := filepath.Glob(filepath.Join(installed, "*", "bin"))
	if err != nil {
		return "", err
	}
	slices.SortFunc(versions, func(a, b string) int { return cmp.Compare(versionOf(b), versionOf(a)) })
	if i := slices.IndexFunc(versions, complete); i >= 0 {
		return versions[i], nil
	}
	return "", errMissing
}

// versionOf is the version in a directory such as /usr/lib/postgresql/9.6/bin.
func versionOf(binDir string) float64 {
	version, err := strconv.ParseFloat(filepath.Base(filepath.Dir(binDir)), 64)
	if err != nil {
		return 0
	}
	return version
}

func complete(binDir string) bool {
	for _, program := range []string{"postgres", "initdb"} {
		if runtime.GOOS == "windows" {
			program += ".exe"
		}
		if info, err := os.Stat(filepath.Join(binDir, program)); err != nil || info.IsDir() {
			return false
		}
	}
	return true
}
