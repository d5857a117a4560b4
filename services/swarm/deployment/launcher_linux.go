package deployment

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

var (
	pauseSignal  os.Signal = syscall.SIGSTOP
	resumeSignal os.Signal = syscall.SIGCONT
)

// launcher is the thread that starts the processes and that sees their disks.
type launcher struct {
	work     chan func()
	over     chan struct{}
	mounting error // why nothing can be mounted; nil if it can
}

func newLauncher() (*launcher, error) {
	l := &launcher{work: make(chan func()), over: make(chan struct{})}
	ready := make(chan error)
	go func() {
		defer close(l.over)
		// Never unlocked, so that the thread ends with this goroutine, and its mounts with it.
		runtime.LockOSThread()
		ready <- seclude()
		for do := range l.work {
			do()
		}
	}()
	l.mounting = <-ready
	return l, nil
}

// seclude gives this thread mounts of its own, which nobody else sees.
func seclude() error {
	if err := syscall.Unshare(syscall.CLONE_NEWNS); err != nil {
		return fmt.Errorf("no mount namespace of its own: %w", err)
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("mounts cannot be kept private: %w", err)
	}
	return nil
}

// do does something on the thread and returns when it is done.
func (l *launcher) do(something func() error) (err error) {
	done := make(chan struct{})
	l.work <- func() {
		defer close(done)
		err = something()
	}
	<-done
	return err
}

// start starts a process that ends with the thread.
func (l *launcher) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return l.do(cmd.Start)
}

// end kills what still runs. Nothing may be done or started any more.
func (l *launcher) end() {
	close(l.work)
	<-l.over
}

// mount puts an empty file system of a size in bytes on an empty directory.
func (l *launcher) mount(dir string, size int64) error {
	return l.do(func() error {
		if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, fmt.Sprintf("size=%d,mode=0700", size)); err != nil {
			return fmt.Errorf("mount a file system in memory: %w", err)
		}
		return nil
	})
}

func (l *launcher) unmount(dir string) error {
	return l.do(func() error { return syscall.Unmount(dir, syscall.MNT_DETACH) })
}

// allocate makes a file take all that its file system has free. The error is nil when it does.
func (l *launcher) allocate(path string) error {
	return l.do(func() error {
		file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil {
			return err
		}
		end := info.Size()
		for step := int64(16 << 20); step >= 4<<10; {
			switch err := syscall.Fallocate(int(file.Fd()), 0, end, step); err {
			case nil:
				end += step
			case syscall.ENOSPC:
				step /= 4
			case syscall.EINTR:
			default:
				return err
			}
		}
		return nil
	})
}

func (l *launcher) remove(path string) error {
	return l.do(func() error { return os.Remove(path) })
}
