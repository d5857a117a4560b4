package deployment

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
)

// provisioner is the program that makes the streams where services may not: "streams provision".
const provisioner Role = "streams"

// provision makes the streams, buckets and consumers as their own user, as an operator does.
func (d *Deployment) provision(ctx context.Context) error {
	path, err := d.binary(provisioner)
	if err != nil {
		return err
	}
	var said bytes.Buffer
	cmd := exec.Command(path, "provision")
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.Env = slices.Concat(inherited(), d.shared(), gatewayDefaults, []string{
		"TIDEMARK_NATS_URL=" + d.urls(d.users.as(eventlog.Provisioner)), fmt.Sprintf("TIDEMARK_NATS_REPLICAS=%d", d.servers()),
	})
	if err := d.launcher.start(cmd); err != nil {
		return fmt.Errorf("streams provision: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGTERM) }) // it has ended if that fails
	defer stop()
	err = cmd.Wait()
	if saved := os.WriteFile(filepath.Join(d.options.Dir, "provision.log"), said.Bytes(), 0o600); saved != nil {
		return saved
	}
	if err != nil {
		return fmt.Errorf("streams provision: %w: %s", err, bytes.TrimSpace(said.Bytes()))
	}
	return nil
}

// shared are the settings that all services and the provisioner have to agree on.
func (d *Deployment) shared() (settings []string) {
	if d.options.Secured {
		settings = append(settings, "TIDEMARK_NATS_PROVISION=false")
	}
	if d.options.Republish {
		settings = append(settings, "TIDEMARK_STREAM_REPUBLISH=true", "TIDEMARK_GATEWAY_FEED=republish")
	}
	return settings
}
