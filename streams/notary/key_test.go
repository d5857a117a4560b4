package notary_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/tidemark-chat/tidemark/streams/notary"
)

func TestANameThatIsNoneMakesNoKey(t *testing.T) {
	for _, name := range []string{"", " ", "a b", "a+b", "a\nb", "é", "-a", "/a", "\u202ea", strings.Repeat("a", 101)} {
		if _, _, err := notary.GenerateKey(name); err == nil {
			t.Errorf("%q: no error", name)
		}
		if _, err := notary.EnsureKey(filepath.Join(t.TempDir(), "notary.key"), name); err == nil {
			t.Errorf("EnsureKey %q: no error", name)
		}
	}
}

func TestThePublicKeyBelongsToTheSecretOne(t *testing.T) {
	for range 50 { // some have a + within the key's base64
		secret, public, err := notary.GenerateKey("chat.example.org/tidemark")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := notary.PublicOf(secret + "\n"); err != nil || got != public {
			t.Errorf("%q, %v; want %q", got, err, public)
		}
	}
}

func TestWhatIsNoSecretKeyIsNotSaid(t *testing.T) {
	secret, public, err := notary.GenerateKey("n")
	if err != nil {
		t.Fatal(err)
	}
	spaced := strings.Replace(secret, "+n+", "+n\u202e+", 1)
	for _, text := range []string{"", "x", public, secret[:len(secret)-5], secret + "A", secret[:20] + "AAAA" + secret[24:], spaced} {
		path := filepath.Join(t.TempDir(), "notary.key")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err1 := notary.PublicOf(text)
		_, err2 := notary.ReadSigner(path)
		_, err3 := notary.EnsureKey(path, "n")
		for _, err := range []error{err1, err2, err3} {
			if err == nil || len(text) > 8 && strings.Contains(err.Error(), text[8:]) {
				t.Errorf("%q: %v", text, err)
			}
		}
		for _, err := range []error{err2, err3} {
			if err != nil && !strings.Contains(err.Error(), path) {
				t.Errorf("it does not name the file: %v", err)
			}
		}
		if kept, err := os.ReadFile(path); err != nil || string(kept) != text {
			t.Errorf("the file is now %q, %v", kept, err)
		}
	}
}

func TestReadVerifier(t *testing.T) {
	dir := t.TempDir()
	key, err := notary.EnsureKey(filepath.Join(dir, "notary.key"), "n")
	if err != nil {
		t.Fatal(err)
	}
	for _, given := range []string{key.Public, " " + key.Public + "\n", filepath.Join(dir, "notary.pub")} {
		if v, err := notary.ReadVerifier(given); err != nil || v.Name() != "n" || v.KeyHash() != key.KeyHash() {
			t.Errorf("%q: %v", given, err)
		}
	}
	secret, err := os.ReadFile(filepath.Join(dir, "notary.key"))
	if err != nil {
		t.Fatal(err)
	}
	for given, want := range map[string]string{
		string(secret):                   "secret key",
		filepath.Join(dir, "notary.key"): "secret key",
		filepath.Join(dir, "none.pub"):   "neither",
		key.Public + "A":                 "neither",
		dir:                              dir,
	} {
		_, err := notary.ReadVerifier(given)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), strings.TrimSpace(string(secret[20:]))) {
			t.Errorf("%q: %v", given, err)
		}
	}
}

func TestAKeyIsMadeOnceAndThenRead(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "notary.key")
	made, err := notary.EnsureKey(path, "n")
	if err != nil {
		t.Fatal(err)
	}
	read, err := notary.EnsureKey(path, "another name")
	if err != nil || read.Public != made.Public {
		t.Fatalf("%q and then %q, %v", made.Public, read.Public, err)
	}
	signed := sign(t, some(), read)
	if _, err := notary.Verify(signed, made.Verifier); err != nil {
		t.Error(err)
	}
	if alone, err := notary.ReadSigner(path); err != nil || alone.Public != made.Public {
		t.Errorf("%q, %v", alone.Public, err)
	}
	for name, mode := range map[string]fs.FileMode{"notary.key": 0o600, "notary.pub": 0o644} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if names := list(t, dir); names != "notary.key notary.pub" {
		t.Errorf("there is %s", names)
	}
}

func TestAPublicKeyThatDoesNotBelongIsAnError(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "notary.key")
	made, err := notary.EnsureKey(path, "n")
	if err != nil {
		t.Fatal(err)
	}
	beside := notary.PublicPath(path)
	if err := os.Remove(beside); err != nil {
		t.Fatal(err)
	}
	if _, err := notary.EnsureKey(path, "n"); err != nil {
		t.Fatal(err)
	}
	if public, err := os.ReadFile(beside); err != nil || string(public) != made.Public+"\n" {
		t.Errorf("%q, %v", public, err)
	}
	_, other, err := notary.GenerateKey("n")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(beside, []byte(other), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := notary.EnsureKey(path, "n"); err == nil || !strings.Contains(err.Error(), beside) {
		t.Errorf("%v", err)
	}
}

func TestManyAtOnceEndWithOneKey(t *testing.T) {
	for range 20 {
		dir := t.TempDir()
		keys := make([]notary.Key, 16)
		var all sync.WaitGroup
		for i := range keys {
			all.Go(func() {
				var err error
				if keys[i], err = notary.EnsureKey(filepath.Join(dir, "notary.key"), "n"); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, key := range keys {
			if key.Public != keys[0].Public {
				t.Fatalf("%q and %q", key.Public, keys[0].Public)
			}
		}
		if names := list(t, dir); names != "notary.key notary.pub" {
			t.Errorf("there is %s", names)
		}
	}
}

func TestAKeyThatCannotBeWrittenIsAnError(t *testing.T) {
	if _, err := notary.EnsureKey(filepath.Join(t.TempDir(), "none", "notary.key"), "n"); err == nil {
		t.Error("no error")
	}
}

func list(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

var _ note.Signer = notary.Key{}
