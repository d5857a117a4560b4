package deploy

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

const dockerfile = "docker/Dockerfile"

// nobody is the user of all images.
const nobody = "65532:65532"

// targets are the images of services.
var targets = []string{"gateway", "persister", "streams", "auditor", "standalone"}

// offline answers for base images without a registry: what is in them does not matter here.
type offline struct{ asked *[]string }

func (o offline) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	*o.asked = append(*o.asked, ref)
	config, err := json.Marshal(ocispecs.Image{Platform: ocispecs.Platform{OS: "linux", Architecture: "amd64"}})
	return ref, "", config, err
}

func conversion(source []byte, asked *[]string) dockerfile2llb.ConvertOpt {
	platform := ocispecs.Platform{OS: "linux", Architecture: "amd64"}
	positions := llb.NewSourceMap(nil, dockerfile, "Dockerfile", source)
	positions.Definition = &llb.Definition{}
	return dockerfile2llb.ConvertOpt{MetaResolver: offline{asked}, TargetPlatform: &platform, SourceMap: positions}
}

func TestDockerfileIsWithoutFindings(t *testing.T) {
	source := []byte(read(t, dockerfile))
	results, err := dockerfile2llb.DockerfileLint(t.Context(), source, conversion(source, new([]string)))
	if err != nil {
		t.Fatal(err)
	}
	if results.Error != nil {
		t.Error(results.Error.Message)
	}
	for _, warning := range results.Warnings {
		t.Errorf("%s: %s", warning.RuleName, warning.Detail)
	}
}

func TestImagesRunAsNobodyAndHaveNoShell(t *testing.T) {
	for _, target := range targets {
		t.Run(target, func(t *testing.T) {
			source := []byte(read(t, dockerfile))
			opt := conversion(source, new([]string))
			opt.Config.Target = target
			result, err := dockerfile2llb.Dockerfile2LLB(t.Context(), source, opt)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := result.State.Marshal(t.Context()); err != nil {
				t.Errorf("it cannot be built: %v", err)
			}
			image := result.Image.Config
			if image.User != nobody {
				t.Errorf("its user is %q", image.User)
			}
			if !slices.Equal(image.Entrypoint, []string{"/" + target}) || len(image.Cmd) > 0 {
				t.Errorf("it starts %q %q", image.Entrypoint, image.Cmd)
			}
			if result.BaseImage != nil {
				t.Error("it is not made from scratch")
			}
			checkSettings(t, pairs(image.Env))
		})
	}
}

func TestNATSRunsAsNobodyToo(t *testing.T) {
	source := []byte(read(t, dockerfile))
	opt := conversion(source, new([]string))
	opt.Config.Target = "nats"
	result, err := dockerfile2llb.Dockerfile2LLB(t.Context(), source, opt)
	if err != nil {
		t.Fatal(err)
	}
	if user := result.Image.Config.User; user != nobody {
		t.Errorf("its user is %q", user)
	}
}

func TestBaseImagesArePinned(t *testing.T) {
	source := []byte(read(t, dockerfile))
	asked := []string{}
	opt := conversion(source, &asked)
	opt.AllStages = true
	if _, err := dockerfile2llb.Dockerfile2LLB(t.Context(), source, opt); err != nil {
		t.Fatal(err)
	}
	if len(asked) != 3 { // of Node.js, Go and nats-server
		t.Errorf("base images are %q", asked)
	}
	for _, ref := range asked {
		checkPinned(t, ref)
	}
}

func TestBuildContextHoldsTheSourceAndNoSecrets(t *testing.T) {
	patterns, err := ignorefile.ReadAll(strings.NewReader(read(t, "../.dockerignore")))
	if err != nil {
		t.Fatal(err)
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		t.Fatal(err)
	}
	for path, wanted := range map[string]bool{
		"go.work": true, "go.work.sum": true, "config/go.mod": true, "services/gateway/cmd/gateway/main.go": true,
		"streams/go.sum": true, "tools/go.mod": true, "web/embed.go": true, "web/package-lock.json": true,
		"web/dist/.gitkeep": true, "web/src/main.ts": true,
		".git/config": false, ".data/notary.key": false, "bin/gateway": false, "web/node_modules/vue/index.js": false,
		"web/dist/index.html": false, "deploy/compose/.env": false, "deploy/compose/secrets/notary.key": false,
		"services/gateway/.data/notary.key": false, "artifacts/prove/log": false, "web/.env": false,
	} {
		ignored, err := matcher.MatchesOrParentMatches(path)
		if err != nil {
			t.Fatal(err)
		}
		if ignored == wanted {
			t.Errorf("%s: in the context is %v", path, !ignored)
		}
	}
}

// checkPinned wants a version in the name of an image: at least major and minor.
func checkPinned(t *testing.T, ref string) {
	t.Helper()
	name := ref[strings.LastIndex(ref, "/")+1:]
	_, tag, _ := strings.Cut(name, ":")
	if strings.Count(tag, ".") == 0 && !strings.Contains(ref, "@sha256:") {
		t.Errorf("image %s has no exact version", ref)
	}
}

// pairs splits NAME=value.
func pairs(env []string) map[string]string {
	values := make(map[string]string, len(env))
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		values[name] = value
	}
	return values
}
