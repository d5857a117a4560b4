//go:build unix

package transport

import "syscall"

// writeSome writes what a socket, which is not blocking, takes now.
func writeSome(fd uintptr, b []byte) int {
	for {
		n, err := syscall.Write(int(fd), b)
		if err != syscall.EINTR {
			return n
		}
	}
}
