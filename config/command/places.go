package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
)

// Free checks that an address can be listened at. setting is its key.
func Free(setting, address string) Check {
	return Check{Name: setting, Run: func(ctx context.Context) (string, error) {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
		if err != nil {
			return "", fmt.Errorf("%w (by this service, if it is running)", err)
		}
		return address + " is free", l.Close()
	}}
}

// Writable checks that files can be made in a directory or, where it is still to be made, in the nearest one above it
// that exists. A file is made there, and removed at once.
func Writable(name, dir string) Check {
	return Check{Name: name, Run: func(context.Context) (string, error) {
		exists := dir
		for {
			f, err := os.CreateTemp(exists, ".tidemark-check-*")
			if errors.Is(err, fs.ErrNotExist) && filepath.Dir(exists) != exists {
				exists = filepath.Dir(exists)
				continue
			}
			if err != nil {
				return "", fmt.Errorf("no file can be made in %s: %w", exists, err)
			}
			err = errors.Join(f.Close(), os.Remove(f.Name()))
			if exists != dir {
				return dir + " does not exist yet, and can be made", err
			}
			return dir + " can be written to", err
		}
	}}
}

// Reachable checks that somebody listens where a URL points to. It is a warning if nobody does, for what the service
// can do without for a while.
func Reachable(setting, target string) Check {
	return Check{Name: setting, Run: func(ctx context.Context) (string, error) {
		u, err := url.Parse(target)
		if err != nil {
			return "", errors.New("it is no URL") // the error would repeat it
		}
		port := u.Port()
		if port == "" {
			port = u.Scheme // a service's name is a port's, too
		}
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
		if err != nil {
			return "", Warning("nobody answers: %w", err)
		}
		return conn.RemoteAddr().String() + " answers", conn.Close()
	}}
}
