package endtoend

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// elsewhere runs the auditor as somebody does who has a file and a public key, and nothing else of the deployment.
func elsewhere(t *testing.T, args ...string) (code int, output string) {
	t.Helper()
	cmd := exec.Command(filepath.Join(binaries, "auditor"), args...)
	cmd.Dir = t.TempDir()
	cmd.Env = []string{"HOME=" + cmd.Dir}
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// handOver copies files to where the deployment is not, and stops it.
func handOver(t *testing.T, d *deployment, files ...string) (copies []string) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		copies = append(copies, filepath.Join(dir, filepath.Base(name)))
		if err := os.WriteFile(copies[len(copies)-1], content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d.stop()
	return copies
}

func (d *deployment) must(args ...string) (output string) {
	d.t.Helper()
	code, output := d.auditor(args...)
	if code != 0 {
		d.t.Fatalf("auditor %v: exit %d\n%s", args, code, output)
	}
	return output
}

func TestAProofIsCheckedElsewhereAndWithOneByteAlteredIsRefused(t *testing.T) {
	d := deploy(t)
	d.talk(events)
	proof, out := filepath.Join(d.dir, "proof.json"), t.TempDir()
	d.must("prove", "--offset", "42", "--out", proof)
	d.must("transcript", "--room", "harbour", "--out", out)
	ndjson, html := filepath.Join(out, "transcript.ndjson"), filepath.Join(out, "transcript.html")
	for _, name := range handOver(t, d, proof, ndjson, html) {
		key := filepath.Join(d.dir, "notary.pub")
		if code, said := elsewhere(t, "check-proof", name, "--key", key); code != 0 {
			t.Errorf("%s: exit %d\n%s", name, code, said)
		}
		whole, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 8 {
			altered := bytes.Clone(whole)
			altered[i*(len(whole)-1)/7] ^= 1
			if err := os.WriteFile(name, altered, 0o600); err != nil {
				t.Fatal(err)
			}
			if code, said := elsewhere(t, "check-proof", name, "--key", key); code != 1 {
				t.Errorf("%s with byte %d of %d altered: exit %d\n%s", filepath.Base(name), i*(len(whole)-1)/7, len(whole), code, said)
			}
		}
	}
}

func TestALaterCheckpointExtendsAnEarlierOneAndAnotherDeploymentsDoesNot(t *testing.T) {
	d, other := deploy(t), deploy(t)
	d.talk(events)
	other.talk(events)
	early, foreign := filepath.Join(t.TempDir(), "early.txt"), filepath.Join(t.TempDir(), "foreign.txt")
	d.must("checkpoint", "--out", early)
	other.must("checkpoint", "--out", foreign)
	d.talk(events)
	late := filepath.Join(t.TempDir(), "late.txt")
	d.must("checkpoint", "--out", late)
	extends := filepath.Join(t.TempDir(), "extends.json")
	d.must("consistency", early, late, "--out", extends)
	if code, out := d.auditor("consistency", foreign, late); code != 1 {
		t.Errorf("a foreign checkpoint: exit %d\n%s", code, out)
	}
	for _, name := range handOver(t, d, extends) {
		if code, said := elsewhere(t, "check-proof", name, "--key", filepath.Join(d.dir, "notary.pub")); code != 0 {
			t.Errorf("exit %d\n%s", code, said)
		}
		if code, said := elsewhere(t, "check-proof", name, "--key", filepath.Join(other.dir, "notary.pub")); code != 1 {
			t.Errorf("with another key: exit %d\n%s", code, said)
		}
	}
}

func TestARebuiltReadModelIsTheLiveOne(t *testing.T) {
	d := deploy(t)
	d.talk(events)
	rebuilt := filepath.Join(t.TempDir(), "rebuilt.db")
	d.must("rebuild", "--into", "sqlite:"+rebuilt)
	d.stop()
	if err := os.Rename(rebuilt, d.database()); err != nil {
		t.Fatal(err)
	}
	for _, end := range []string{"-wal", "-shm"} {
		_ = os.Remove(d.database() + end)
	}
	d.start()
	d.talk(events)
	d.must("verify")
}

func TestAReplayIsAllThatWasSaidAndGoesOnWhereItStopped(t *testing.T) {
	d := deploy(t)
	d.talk(events)
	whole := strings.Split(strings.TrimSpace(stdout(t, d, "replay", "--format", "json")), "\n")
	rest := strings.Split(strings.TrimSpace(stdout(t, d, "replay", "--format", "json", "--from", "100")), "\n")
	if len(whole) != events || len(rest) != events-99 || whole[99] != rest[0] || !strings.Contains(whole[41], d.content(41)) {
		t.Errorf("%d and %d lines\n%s\n%s", len(whole), len(rest), whole[41], rest[0])
	}
}

// stdout is what a command writes to standard output alone.
func stdout(t *testing.T, d *deployment, args ...string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(binaries, "auditor"), args...)
	cmd.Env = append(os.Environ(), "TIDEMARK_NATS_URL=nats://"+d.log, "TIDEMARK_DATA_DIR="+d.dir)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
