// Command clockstep makes it possible to build Go programs whose wall clock can be stepped while they run. It writes an
// overlay for the go command, made from the standard library that is installed:
//
//	go run ./tools/clockstep -o bin/prove/clock
//	go build -overlay bin/prove/clock/overlay.json -o bin/prove/gateway ./services/gateway/cmd/gateway
//
// A program built so reads the file that the environment variable CLOCK_STEP_FILE names, 20 times a second: a decimal
// number of nanoseconds, by which time.Now is then ahead of the machine's clock, or behind. Without the variable it does
// what it would do anyway. A number that cannot be read changes nothing.
//
// Stepped is what time.Now tells of the time of day, and with it the times of log lines, of stored messages and of HTTP
// answers, and time.Since and time.Until of times that have been stored or parsed. As when an operator sets a machine's
// clock, the monotonic clock goes on: timers, tickers, deadlines of contexts, and differences of times that one process
// has read. Times of files are the machine's.
//
// Such programs are for tests. libfaketime, which does this for others, does not work with Go's, which do not ask the C
// library for the time.
package main

import (
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// follow is added to package time. It is not a .go file here, because it is of that package.
//
//go:embed follow.go.txt
var follow []byte

// What is patched: where time.Now has just been told the time by the runtime.
const (
	before = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	after  = before + "\tsec, nsec = clockStepped(sec, nsec)\n"
)

func main() {
	dir := flag.String("o", "", "directory to write to")
	flag.Parse()
	if *dir == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*dir); err != nil {
		fmt.Fprintln(os.Stderr, "clockstep:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("go env GOROOT: %w", err)
	}
	return write(dir, filepath.Join(strings.TrimSpace(string(root)), "src", "time"))
}

// write writes the overlay for the package time in a directory.
func write(dir, pkg string) error {
	dir, err := filepath.Abs(dir) // the go command takes paths of an overlay from where it runs
	if err != nil {
		return err
	}
	original := filepath.Join(pkg, "time.go")
	source, err := os.ReadFile(original)
	if err != nil {
		return err
	}
	patched, err := patch(string(source))
	if err != nil {
		return fmt.Errorf("%s: %w", original, err)
	}
	replace := map[string]string{
		original:                           filepath.Join(dir, "time.go"),
		filepath.Join(pkg, "clockstep.go"): filepath.Join(dir, "clockstep.go"),
	}
	overlay, err := json.MarshalIndent(map[string]any{"Replace": replace}, "", "\t")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, content := range map[string][]byte{"time.go": []byte(patched), "clockstep.go": follow, "overlay.json": overlay} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// patch makes time.Now ask for the step.
func patch(source string) (string, error) {
	if n := strings.Count(source, before); n != 1 {
		return "", fmt.Errorf("time.Now begins as expected %d times and not once: this version of Go is not known to clockstep", n)
	}
	return strings.Replace(source, before, after, 1), nil
}
