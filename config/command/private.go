package command

import (
	"os"
	"strings"
)

// Private adds to what a check has found which of the files, all secrets, others than their owner may read or change. Empty
// paths are passed over. It is no failure: where secrets are mounted, others may be nobody.
func Private(found string, paths ...string) string {
	var open []string
	for _, path := range paths {
		if path == "" {
			continue
		}
		if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 {
			open = append(open, path)
		}
	}
	if len(open) == 0 {
		return found
	}
	return found + "; can be read by others: chmod 600 " + strings.Join(open, " ")
}
