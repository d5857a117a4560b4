// Package vuln tests vuln.sh, with a govulncheck in its place that says what each test has it say.
package vuln

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// installer stands for the go command, which vuln.sh asks for govulncheck and nothing else.
const installer = `#!/bin/sh
cp "$SCANNER" "$GOBIN/govulncheck" && chmod 0755 "$GOBIN/govulncheck"
`

// scan runs vuln.sh with this script for govulncheck, to which $2 is the folder of a module, and returns its exit code.
func scan(t *testing.T, scanner, ci string) int {
	t.Helper()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Log("NOT CHECKED: there is no sh here")
		return -1
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"go": installer, "scanner": "#!/bin/sh\n" + scanner} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "sh", "../vuln.sh")
	cmd.Env = append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"), "SCANNER="+filepath.Join(dir, "scanner"), "CI="+ci)
	said, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v\n%s", err, said)
	}
	return cmd.ProcessState.ExitCode()
}

func TestWhatWasFoundStaysFoundWhenTheDatabaseGoesAway(t *testing.T) {
	const away = `echo "govulncheck: fetching vulnerabilities: no such host"; exit 1`
	for name, c := range map[string]struct {
		scanner, ci string
		code        int
	}{
		"nothing is found":                       {`exit 0`, "true", 0},
		"something is found":                     {`test "$2" != config || exit 3`, "true", 1},
		"no database, in CI":                     {away, "true", 0},
		"no database, by hand":                   {away, "", 1},
		"found, and then no database, in CI":     {`test "$2" != web || exit 3; ` + away, "true", 1},
		"a module that cannot be scanned, in CI": {`echo "no required module provides package"; exit 1`, "true", 1},
	} {
		t.Run(name, func(t *testing.T) {
			if code := scan(t, c.scanner, c.ci); code != c.code && code != -1 {
				t.Errorf("it exits with %d, not %d", code, c.code)
			}
		})
	}
}
