// Package check holds the files for containers and clusters against the types of
// the programs that read them. It is a module of its own: those types bring much
// along that the product has no use for.
package check

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

func compose(t *testing.T, environment ...string) (*types.Project, error) {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{"../../docker/compose.yaml"}, cli.WithEnv(environment), cli.WithProfiles([]string{"*"}))
	require.NoError(t, err)
	return options.LoadProject(context.Background())
}

func TestCompose(t *testing.T) {
	p, err := compose(t, "GRAFANA_PASSWORD=x")
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"influxdb", "datacenter", "telegraf", "grafana", "mlflow", "stress"}, p.ServiceNames())
	dockerfile, err := os.ReadFile("../../docker/Dockerfile")
	require.NoError(t, err)
	for name, s := range p.Services {
		for on := range s.DependsOn {
			require.Contains(t, p.Services, on)
			require.Equal(t, types.ServiceConditionHealthy, s.DependsOn[on].Condition, "%s waits for %s", name, on)
		}
		for _, port := range s.Ports {
			require.Equal(t, "127.0.0.1", port.HostIP, "%s is open to this machine only", name)
		}
		if s.Build != nil {
			require.Contains(t, string(dockerfile), " AS "+s.Build.Target+"\n", name)
			require.FileExists(t, filepath.Join(s.Build.Context, s.Build.Dockerfile))
		}
		for _, v := range s.Volumes {
			if v.Type == types.VolumeTypeBind {
				require.DirExists(t, v.Source, name)
			}
		}
	}
}

// Whoever is waited for must be able to say that it is well.
func TestComposeHealthChecks(t *testing.T) {
	p, err := compose(t, "GRAFANA_PASSWORD=x")
	require.NoError(t, err)
	ours := map[string]bool{"datacenter": true, "telegraf": true} // theirs are in the Dockerfile
	for name, s := range p.Services {
		for on := range s.DependsOn {
			require.True(t, p.Services[on].HealthCheck != nil || ours[on], "%s waits for %s, which has no health check", name, on)
		}
	}
}

// Who copies the example has every variable that there is.
func TestComposeVariablesAreInTheExample(t *testing.T) {
	file, err := os.ReadFile("../../docker/compose.yaml")
	require.NoError(t, err)
	example, err := os.ReadFile("../../docker/.env.example")
	require.NoError(t, err)
	names := func(pattern string, text []byte) (found []string) {
		for _, m := range regexp.MustCompile(pattern).FindAllSubmatch(text, -1) {
			found = append(found, string(m[1]))
		}
		return found
	}
	require.ElementsMatch(t, names(`\$\{([A-Z_]+)`, file), names(`(?m)^([A-Z_]+)=`, example))
}

// The images are of scratch, and what is started in them needs no shell and is not
// root.
func TestImagesHoldNothingButTheProgram(t *testing.T) {
	text, err := os.ReadFile("../../docker/Dockerfile")
	require.NoError(t, err)
	stages := strings.Split(string(text), "\nFROM ")[1:]
	require.Len(t, stages, 3)
	require.Contains(t, stages[0], "ENV CGO_ENABLED=0")
	for _, stage := range stages[1:] {
		require.True(t, strings.HasPrefix(stage, "scratch AS "), stage)
		require.Regexp(t, `(?m)^USER [1-9]\d+:`, stage)
		require.Regexp(t, `(?m)^HEALTHCHECK .*CMD \["/usr/bin/`, stage)
		require.Regexp(t, `(?m)^ENTRYPOINT \["/usr/bin/`, stage)
		require.NotRegexp(t, `(?m)^RUN `, stage)
	}
}

func TestComposeWantsAPassword(t *testing.T) {
	_, err := compose(t)
	require.ErrorContains(t, err, "set it in docker/.env")
}

// Telegraf's configuration in the image is the example's, with the addresses that
// hold inside the network of the stack.
func TestComposeTelegrafIsTheExamples(t *testing.T) {
	example, err := os.ReadFile("../../examples/datacenter/telegraf.conf")
	require.NoError(t, err)
	ours, err := os.ReadFile("../../docker/telegraf.conf")
	require.NoError(t, err)
	want := strings.NewReplacer("http://127.0.0.1:5005", "http://datacenter:5005", "http://127.0.0.1:8086", "http://influxdb:8086").Replace(string(example))
	require.Equal(t, want, string(ours))
}

// objects are what kustomize makes, by kind.
func objects(t *testing.T) map[string][]byte {
	t.Helper()
	result, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), "../kubernetes")
	require.NoError(t, err)
	all := map[string][]byte{}
	for _, r := range result.Resources() {
		text, err := r.AsYAML()
		require.NoError(t, err)
		all[r.GetKind()] = text
	}
	return all
}

func TestKubernetes(t *testing.T) {
	all := objects(t)
	var namespace corev1.Namespace
	var config corev1.ConfigMap
	var set appsv1.DaemonSet
	for kind, into := range map[string]any{"Namespace": &namespace, "ConfigMap": &config, "DaemonSet": &set} {
		require.NoError(t, yaml.UnmarshalStrict(all[kind], into), kind)
	}
	require.Len(t, all, 3)
	pod := set.Spec.Template.Spec
	require.Equal(t, set.Spec.Selector.MatchLabels, set.Spec.Template.Labels)
	require.Equal(t, config.Name, volume(t, pod, "configuration").ConfigMap.Name, "the map's name holds its digest: a change restarts the pods")
	require.Contains(t, config.Data["telegraf.conf"], "/etc/telegraf/anomaly.conf")
	require.Contains(t, config.Data, "anomaly.conf")

	require.True(t, *pod.SecurityContext.RunAsNonRoot)
	require.False(t, *pod.AutomountServiceAccountToken)
	c := pod.Containers[0]
	require.False(t, *c.SecurityContext.AllowPrivilegeEscalation)
	require.True(t, *c.SecurityContext.ReadOnlyRootFilesystem)
	require.Equal(t, []corev1.Capability{"ALL"}, c.SecurityContext.Capabilities.Drop)
	require.NotZero(t, c.Resources.Limits.Memory().Value())
	for _, m := range c.VolumeMounts {
		volume(t, pod, m.Name)
		require.True(t, m.ReadOnly || m.Name == "state", m.Name)
	}
}

func volume(t *testing.T, pod corev1.PodSpec, name string) corev1.Volume {
	t.Helper()
	i := slices.IndexFunc(pod.Volumes, func(v corev1.Volume) bool { return v.Name == name })
	require.GreaterOrEqual(t, i, 0, "no volume %s", name)
	return pod.Volumes[i]
}
