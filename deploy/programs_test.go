package deploy

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// repository is the folder with go.work, in which the tools of the repository run.
const repository = ".."

// output runs a program in a folder, with additional variables, and fails the test if it fails.
func output(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	text, errors, err := run(t, dir, env, name, args...)
	if err != nil {
		t.Fatalf("%s %q: %v\n%s%s", name, args, err, text, errors)
	}
	return text
}

func run(t *testing.T, dir string, env []string, name string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var out, problems bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = &out, &problems
	err = cmd.Run()
	return out.String(), problems.String(), err
}

// workspace are the variables with which the go command uses the modules of the repository.
func workspace(t *testing.T) []string {
	t.Helper()
	root, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	return []string{"GOWORK=" + filepath.Join(root, "go.work")}
}

// installed reports whether there is such a program. Without it the test says so and checks less.
func installed(t *testing.T, name string) bool {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Logf("NOT CHECKED: %s is not installed here", name)
		return false
	}
	return true
}
