package proof_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/tidemark-chat/tidemark/services/auditor/proof"
	"github.com/tidemark-chat/tidemark/services/auditor/proof/prooftest"
)

// extend is the proof file that newer extends older.
func extend(t *testing.T, older, newer proof.Signed, log *prooftest.Log) []byte {
	t.Helper()
	p, err := proof.Extend(older, newer, log)
	if err != nil {
		t.Fatal(err)
	}
	file, err := proof.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func checkConsistency(t *testing.T, file []byte) error {
	t.Helper()
	_, verifier := prooftest.Keys(t)
	p, err := proof.ReadConsistency(file)
	if err == nil {
		_, _, err = p.Check(verifier)
	}
	return err
}

// grow is a log of up to size events and its checkpoints, by size.
func grow(t *testing.T, contents []string) (*prooftest.Log, []proof.Signed) {
	t.Helper()
	log, signed := prooftest.Write(t), make([]proof.Signed, len(contents)+1)
	for i, content := range contents {
		log.Say(content)
		signed[i+1] = log.Sign()
	}
	return log, signed
}

func TestEachCheckpointExtendsEachBeforeIt(t *testing.T) {
	log, signed := grow(t, prooftest.Many(34))
	for newer := 1; newer < len(signed); newer++ {
		for older := 1; older <= newer; older++ {
			if err := checkConsistency(t, extend(t, signed[older], signed[newer], log)); err != nil {
				t.Fatalf("%d of %d: %v", older, newer, err)
			}
		}
	}
}

func TestAForkedLogDoesNotExtend(t *testing.T) {
	contents := prooftest.Many(20)
	log, signed := grow(t, contents)
	forked := append([]string{}, contents...)
	forked[9] = "never said"
	fork, signedFork := grow(t, forked)
	for newer := 1; newer < len(signed); newer++ {
		for older := 1; older <= newer; older++ {
			honest := older < 10 // up to there they are the same log
			if _, err := proof.Extend(signed[older], signedFork[newer], fork); (err == nil) != honest || err != nil && !errors.Is(err, proof.ErrRefused) {
				t.Errorf("%d to the fork's %d: %v", older, newer, err)
			}
			if _, err := proof.Extend(signedFork[older], signed[newer], log); (err == nil) != honest || err != nil && !errors.Is(err, proof.ErrRefused) {
				t.Errorf("the fork's %d to %d: %v", older, newer, err)
			}
		}
	}
}

func TestWhatCannotBeComparedIsRefused(t *testing.T) {
	log := prooftest.Write(t, prooftest.Many(3)...)
	three, other := log.Sign(), log.SignAs("epoch-2")
	log.Say("four")
	four := log.Sign()
	for name, pair := range map[string][2]proof.Signed{"the wrong way": {four, three}, "another epoch": {other, four}, "nothing": {{}, four}} {
		if _, err := proof.Extend(pair[0], pair[1], log); !errors.Is(err, proof.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAConsistencyProofOfWhichAnyByteWasAlteredIsRefused(t *testing.T) {
	log, signed := grow(t, prooftest.Many(7))
	file := extend(t, signed[3], signed[7], log)
	for i := range file {
		for _, with := range []byte{1, 2, 32, 128} {
			altered := bytes.Clone(file)
			altered[i] ^= with
			if err := checkConsistency(t, altered); !errors.Is(err, proof.ErrRefused) {
				t.Fatalf("byte %d as %q: %v", i, altered[i], err)
			}
		}
	}
}

func TestCheckpointsExchangedAreRefused(t *testing.T) {
	log, signed := grow(t, prooftest.Many(7))
	p, err := proof.Extend(signed[3], signed[7], log)
	if err != nil {
		t.Fatal(err)
	}
	p.Older, p.Newer = p.Newer, p.Older
	file, err := proof.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	if err := checkConsistency(t, file); !errors.Is(err, proof.ErrRefused) {
		t.Error(err)
	}
}
