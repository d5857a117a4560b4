package notary

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// maxKeyFile bounds what is read of a file that is said to hold a key, in bytes.
const maxKeyFile = 4 << 10

// ReadSigner reads a secret key's file, which holds the text that GenerateKey makes.
func ReadSigner(path string) (Key, error) {
	secret, err := readKeyFile(path)
	if err != nil {
		return Key{}, fmt.Errorf("read a notary's secret key: %w", err)
	}
	key, err := parseKey(secret)
	if err != nil {
		return Key{}, fmt.Errorf("read a notary's secret key: %s: %w", path, err)
	}
	return key, nil
}

// ReadVerifier reads a public key (name+hash+key), or a file that holds one. It takes no secret key, which nobody who verifies
// should have, and says nothing of its text.
func ReadVerifier(textOrPath string) (note.Verifier, error) {
	const doing = "read a notary's public key"
	if strings.HasPrefix(strings.TrimSpace(textOrPath), secretPrefix) {
		return nil, fmt.Errorf("%s: what was given is a secret key; give the public one that belongs to it", doing)
	}
	if verifier, err := parseVerifier(textOrPath); err == nil {
		return verifier, nil
	}
	public, err := readKeyFile(textOrPath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %q is neither one (name+hash+key) nor a file", doing, textOrPath)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	if strings.HasPrefix(strings.TrimSpace(public), secretPrefix) {
		return nil, fmt.Errorf("%s: %s holds a secret key; give the public one that belongs to it", doing, textOrPath)
	}
	verifier, err := parseVerifier(public)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", doing, textOrPath, err)
	}
	return verifier, nil
}

// EnsureKey reads the secret key in a file, whatever its name, and makes one under name if there is no file: mode 0600, on disk
// and whole before it is there at all, so that of several processes at once all get the same key, and no file is ever written
// over. Beside it stands the public key: path with .pub in place of .key. One that does not belong to the secret key is an error.
func EnsureKey(path, name string) (Key, error) {
	key, err := ReadSigner(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeKey(path, name); err != nil {
			return Key{}, fmt.Errorf("make a notary's key: %w", err)
		}
		key, err = ReadSigner(path)
	}
	if err != nil {
		return Key{}, err
	}
	beside := PublicPath(path)
	if err := createWhole(beside, key.Public+"\n", 0o644); err != nil && !errors.Is(err, fs.ErrExist) {
		return Key{}, fmt.Errorf("write a notary's public key: %w", err)
	}
	public, err := readKeyFile(beside)
	if err != nil {
		return Key{}, fmt.Errorf("read a notary's public key: %w", err)
	}
	if strings.TrimSpace(public) != key.Public {
		return Key{}, fmt.Errorf("%s does not hold the public key that belongs to %s: put the right file back, or remove it if the key was changed on purpose",
			beside, path)
	}
	return key, nil
}

// PublicPath is where EnsureKey keeps the public key that belongs to a secret key's file.
func PublicPath(path string) string { return strings.TrimSuffix(path, ".key") + ".pub" }

// makeKey makes a secret key's file, unless somebody else has just done so.
func makeKey(path, name string) error {
	secret, _, err := GenerateKey(name)
	if err != nil {
		return err
	}
	if err := createWhole(path, secret+"\n", 0o600); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// createWhole makes a file that is whole and on disk by the time it has its name, or fails: with fs.ErrExist if there is one.
func createWhole(path, content string, mode fs.FileMode) (err error) {
	if _, err := os.Lstat(path); err == nil {
		return &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	}
	dir := filepath.Dir(path)
	file, err := os.CreateTemp(dir, filepath.Base(path)+".*.tmp") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.WriteString(content)
	err = errors.Join(err, file.Chmod(mode), file.Sync(), file.Close())
	if err != nil {
		return err
	}
	if err := os.Link(file.Name(), path); err != nil { // fails if there is one
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func readKeyFile(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxKeyFile))
	if err != nil {
		return "", err
	}
	return string(content), nil
}
