//go:build !linux

package pgserver

import "syscall"

// account is the user that a server runs as. Here that is who this process is, which must not be root.
type account struct{}

func unprivileged() (*account, error) { return nil, nil }

func (*account) own(string) error { return nil }

func (*account) attributes(string) *syscall.SysProcAttr { return nil }

// kill ends the server. Its processes notice it and end by themselves.
func (p *process) kill() {
	_ = p.handle.Kill()
	<-p.done
}
