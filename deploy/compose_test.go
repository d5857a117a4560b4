package deploy

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"

	"github.com/tidemark-chat/tidemark/config"
)

const composeDir = "compose"

// compose loads the file as "docker compose config" does, with every profile and these variables.
func compose(ctx context.Context, env []string) (*types.Project, error) {
	options, err := cli.NewProjectOptions([]string{filepath.Join(composeDir, "compose.yaml")},
		cli.WithEnv(env), cli.WithProfiles([]string{"*"}), cli.WithResolvedPaths(true), cli.WithInterpolation(true))
	if err != nil {
		return nil, err
	}
	return options.LoadProject(ctx)
}

// filledIn are the variables of .env.example, with a value for each that has none.
func filledIn(t *testing.T) []string {
	t.Helper()
	var env []string
	for line := range strings.Lines(read(t, filepath.Join(composeDir, ".env.example"))) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "#")
		name, value, isPair := strings.Cut(line, "=")
		if !isPair || strings.ContainsAny(name, " ${\"") {
			continue
		}
		if value == "" {
			value = "p" + strings.ToLower(strings.ReplaceAll(name, "_", ""))
		}
		env = append(env, name+"="+value)
	}
	return env
}

func loaded(t *testing.T) *types.Project {
	t.Helper()
	project, err := compose(t.Context(), filledIn(t))
	if err != nil {
		t.Fatal(err)
	}
	return project
}

func TestComposeStartsNothingWithoutPasswords(t *testing.T) {
	env := filledIn(t)
	passwords := 0
	for i, pair := range env {
		name, _, _ := strings.Cut(pair, "=")
		if !strings.HasSuffix(name, "_PASSWORD") {
			continue
		}
		passwords++
		without := append(append([]string{}, env[:i]...), env[i+1:]...)
		if _, err := compose(t.Context(), without); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
	if passwords != 8 {
		t.Errorf("%d passwords in .env.example", passwords)
	}
}

func TestComposeServicesAreConfined(t *testing.T) {
	for name, service := range loaded(t).Services {
		if !service.ReadOnly {
			t.Errorf("%s: its root can be written to", name)
		}
		if len(service.CapDrop) != 1 || service.CapDrop[0] != "ALL" || len(service.CapAdd) > 0 {
			t.Errorf("%s: it has capabilities", name)
		}
		if len(service.SecurityOpt) != 1 || service.SecurityOpt[0] != "no-new-privileges:true" || service.Privileged {
			t.Errorf("%s: it may gain privileges", name)
		}
		if service.Deploy == nil || service.Deploy.Resources.Limits == nil ||
			service.Deploy.Resources.Limits.MemoryBytes == 0 || service.Deploy.Resources.Limits.NanoCPUs == 0 {
			t.Errorf("%s: it may take all memory and processors", name)
		}
		if service.Build == nil {
			checkPinned(t, service.Image)
		}
		for _, port := range service.Ports {
			if port.HostIP == "" {
				t.Errorf("%s: port %s is open to everybody", name, port.Published)
			}
		}
		for _, volume := range service.Volumes {
			if volume.Type == types.VolumeTypeBind {
				checkBind(t, name, volume)
			}
		}
	}
}

func checkBind(t *testing.T, service string, volume types.ServiceVolumeConfig) {
	t.Helper()
	if !volume.ReadOnly {
		t.Errorf("%s: it may write to %s", service, volume.Source)
	}
	if _, err := os.Stat(volume.Source); err != nil {
		t.Errorf("%s: %v", service, err)
	}
}

func TestComposeServicesHaveValidSettings(t *testing.T) {
	project := loaded(t)
	for name, service := range project.Services {
		t.Run(name, func(t *testing.T) {
			env := map[string]string{}
			for key, value := range service.Environment {
				if value == nil {
					t.Errorf("%s comes from outside", key)
					continue
				}
				env[key] = *value
			}
			cfg := checkSettings(t, env)
			switch {
			case strings.HasPrefix(name, "gateway-"):
				checkGateway(t, project, cfg)
			case strings.HasPrefix(name, "persister-"):
				if cfg.Database.Driver() != config.Postgres || cfg.NATS.Provision || cfg.Notary.Key == "" {
					t.Error("it should use PostgreSQL and the notary's key, and provision nothing")
				}
			case name == "provision":
				if cfg.NATS.Replicas != 3 {
					t.Errorf("%d replicas", cfg.NATS.Replicas)
				}
			}
			if grace := service.StopGracePeriod; grace != nil && *grace <= types.Duration(cfg.Gateway.ShutdownTimeout) {
				t.Errorf("it is killed after %s, before it has stopped", grace)
			}
		})
	}
}

func TestComposeMakesTheStreamsByTheSettingsOfThoseWhoUseThem(t *testing.T) {
	services := loaded(t).Services
	shared := 0
	for _, setting := range layout {
		made := services["provision"].Environment[setting]
		if made != nil {
			shared++
		}
		for name, service := range services {
			if !strings.HasPrefix(name, "gateway-") && !strings.HasPrefix(name, "persister-") {
				continue
			}
			if used := service.Environment[setting]; (used == nil) != (made == nil) || used != nil && *used != *made {
				t.Errorf("%s: %s is another than that of provision", name, setting)
			}
		}
	}
	if shared < 3 {
		t.Errorf("provision has only %d of them", shared)
	}
}

// checkGateway wants the proxy, and nobody else, to be believed; and no right to make streams.
func checkGateway(t *testing.T, project *types.Project, cfg config.Config) {
	t.Helper()
	address, err := netip.ParseAddr(project.Services["haproxy"].Networks["edge"].Ipv4Address)
	if err != nil {
		t.Fatal(err)
	}
	proxies := cfg.Gateway.TrustedProxies
	if len(proxies) != 1 || !proxies[0].Contains(address) || !proxies[0].IsSingleIP() {
		t.Errorf("it believes %v, and the proxy is %s", proxies, address)
	}
	if cfg.NATS.Provision {
		t.Error("it provisions")
	}
}

func TestComposeNetworksPartWhatNeedNotTalk(t *testing.T) {
	project := loaded(t)
	for _, pair := range [][2]string{{"haproxy", "nats-1"}, {"haproxy", "postgres"}, {"gateway-1", "postgres"}, {"haproxy", "persister-1"}, {"grafana", "nats-1"}, {"grafana", "gateway-1"}} {
		for network := range project.Services[pair[0]].Networks {
			if _, both := project.Services[pair[1]].Networks[network]; both {
				t.Errorf("%s and %s are both in network %s", pair[0], pair[1], network)
			}
		}
	}
	for name, service := range project.Services {
		if _, reaches := service.Networks["edge"]; reaches != (name == "haproxy" || name == "prometheus" || strings.HasPrefix(name, "gateway-")) {
			t.Errorf("%s reaches gateway.operations: %v", name, reaches)
		}
	}
	for _, name := range []string{"log", "data"} {
		if !project.Networks[name].Internal {
			t.Errorf("network %s leads outside", name)
		}
	}
}

func TestComposeBuildsTargetsThatExist(t *testing.T) {
	source := read(t, dockerfile)
	built := 0
	for name, service := range loaded(t).Services {
		if service.Build == nil {
			continue
		}
		built++
		if !strings.Contains(source, " AS "+service.Build.Target+"\n") || service.Build.Target == "" {
			t.Errorf("%s: there is no target %q", name, service.Build.Target)
		}
		if _, err := os.Stat(filepath.Join(service.Build.Context, service.Build.Dockerfile)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if built < 8 {
		t.Errorf("only %d services are built", built)
	}
}
