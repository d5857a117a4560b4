package deploy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/json"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// overlays are the kustomizations that are checked.
var overlays = []string{"kubernetes/base", "kubernetes/overlays/example"}

// kinds are types by version and kind: an object of any other kind is an error.
var kinds = map[string]func() any{
	"v1/Namespace":                           func() any { return new(corev1.Namespace) },
	"v1/ServiceAccount":                      func() any { return new(corev1.ServiceAccount) },
	"v1/Service":                             func() any { return new(corev1.Service) },
	"v1/ConfigMap":                           func() any { return new(corev1.ConfigMap) },
	"apps/v1/Deployment":                     func() any { return new(appsv1.Deployment) },
	"batch/v1/Job":                           func() any { return new(batchv1.Job) },
	"policy/v1/PodDisruptionBudget":          func() any { return new(policyv1.PodDisruptionBudget) },
	"autoscaling/v2/HorizontalPodAutoscaler": func() any { return new(autoscalingv2.HorizontalPodAutoscaler) },
	"networking.k8s.io/v1/NetworkPolicy":     func() any { return new(networkingv1.NetworkPolicy) },
	"networking.k8s.io/v1/Ingress":           func() any { return new(networkingv1.Ingress) },
}

// built is what kustomize makes of an overlay, by kind and name, decoded so that an unknown field is an error.
func built(t *testing.T, overlay string) map[string]any {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), overlay)
	if err != nil {
		t.Fatal(err)
	}
	objects := map[string]any{}
	for _, resource := range resources.Resources() {
		id := fmt.Sprintf("%s/%s", resource.GetApiVersion(), resource.GetKind())
		made, known := kinds[id]
		if !known {
			t.Errorf("%s is of kind %s", resource.GetName(), id)
			continue
		}
		text, err := resource.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		text, err = yaml.YAMLToJSON(text)
		if err != nil {
			t.Fatal(err)
		}
		object := made()
		// As an API server does it: names are compared by case, too.
		problems, err := json.UnmarshalStrict(text, object)
		if err := errors.Join(append(problems, err)...); err != nil {
			t.Errorf("%s %s: %v", resource.GetKind(), resource.GetName(), err)
		}
		objects[resource.GetKind()+"/"+resource.GetName()] = object
	}
	return objects
}

// of are the objects of one type, by name.
func of[T any](objects map[string]any) map[string]T {
	found := map[string]T{}
	for id, object := range objects {
		if typed, ok := object.(T); ok {
			_, name, _ := strings.Cut(id, "/")
			found[name] = typed
		}
	}
	return found
}

// pods are the templates of all workloads, by name.
func pods(objects map[string]any) map[string]corev1.PodTemplateSpec {
	templates := map[string]corev1.PodTemplateSpec{}
	for name, deployment := range of[*appsv1.Deployment](objects) {
		templates[name] = deployment.Spec.Template
	}
	for name, job := range of[*batchv1.Job](objects) {
		templates[name] = job.Spec.Template
	}
	return templates
}

// everyOverlay runs check on what each overlay makes.
func everyOverlay(t *testing.T, check func(t *testing.T, objects map[string]any)) {
	for _, overlay := range overlays {
		t.Run(overlay, func(t *testing.T) {
			objects := built(t, overlay)
			if len(pods(objects)) != 3 { // gateway, persister, provision
				t.Fatalf("workloads are %v", slices.Collect(maps.Keys(pods(objects))))
			}
			check(t, objects)
		})
	}
}

func TestPodsAreConfined(t *testing.T) {
	everyOverlay(t, func(t *testing.T, objects map[string]any) {
		for name, pod := range pods(objects) {
			checkPod(t, name, pod.Spec)
			for _, container := range pod.Spec.Containers {
				checkContainer(t, name, container)
			}
		}
		for name, account := range of[*corev1.ServiceAccount](objects) {
			if isTrue(account.AutomountServiceAccountToken, true) {
				t.Errorf("service account %s brings its token along", name)
			}
		}
	})
}

func checkPod(t *testing.T, name string, pod corev1.PodSpec) {
	t.Helper()
	security := pod.SecurityContext
	if security == nil || !isTrue(security.RunAsNonRoot, false) || security.RunAsUser == nil || *security.RunAsUser == 0 {
		t.Errorf("%s may run as root", name)
	}
	if security == nil || security.SeccompProfile == nil || security.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
		t.Errorf("%s has no seccomp profile", name)
	}
	if isTrue(pod.AutomountServiceAccountToken, true) || pod.ServiceAccountName != name {
		t.Errorf("%s has account %q and its token", name, pod.ServiceAccountName)
	}
	if pod.HostNetwork || pod.HostPID || pod.HostIPC {
		t.Errorf("%s is within its host", name)
	}
	for _, volume := range pod.Volumes {
		if volume.HostPath != nil {
			t.Errorf("%s sees %s of its host", name, volume.HostPath.Path)
		}
	}
}

func checkContainer(t *testing.T, name string, container corev1.Container) {
	t.Helper()
	security := container.SecurityContext
	if security == nil || isTrue(security.AllowPrivilegeEscalation, true) || !isTrue(security.ReadOnlyRootFilesystem, false) ||
		isTrue(security.Privileged, false) || security.Capabilities == nil || !slices.Equal(security.Capabilities.Drop, []corev1.Capability{"ALL"}) {
		t.Errorf("%s is not confined: %+v", name, security)
	}
	for _, resource := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		request, limit := container.Resources.Requests[resource], container.Resources.Limits[resource]
		if request.Sign() <= 0 || limit.Sign() <= 0 || request.Cmp(limit) > 0 {
			t.Errorf("%s has no request or limit of %s", name, resource)
		}
	}
	if strings.HasSuffix(container.Image, ":latest") || !strings.Contains(container.Image, ":") {
		t.Errorf("%s has image %s", name, container.Image)
	}
}

func isTrue(value *bool, otherwise bool) bool {
	if value == nil {
		return otherwise
	}
	return *value
}

func TestPodsHaveValidSettings(t *testing.T) {
	for _, overlay := range overlays {
		objects := built(t, overlay)
		for name, pod := range pods(objects) {
			t.Run(overlay+"/"+name, func(t *testing.T) {
				cfg := checkSettings(t, environment(t, objects, pod.Spec.Containers[0]))
				if name != "provision" && cfg.NATS.Provision {
					t.Error("it provisions")
				}
				if cfg.NATS.Replicas != 3 {
					t.Errorf("%d replicas", cfg.NATS.Replicas)
				}
				if name == "gateway" && overlay != overlays[0] && (!cfg.Auth.Required || !cfg.Auth.Enabled() || len(cfg.Gateway.TrustedProxies) == 0) {
					t.Error("the example lets in people without tokens, or believes no proxy")
				}
			})
		}
	}
}

// TestStreamsAreMadeByTheSettingsOfThoseWhoUseThem sets everything that matters where the README and the example have it set:
// in the ConfigMap.
func TestStreamsAreMadeByTheSettingsOfThoseWhoUseThem(t *testing.T) {
	everyOverlay(t, func(t *testing.T, objects map[string]any) {
		for _, settings := range of[*corev1.ConfigMap](objects) {
			for _, setting := range layout {
				settings.Data[setting] = "as it was set"
			}
		}
		for name, pod := range pods(objects) {
			env := environment(t, objects, pod.Spec.Containers[0])
			for _, setting := range layout {
				if env[setting] != "as it was set" {
					t.Errorf("%s: %s is %q, whatever the ConfigMap says", name, setting, env[setting])
				}
			}
		}
	})
}

// secrets are the values that secrets are taken to have.
var secrets = map[string]string{
	"tidemark-gateway/nats-url":       "nats://gateway:secret@nats:4222",
	"tidemark-persister/nats-url":     "nats://persister:secret@nats:4222",
	"tidemark-persister/database-url": "postgres://tidemark:secret@postgresql:5432/tidemark?sslmode=verify-full&sslrootcert=/etc/tidemark/authorities/postgresql.crt",
	"tidemark-provision/nats-url":     "nats://provisioner:secret@nats:4222",
}

// environment is what the container's process would see.
func environment(t *testing.T, objects map[string]any, container corev1.Container) map[string]string {
	t.Helper()
	env := map[string]string{}
	for _, source := range container.EnvFrom {
		settings, known := of[*corev1.ConfigMap](objects)[source.ConfigMapRef.Name]
		if !known {
			t.Fatalf("there is no ConfigMap %s", source.ConfigMapRef.Name)
		}
		maps.Copy(env, settings.Data)
	}
	for _, variable := range container.Env {
		if variable.ValueFrom == nil {
			env[variable.Name] = variable.Value
			continue
		}
		reference := variable.ValueFrom.SecretKeyRef
		value, known := secrets[reference.Name+"/"+reference.Key]
		if !known {
			t.Errorf("%s: what is %s in secret %s?", variable.Name, reference.Key, reference.Name)
		}
		env[variable.Name] = value
	}
	return env
}

func TestSecretsAreOnlyReferred(t *testing.T) {
	readme := read(t, "kubernetes/README.md")
	for key := range secrets {
		name, entry, _ := strings.Cut(key, "/")
		if !strings.Contains(readme, name) || !strings.Contains(readme, entry) {
			t.Errorf("the README does not say how secret %s is made", key)
		}
	}
	for _, path := range files(t, "kubernetes") {
		if strings.Contains(read(t, path), "kind: Secret\n") {
			t.Errorf("%s holds a secret", path)
		}
	}
}

func TestServicesAreProbedAndGivenTimeToStop(t *testing.T) {
	everyOverlay(t, func(t *testing.T, objects map[string]any) {
		for name, deployment := range of[*appsv1.Deployment](objects) {
			pod := deployment.Spec.Template.Spec
			container := pod.Containers[0]
			for path, probe := range map[string]*corev1.Probe{"/readyz": container.ReadinessProbe, "/healthz": container.LivenessProbe} {
				if probe == nil || probe.HTTPGet == nil || probe.HTTPGet.Path != path {
					t.Errorf("%s is not asked for %s", name, path)
				} else if !slices.ContainsFunc(container.Ports, func(port corev1.ContainerPort) bool { return port.Name == probe.HTTPGet.Port.StrVal }) {
					t.Errorf("%s has no port %s", name, probe.HTTPGet.Port.StrVal)
				}
			}
			stopping := int64(checkSettings(t, environment(t, objects, container)).Gateway.ShutdownTimeout.Seconds())
			if hook := container.Lifecycle; hook != nil {
				stopping += hook.PreStop.Sleep.Seconds
			}
			if pod.TerminationGracePeriodSeconds == nil || *pod.TerminationGracePeriodSeconds <= stopping {
				t.Errorf("%s is killed before it has stopped, which may take %d s", name, stopping)
			}
			if len(pod.TopologySpreadConstraints) == 0 {
				t.Errorf("all of %s may be on one machine", name)
			}
		}
	})
}

func TestSelectorsFindTheirPods(t *testing.T) {
	everyOverlay(t, func(t *testing.T, objects map[string]any) {
		budgets := of[*policyv1.PodDisruptionBudget](objects)
		for name, deployment := range of[*appsv1.Deployment](objects) {
			checkSelector(t, "deployment "+name, deployment.Spec.Selector, deployment.Spec.Template)
			budget, known := budgets[name]
			if !known {
				t.Errorf("%s has no PodDisruptionBudget", name)
				continue
			}
			checkSelector(t, "budget "+name, budget.Spec.Selector, deployment.Spec.Template)
		}
		for name, service := range of[*corev1.Service](objects) {
			checkSelector(t, "service "+name, metav1.SetAsLabelSelector(service.Spec.Selector), pods(objects)[name])
		}
		for name, scaler := range of[*autoscalingv2.HorizontalPodAutoscaler](objects) {
			target, known := of[*appsv1.Deployment](objects)[scaler.Spec.ScaleTargetRef.Name]
			if !known || target.Spec.Replicas != nil {
				t.Errorf("autoscaler %s has no target, or one that sets its replicas", name)
			}
		}
		for name, ingress := range of[*networkingv1.Ingress](objects) {
			backend := ingress.Spec.Rules[0].HTTP.Paths[0].Backend.Service
			if of[*corev1.Service](objects)[backend.Name] == nil || len(ingress.Spec.TLS) == 0 {
				t.Errorf("ingress %s leads nowhere, or has no TLS", name)
			}
		}
	})
}

func checkSelector(t *testing.T, what string, selector *metav1.LabelSelector, pod corev1.PodTemplateSpec) {
	t.Helper()
	matches, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		t.Fatal(err)
	}
	if matches.Empty() || !matches.Matches(labels.Set(pod.Labels)) {
		t.Errorf("%s does not find its pods: %s in %v", what, matches, pod.Labels)
	}
}

func TestNetworkIsClosedButForWhatIsNamed(t *testing.T) {
	allowed := map[string][]string{ // ports that pods of a name may open connections to, DNS aside
		"gateway":   {"4222"},
		"persister": {"4222", "5432"},
		"provision": {"4222"},
	}
	objects := built(t, overlays[0])
	for name, pod := range pods(objects) {
		t.Run(name, func(t *testing.T) {
			closed := map[networkingv1.PolicyType]bool{}
			var ports []string
			for _, policy := range of[*networkingv1.NetworkPolicy](objects) {
				matches, err := metav1.LabelSelectorAsSelector(&policy.Spec.PodSelector)
				if err != nil {
					t.Fatal(err)
				}
				if !matches.Matches(labels.Set(pod.Labels)) {
					continue
				}
				for _, direction := range policy.Spec.PolicyTypes {
					closed[direction] = true
				}
				for _, rule := range policy.Spec.Egress {
					ports = append(ports, openPorts(t, policy.Name, rule)...)
				}
			}
			if !closed[networkingv1.PolicyTypeEgress] || !closed[networkingv1.PolicyTypeIngress] {
				t.Error("it is open")
			}
			slices.Sort(ports)
			if !slices.Equal(ports, allowed[name]) {
				t.Errorf("it may reach ports %v", ports)
			}
		})
	}
}

// openPorts wants a rule to name both sides, and leaves DNS out.
func openPorts(t *testing.T, name string, rule networkingv1.NetworkPolicyEgressRule) []string {
	t.Helper()
	if len(rule.To) == 0 || len(rule.Ports) == 0 {
		t.Errorf("policy %s opens everything", name)
	}
	var ports []string
	for _, port := range rule.Ports {
		if port.Port.String() != "53" {
			ports = append(ports, port.Port.String())
		}
	}
	return ports
}

func TestNATSIsSpokenWithByTLSAndServicesKnowWhoSignsItsCertificate(t *testing.T) {
	type tls struct {
		Enabled    bool
		SecretName string
	}
	var values struct {
		TLSCA struct {
			Enabled            bool
			ConfigMapName, Key string
		}
		Config struct {
			NATS    struct{ TLS tls }
			Cluster struct{ TLS tls }
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, "kubernetes/nats-values.yaml")), &values); err != nil {
		t.Fatal(err)
	}
	readme := read(t, "kubernetes/README.md")
	for where, block := range map[string]tls{"clients": values.Config.NATS.TLS, "servers": values.Config.Cluster.TLS} {
		if !block.Enabled || !strings.Contains(readme, "kubectl create secret tls "+block.SecretName+" ") {
			t.Errorf("NATS speaks plain text with %s, or nobody makes its certificate: %+v", where, block)
		}
	}
	authorities := values.TLSCA
	if !authorities.Enabled || !strings.Contains(readme, "kubectl create configmap "+authorities.ConfigMapName+" --from-file="+authorities.Key+"=") {
		t.Errorf("NATS does not know who signs certificates: %+v", authorities)
	}
	everyOverlay(t, func(t *testing.T, objects map[string]any) {
		for name, pod := range pods(objects) {
			folder := mounted(pod.Spec, authorities.ConfigMapName)
			if file := environment(t, objects, pod.Spec.Containers[0])["TIDEMARK_NATS_CA"]; folder == "" || file != folder+"/"+authorities.Key {
				t.Errorf("%s finds who signs NATS's certificates in %q", name, file)
			}
		}
	})
}

// mounted is where a pod's container finds a ConfigMap.
func mounted(pod corev1.PodSpec, configMap string) (path string) {
	for _, volume := range pod.Volumes {
		for _, mount := range pod.Containers[0].VolumeMounts {
			if volume.ConfigMap != nil && volume.ConfigMap.Name == configMap && mount.Name == volume.Name {
				path = mount.MountPath
			}
		}
	}
	return path
}

func TestNATSValuesKeepThePromiseOfAnAck(t *testing.T) {
	var values struct {
		Config struct {
			Cluster struct {
				Enabled  bool
				Replicas int
			}
			JetStream struct {
				Enabled bool
				Merge   struct {
					SyncInterval string `json:"sync_interval"`
				}
			}
			Merge map[string]any
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, "kubernetes/nats-values.yaml")), &values); err != nil {
		t.Fatal(err)
	}
	config := values.Config
	if !config.Cluster.Enabled || config.Cluster.Replicas != 3 || !config.JetStream.Enabled {
		t.Errorf("it is no cluster of three with JetStream: %+v", config)
	}
	if config.JetStream.Merge.SyncInterval != "always" {
		t.Errorf("an ack comes before fsync: sync_interval is %q", config.JetStream.Merge.SyncInterval)
	}
	if config.Merge["00$include"] != "permissions.conf" {
		t.Errorf("rights are not included: %v", config.Merge)
	}
}
