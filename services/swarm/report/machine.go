package report

import (
	"bufio"
	"os"
	"runtime"
	"strings"
)

// Machine is where the swarm ran; with it, unless the address says otherwise, what it talked to.
type Machine struct {
	CPUs      int    `json:"cpus"`
	CPU       string `json:"cpu,omitempty"` // the model's name, where the system tells it
	Platform  string `json:"platform"`      // "linux/amd64"
	GoVersion string `json:"goVersion"`
	Kernel    string `json:"kernel,omitempty"` // its release, where the system tells it
}

// ThisMachine is the one that this process runs on.
func ThisMachine() Machine {
	return Machine{
		CPUs: runtime.NumCPU(), CPU: cpuModel(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		GoVersion: runtime.Version(), Kernel: kernelRelease(),
	}
}

// kernelRelease is empty where there is no such file, which is on any system but Linux.
func kernelRelease() string {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

func cpuModel() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
