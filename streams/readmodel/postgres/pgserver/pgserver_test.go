package pgserver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/tidemark-chat/tidemark/streams/readmodel/postgres/pgserver"
)

func start(t *testing.T, options pgserver.Options) *pgserver.Server {
	t.Helper()
	s, err := pgserver.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// ask executes statements on a connection of their own and returns the last one's only value.
func ask(url string, statements ...string) (value string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return "", err
	}
	last := len(statements) - 1
	for _, statement := range statements[:last] {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return "", errors.Join(err, conn.Close(ctx))
		}
	}
	err = conn.QueryRow(ctx, statements[last]).Scan(&value)
	return value, errors.Join(err, conn.Close(ctx))
}

func TestWhatWasCommittedIsThereAfterAKill(t *testing.T) {
	s := start(t, pgserver.Options{Dir: filepath.Join(t.TempDir(), "new", "server"), Durable: true})
	if err := s.CreateDatabase(t.Context(), `odd "name"`); err != nil {
		t.Fatal(err)
	}
	url := s.URL(`odd "name"`)
	idle, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = idle.Close(context.Background()) }()
	if _, err := ask(url, "CREATE TABLE t (x text)", "INSERT INTO t VALUES ('kept') RETURNING x"); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	if _, err := ask(url, "SELECT x FROM t"); err == nil {
		t.Error("a killed server answers")
	}
	if err := idle.Ping(t.Context()); err == nil {
		t.Error("a process of a killed server lives")
	}
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := ask(url, "SELECT x FROM t"); got != "kept" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := ask(url, "SHOW fsync"); got != "on" || err != nil {
		t.Errorf("fsync %s, %v", got, err)
	}
}

func TestFilesAreUsedAgainByTheNextServer(t *testing.T) {
	dir := t.TempDir()
	first := start(t, pgserver.Options{Dir: dir})
	if _, err := ask(first.URL("postgres"), "CREATE TABLE t (x text)", "INSERT INTO t VALUES ('kept') RETURNING x"); err != nil {
		t.Fatal(err)
	}
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	address := strings.TrimSuffix(first.URL(""), "/")
	second := start(t, pgserver.Options{Dir: dir, Listen: address[strings.LastIndex(address, "@")+1:]})
	if second.URL("x") != first.URL("x") {
		t.Errorf("%s, before %s", second.URL("x"), first.URL("x"))
	}
	if got, err := ask(second.URL("postgres"), "SELECT x FROM t"); got != "kept" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestWhyAServerDoesNotStartIsSaid(t *testing.T) {
	first := start(t, pgserver.Options{})
	address := strings.TrimSuffix(first.URL(""), "/")
	_, err := pgserver.Start(t.Context(), pgserver.Options{Dir: t.TempDir(), Listen: address[strings.LastIndex(address, "@")+1:]})
	if err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("%v", err)
	}
}

func TestAServerOfItsOwnLeavesNothingBehind(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s, err := pgserver.Start(t.Context(), pgserver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); len(left) > 0 || err != nil {
		t.Errorf("%v, %v", left, err)
	}
}

func TestTheProgramsOnThePathComeFirstAndThenTheNewest(t *testing.T) {
	here, installed := t.TempDir(), t.TempDir()
	t.Setenv("PATH", here)
	put := func(dir string, programs ...string) string {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, program := range programs {
			if err := os.WriteFile(filepath.Join(dir, program), nil, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	if _, err := pgserver.FindIn(installed); err == nil || !strings.Contains(err.Error(), "install PostgreSQL's server") {
		t.Errorf("%v", err)
	}
	put(filepath.Join(installed, "9.6", "bin"), "postgres", "initdb")
	newest := put(filepath.Join(installed, "15", "bin"), "postgres", "initdb")
	put(filepath.Join(installed, "17", "bin"), "psql") // a client only
	if dir, err := pgserver.FindIn(installed); dir != newest || err != nil {
		t.Errorf("%s, %v", dir, err)
	}
	put(here, "postgres", "initdb")
	if dir, err := pgserver.FindIn(installed); dir != here || err != nil {
		t.Errorf("%s, %v", dir, err)
	}
}

// parentDir tells a copy of this test's program to start a server there and to wait to be killed.
const parentDir = "TIDEMARK_TEST_PARENT_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(parentDir); dir != "" {
		s, err := pgserver.Start(context.Background(), pgserver.Options{Dir: dir})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(s.URL("postgres"))
		_, _ = io.Copy(io.Discard, os.Stdin)
		return
	}
	goleak.VerifyTestMain(m)
}

func TestAServerEndsWithItsParentHoweverThatEnds(t *testing.T) {
	if runtime.GOOS != "linux" {
		return // nothing is promised
	}
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentDir+"="+t.TempDir())
	output, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	input, err := parent.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = input.Close() }()
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var url string
	_, err = fmt.Fscanln(output, &url)
	_, alive := ask(url, "SELECT 'alive'")
	if killed := parent.Process.Kill(); err != nil || alive != nil || killed != nil {
		t.Errorf("%v, %v, %v", err, alive, killed)
	}
	_ = parent.Wait() // it was killed
	for end := time.Now().Add(20 * time.Second); alive == nil; _, alive = ask(url, "SELECT 'alive'") {
		if time.Now().After(end) {
			t.Fatal("the server lives on")
		}
	}
}
