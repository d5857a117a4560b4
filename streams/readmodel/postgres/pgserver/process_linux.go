package pgserver

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// capDACOverride lets a process enter directories that are closed to its user.
const capDACOverride = 1

// account is the user that a server runs as.
type account struct{ uid, gid int }

// unprivileged is who runs the server: nobody else if this process is not root.
func unprivileged() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.Atoi(u.Uid)
		gid, gidErr := strconv.Atoi(u.Gid)
		return &account{uid, gid}, errors.Join(uidErr, gidErr)
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody to run it as")
}

// own gives a file or directory to the user.
func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	return os.Chown(path, a.uid, a.gid)
}

// attributes make a program run as the user and end with this process. SIGQUIT has the server take its own processes along.
func (a *account) attributes(dir string) *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT, Setpgid: true}
	if a != nil {
		attributes.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
		if closed(filepath.Dir(dir)) {
			attributes.AmbientCaps = []uintptr{capDACOverride}
		}
	}
	return attributes
}

// closed is whether a directory, or one above it, such as root's home, cannot be entered by everybody.
func closed(dir string) bool {
	info, err := os.Stat(dir)
	if err != nil || info.Mode()&0o001 == 0 {
		return true
	}
	above := filepath.Dir(dir)
	return above != dir && closed(above)
}

// kill ends the server and its processes, which are held first so that they start no others, and waits for all of them.
func (p *process) kill() {
	_ = p.signal(syscall.SIGSTOP)
	all := children(p.handle.Pid)
	for _, pid := range append(all, p.handle.Pid) {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it is gone, or goes now
	}
	<-p.done
	for _, pid := range all {
		for parent, _ := parentOf(pid); parent != 0; parent, _ = parentOf(pid) {
			time.Sleep(time.Millisecond)
		}
	}
}

// children are the processes whose parent is pid.
func children(pid int) (list []int) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		if id, err := strconv.Atoi(entry.Name()); err == nil {
			if parent, err := parentOf(id); err == nil && parent == pid {
				list = append(list, id)
			}
		}
	}
	return list
}

// parentOf is the parent of a process; 0 if that has ended, whether or not somebody has taken note of it.
func parentOf(pid int) (parent int, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	var state string
	afterName := stat[bytes.LastIndexByte(stat, ')')+1:] // a name can hold anything
	if _, err := fmt.Fscan(bytes.NewReader(afterName), &state, &parent); err != nil || state == "Z" || state == "X" {
		return 0, err
	}
	return parent, nil
}
