package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-systemd/v22/unit"

	"github.com/tidemark-chat/tidemark/config"
)

// confinement is what every unit must say.
var confinement = map[string]string{
	"NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "AmbientCapabilities": "", "DynamicUser": "yes", "UMask": "0077",
	"ProtectSystem": "strict", "ProtectHome": "yes", "ProtectProc": "invisible", "ProcSubset": "pid", "ProtectClock": "yes",
	"ProtectControlGroups": "yes", "ProtectHostname": "yes", "ProtectKernelLogs": "yes", "ProtectKernelModules": "yes",
	"ProtectKernelTunables": "yes", "PrivateDevices": "yes", "PrivateTmp": "yes", "PrivateUsers": "yes", "RemoveIPC": "yes",
	"LockPersonality": "yes", "MemoryDenyWriteExecute": "yes", "RestrictNamespaces": "yes", "RestrictRealtime": "yes",
	"RestrictSUIDSGID": "yes", "SystemCallArchitectures": "native", "SystemCallErrorNumber": "EPERM",
}

// others are the directives that units may have beside: one that is misspelt would only be warned of, and without effect.
const others = " Description Documentation Wants After StartLimitIntervalSec Type Environment EnvironmentFile ExecStart ExecReload" +
	" Restart RestartSec RestartPreventExitStatus RemainAfterExit TimeoutStartSec TimeoutStopSec LimitNOFILE MemoryMax TasksMax" +
	" StateDirectory StateDirectoryMode LoadCredential RestrictAddressFamilies SystemCallFilter WantedBy "

func units(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("systemd/*.service")
	if err != nil || len(paths) != 4 {
		t.Fatalf("units are %v: %v", paths, err)
	}
	return paths
}

// directives are the values of a unit's directives; those that stand several times are joined.
func directives(t *testing.T, path string) map[string]string {
	t.Helper()
	options, err := unit.DeserializeOptions(strings.NewReader(read(t, path)))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	values := map[string]string{}
	for _, option := range options {
		if before, twice := values[option.Name]; twice {
			values[option.Name] = before + "\n" + option.Value
			continue
		}
		values[option.Name] = option.Value
	}
	return values
}

func TestUnitsAreConfined(t *testing.T) {
	for _, path := range units(t) {
		values := directives(t, path)
		for name, wanted := range confinement {
			if value, said := values[name]; !said || value != wanted {
				t.Errorf("%s: %s is %q, not %q", path, name, value, wanted)
			}
		}
		for name := range values {
			if _, known := confinement[name]; !known && !strings.Contains(others, " "+name+" ") {
				t.Errorf("%s: what is %s?", path, name)
			}
		}
	}
}

func TestUnitsAreStartedAgainHoweverOftenTheyFail(t *testing.T) {
	// In any other section systemd would only warn of it, and give up after five starts in ten seconds.
	unlimited := unit.UnitOption{Section: "Unit", Name: "StartLimitIntervalSec", Value: "0"}
	for _, path := range units(t) {
		options, err := unit.DeserializeOptions(strings.NewReader(read(t, path)))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(options, func(o *unit.UnitOption) bool { return *o == unlimited }) {
			t.Errorf("%s: after five quick failures it stays down", path)
		}
		if restart := directives(t, path)["Restart"]; restart != "always" && restart != "on-failure" {
			t.Errorf("%s: Restart is %q", path, restart)
		}
	}
}

func TestUnitsGiveServicesTimeToStopAndReload(t *testing.T) {
	for _, path := range units(t) {
		values := directives(t, path)
		if values["Type"] == "oneshot" {
			continue
		}
		stop, err := time.ParseDuration(values["TimeoutStopSec"])
		if least := config.Default().Gateway.ShutdownTimeout; err != nil || stop <= least {
			t.Errorf("%s: it is killed after %q, and may need %s", path, values["TimeoutStopSec"], least)
		}
		if values["ExecReload"] != "kill -HUP $MAINPID" {
			t.Errorf("%s: ExecReload is %q", path, values["ExecReload"])
		}
	}
}

// specifiers of the units, as they are on a machine.
var specifiers = strings.NewReplacer("%i", "3000", "%S", "/var/lib", "%d", "/run/credentials/unit")

// services are the units of Tidemark itself.
var services = []string{"tidemark-gateway@", "tidemark-persister", "tidemark-provision"}

// environmentFiles are the files that a unit must have, as they are here.
func environmentFiles(t *testing.T, values map[string]string) (paths []string) {
	t.Helper()
	for path := range strings.SplitSeq(values["EnvironmentFile"], "\n") {
		if !strings.HasPrefix(path, "-") {
			paths = append(paths, "systemd/"+filepath.Base(path))
		}
	}
	return paths
}

// assignments are those of a file, the ones in comments, too.
func assignments(t *testing.T, path string) (lines []string) {
	t.Helper()
	for line := range strings.Lines(read(t, path)) {
		if assignment := strings.TrimPrefix(line, "#"); strings.HasPrefix(assignment, config.EnvPrefix) {
			lines = append(lines, strings.TrimSpace(assignment))
		}
	}
	return lines
}

func TestUnitsShareTheFileOfWhatTheyHaveInCommon(t *testing.T) {
	const common = "systemd/tidemark.env"
	for _, name := range services {
		values := directives(t, "systemd/"+name+".service")
		files := environmentFiles(t, values)
		if files[0] != common {
			t.Errorf("%s reads %s first", name, files[0])
		}
		own := strings.Split(values["Environment"], "\n")
		for _, file := range files[1:] {
			own = append(own, assignments(t, file)...)
		}
		for setting := range pairs(own) {
			if slices.Contains(layout, setting) {
				t.Errorf("%s has a %s of its own", name, setting)
			}
		}
	}
	if len(assignments(t, common)) == 0 {
		t.Errorf("there is nothing in %s", common)
	}
}

func TestUnitsHaveValidSettings(t *testing.T) {
	for _, name := range services {
		t.Run(name, func(t *testing.T) {
			values := directives(t, "systemd/"+name+".service")
			lines := strings.Split(specifiers.Replace(values["Environment"]), "\n")
			for _, file := range environmentFiles(t, values) {
				lines = append(lines, assignments(t, file)...)
			}
			env := pairs(lines)
			if len(env) < 2 {
				t.Errorf("its settings are %v", env)
			}
			if cfg := checkSettings(t, env); name != "tidemark-provision" && cfg.NATS.Provision {
				t.Error("it provisions")
			}
		})
	}
}

// TestSystemdAcceptsTheUnits has systemd itself read them, with programs that are there in place of ours.
func TestSystemdAcceptsTheUnits(t *testing.T) {
	if !installed(t, "systemd-analyze") {
		return
	}
	dir := t.TempDir()
	program := regexp.MustCompile(`(?m)^ExecStart=\S+`)
	for _, path := range units(t) {
		copied := filepath.Join(dir, filepath.Base(path))
		text := program.ReplaceAllString(read(t, path), "ExecStart=/bin/true")
		if err := os.WriteFile(copied, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if said, problems, err := run(t, dir, nil, "systemd-analyze", "verify", "--man=no", copied); err != nil || problems != "" {
			t.Errorf("%s: %v\n%s%s", path, err, said, problems)
		}
		if said, _, err := run(t, dir, nil, "systemd-analyze", "security", "--offline=true", "--threshold=15", copied); err != nil {
			t.Errorf("%s is too exposed: %v\n%s", path, err, said)
		}
	}
}
