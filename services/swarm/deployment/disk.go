package deployment

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// diskSize is that of each disk, in bytes. It is memory, taken as it is used; a full disk uses all of it.
const diskSize = 256 << 20

// Disk is a small file system in memory that holds one store: that of a nats-server, or the persisters' database.
type Disk struct {
	Name  string   // "disk-nats-1", "disk-database"
	Users []string // the processes that store there

	dir      string
	launcher *launcher
}

// Fill takes all that is free. What users free afterwards, they can use.
func (d *Disk) Fill() error {
	if err := d.launcher.allocate(d.ballast()); err != nil {
		return fmt.Errorf("fill %s: %w", d.Name, err)
	}
	return nil
}

// Free gives back what Fill took.
func (d *Disk) Free() error {
	if err := d.launcher.remove(d.ballast()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("free %s: %w", d.Name, err)
	}
	return nil
}

func (d *Disk) ballast() string { return filepath.Join(d.dir, "ballast") }

// disk makes a directory for a store, on a disk of its own if that can be had.
func (d *Deployment) disk(name string, users ...string) (dir string, err error) {
	dir = filepath.Join(d.options.Dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	if d.launcher.mounting == nil && !d.options.Standing {
		d.launcher.mounting = d.launcher.mount(dir, diskSize)
	}
	if d.launcher.mounting == nil && !d.options.Standing {
		d.disks = append(d.disks, &Disk{Name: "disk-" + name, Users: users, dir: dir, launcher: d.launcher})
	}
	store := filepath.Join(dir, "store")
	return store, d.launcher.do(func() error { return os.MkdirAll(store, 0o700) })
}

// keepDatabase copies the database off its disk, which is about to vanish.
func (d *Deployment) keepDatabase() error {
	for _, disk := range d.disks {
		if disk.Name != "disk-database" {
			continue
		}
		to := filepath.Join(d.options.Dir, "database-kept")
		err := d.launcher.do(func() error { return os.CopyFS(to, os.DirFS(filepath.Join(disk.dir, "store"))) })
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("keep the database: %w", err)
		}
	}
	return nil
}
