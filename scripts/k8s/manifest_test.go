// Package k8s holds swarm.yaml and the Dockerfile to what Kubernetes and scripts/swarm take.
// It is a module of its own, so that nobody who uses rstlab needs the API's types.
package k8s

import (
	"fmt"
	"os"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
)

// manifest is what swarm.yaml holds.
type manifest struct {
	service *corev1.Service
	job     *batchv1.Job
}

// read takes swarm.yaml to pieces as a strict API server does: a kind that it does not
// know is an error, and so are a field that is unknown, there twice or of another type.
func read(text string) (manifest, error) {
	known := runtime.NewScheme()
	types := runtime.NewSchemeBuilder(corev1.AddToScheme, batchv1.AddToScheme)
	if err := types.AddToScheme(known); err != nil {
		return manifest{}, err
	}
	decoder := serializer.NewCodecFactory(known, serializer.EnableStrict).UniversalDeserializer()
	var m manifest
	for document := range strings.SplitSeq(text, "\n---\n") {
		object, _, err := decoder.Decode([]byte(document), nil, nil)
		if err != nil {
			return manifest{}, err
		}
		switch object := object.(type) {
		case *corev1.Service:
			m.service = object
		case *batchv1.Job:
			m.job = object
		default:
			return manifest{}, fmt.Errorf("a %T is there, want a Service and a Job", object)
		}
	}
	if m.service == nil || m.job == nil || len(m.job.Spec.Template.Spec.Containers) != 1 {
		return manifest{}, fmt.Errorf("want a Service, and a Job of one container")
	}
	return m, nil
}

func (m manifest) pod() corev1.PodSpec         { return m.job.Spec.Template.Spec }
func (m manifest) container() corev1.Container { return m.pod().Containers[0] }

// flag is the value of an argument that is written as -name=value, empty where there is none.
func (m manifest) flag(name string) string {
	for _, arg := range m.container().Args {
		if value, ok := strings.CutPrefix(arg, "-"+name+"="); ok {
			return value
		}
	}
	return ""
}

// contents is what a file beside this one holds.
func contents(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// changed is swarm.yaml with one thing changed that is there once.
func changed(t *testing.T, old, changed string) string {
	t.Helper()
	text := contents(t, "swarm.yaml")
	if n := strings.Count(text, old); n != 1 {
		t.Fatalf("swarm.yaml has %q %d times, want once", old, n)
	}
	return strings.Replace(text, old, changed, 1)
}

func TestManifest(t *testing.T) {
	m, err := read(contents(t, "swarm.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, complaint := range m.complaints() {
		t.Error(complaint)
	}
}

// What the API server would refuse is not read.
func TestUnreadableManifests(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"backoffLimit: 0", "backOffLimit: 0", `strict decoding error: unknown field "spec.backOffLimit"`},
		{"subdomain: swarm", "subDomain: swarm", `strict decoding error: unknown field "spec.template.spec.subDomain"`},
		{"clusterIP: None", "clusterip: None", `strict decoding error: unknown field "spec.clusterip"`},
		{"backoffLimit: 0", "completions: 4", `strict decoding error: yaml: unmarshal errors:` + "\n" + `  line 11: key "completions" already set in map`},
		{"maxSkew: 1", "maxSkew: one", `json: cannot unmarshal string into Go struct field ` +
			`TopologySpreadConstraint.spec.template.spec.topologySpreadConstraints.maxSkew of type int32`},
		{"kind: Job", "kind: Jobs", `no kind "Jobs" is registered for version "batch/v1" in scheme "pkg/runtime/scheme.go:111"`},
		{"kind: Service", "kind: Pod", `strict decoding error: unknown field "spec.clusterIP", unknown field "spec.ports", ` +
			`unknown field "spec.publishNotReadyAddresses", unknown field "spec.selector"`},
	} {
		_, err := read(changed(t, c.old, c.new))
		if got := fmt.Sprint(err); got != c.want {
			t.Errorf("with %q for %q\n got %s\nwant %s", c.new, c.old, got, c.want)
		}
	}
}
