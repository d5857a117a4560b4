package peers

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/procfs"

	"github.com/tidemark-chat/tidemark/services/swarm/report"
)

// Machine is where it was measured, and what.
type Machine struct {
	report.Machine
	Memory   uint64            `json:"memory_bytes"`
	Fsync    float64           `json:"fsync_ms"` // median of writes of 4 KB to the disk of the data
	Versions map[string]string `json:"versions"`
}

// describe is what the tables say of the machine.
func describe(i Installed) (Machine, error) {
	m := Machine{Machine: report.ThisMachine(), Versions: map[string]string{}}
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return m, err
	}
	memory, err := fs.Meminfo()
	if err != nil {
		return m, err
	}
	m.Memory = *memory.MemTotalBytes
	if m.Fsync, err = fsync(i.Data); err != nil {
		return m, err
	}
	for name, command := range map[string][]string{
		"Tidemark": {i.Standalone, "version"}, "Node.js": {"node", "--version"}, "Redis": {i.Redis, "--version"},
	} {
		if said, err := exec.Command(command[0], command[1:]...).Output(); err == nil { // else it is not measured
			m.Versions[name] = shorten(string(said))
		}
	}
	for _, name := range []string{"socket.io", "sqlite3", "@socket.io/redis-streams-adapter"} {
		text, err := os.ReadFile(filepath.Join(i.Node, "node_modules", name, "package.json"))
		if err != nil {
			continue // the same
		}
		var pkg struct{ Version string }
		if err := json.Unmarshal(text, &pkg); err != nil {
			return m, fmt.Errorf("%s: %w", name, err)
		}
		m.Versions[name] = pkg.Version
	}
	return m, nil
}

// shorten keeps of what a program says of its version the version.
func shorten(said string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(said), "\n")
	if _, rest, is := strings.Cut(line, "v="); is { // "Redis server v=7.0.15 sha=..."
		line, _, _ = strings.Cut(rest, " ")
	}
	return strings.TrimPrefix(strings.TrimPrefix(line, "standalone "), "v") // "standalone 0.1 (go1.26)", "v20.1.2"
}

// fsync is how long a small write takes until it is on disk, in milliseconds: the median of some.
func fsync(dir string) (ms float64, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, err
	}
	file, err := os.CreateTemp(dir, "fsync-")
	if err != nil {
		return 0, err
	}
	defer func() {
		_ = file.Close()
		_ = os.Remove(file.Name())
	}()
	const writes = 100
	var took []time.Duration
	for range writes {
		began := time.Now()
		if _, err := file.Write(make([]byte, 4096)); err != nil {
			return 0, err
		}
		if err := file.Sync(); err != nil {
			return 0, err
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return milliseconds(quantile(took, 0.5)), nil
}
