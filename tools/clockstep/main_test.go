package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestOnlyTheKnownTextIsPatched(t *testing.T) {
	for source, ok := range map[string]bool{before + "}": true, "": false, before + before: false, "func Now() Time { return Time{} }": false} {
		got, err := patch(source)
		if (err == nil) != ok || ok && got != after+"}" {
			t.Errorf("%q: %q, %v", source, got, err)
		}
	}
}

// clock prints, whenever it is sent a line: the time of day in nanoseconds, and how much time has passed since its start
// by the monotonic clock and by the clock on the wall.
const clock = `package main

import (
	"bufio"
	"fmt"
	"os"
	"time"
)

func main() {
	began := time.Now()
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		now := time.Now()
		fmt.Println(now.UnixNano(), int64(time.Since(began)), int64(now.Round(0).Sub(began.Round(0))))
	}
}
`

type reading struct{ wall, passed, onTheWall time.Duration }

// TestAProgramsClockIsStepped builds a program with the overlay and sets its clock while it runs.
func TestAProgramsClockIsStepped(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "clock")
	file := filepath.Join(dir, "step")
	if err := run(filepath.Join(dir, "overlay")); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "main.go"), clock)
	build := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay", "overlay.json"), "-o", program, filepath.Join(dir, "main.go"))
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}

	put(t, file, "3600000000000")
	read := start(t, program, "CLOCK_STEP_FILE="+file)
	first := read()
	expect(t, "stepped from the start", first, time.Hour)
	for _, step := range []time.Duration{-26 * time.Hour, 26 * time.Hour, -time.Millisecond * 1500, 0} {
		put(t, file+".next", strconv.FormatInt(int64(step), 10))
		if err := os.Rename(file+".next", file); err != nil {
			t.Fatal(err)
		}
		r := read()
		for deadline := time.Now().Add(20 * time.Second); !near(r.wall, step) && time.Now().Before(deadline); r = read() {
			<-time.After(time.Millisecond)
		}
		expect(t, "stepped while it runs", r, step)
		if r.passed < first.passed || r.passed > time.Minute {
			t.Errorf("step %v: the monotonic clock went from %v to %v", step, first.passed, r.passed)
		}
		if want := r.passed + step - time.Hour; !near(r.onTheWall, want) {
			t.Errorf("step %v: since the start %v on the wall, want %v", step, r.onTheWall, want)
		}
	}

	read = start(t, program, "CLOCK_STEP_FILE=")
	expect(t, "without the variable", read(), 0)
}

func expect(t *testing.T, when string, r reading, want time.Duration) {
	t.Helper()
	if !near(r.wall, want) {
		t.Errorf("%s: %v ahead, want %v", when, r.wall, want)
	}
}

func near(got, want time.Duration) bool { return (got - want).Abs() < 700*time.Millisecond }

// start starts a clock and returns how to read it.
func start(t *testing.T, program, setting string) func() reading {
	t.Helper()
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), setting)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	lines := bufio.NewScanner(out)
	return func() reading {
		t.Helper()
		if _, err := in.Write([]byte("\n")); err != nil || !lines.Scan() {
			t.Fatal("no answer", err)
		}
		var n [3]int64
		for i, f := range strings.Fields(lines.Text()) {
			if n[i], err = strconv.ParseInt(f, 10, 64); err != nil {
				t.Fatal(err)
			}
		}
		return reading{time.Until(time.Unix(0, n[0])), time.Duration(n[1]), time.Duration(n[2])}
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
