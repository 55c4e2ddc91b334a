package k8s

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"k8s.io/utils/ptr"
)

// complaints says what keeps the pieces from fitting together, or a swarm from being run
// once and by all its pods.
func (m manifest) complaints() []string {
	return slices.Concat(m.jobComplaints(), m.meetingComplaints(), m.podComplaints())
}

// unless is a list of one complaint, or of none where all is well.
func unless(well bool, format string, args ...any) []string {
	if well {
		return nil
	}
	return []string{fmt.Sprintf(format, args...)}
}

// jobComplaints are those about how many pods there are, and how often they run.
func (m manifest) jobComplaints() []string {
	spec := m.job.Spec
	completions, parallelism := ptr.Deref(spec.Completions, 1), ptr.Deref(spec.Parallelism, 1)
	index, shards, _ := strings.Cut(m.flag("shard"), "/")
	last := fmt.Sprintf("%s-%d", m.job.Name, completions-1)
	return slices.Concat(
		unless(ptr.Deref(spec.CompletionMode, "") == batchv1.IndexedCompletion, "the Job is not Indexed, so its pods have no number"),
		unless(parallelism == completions, "parallelism is %d of %d pods, and those that run wait for the others forever", parallelism, completions),
		unless(index == "$(JOB_COMPLETION_INDEX)", "-shard is %s, want the pod's own number, $(JOB_COMPLETION_INDEX)", index),
		unless(shards == strconv.Itoa(int(completions)), "-shard is of %s, and there are %d pods", shards, completions),
		unless(ptr.Deref(spec.BackoffLimit, 6) == 0, "backoffLimit is not 0, so a shard would run again alone"),
		unless(m.pod().RestartPolicy == corev1.RestartPolicyNever, "restartPolicy is %s, so a shard would run again alone", m.pod().RestartPolicy),
		m.deadlineComplaints(),
		unless(ptr.Deref(spec.TTLSecondsAfterFinished, 0) > 0, "ttlSecondsAfterFinished leaves no time to read the logs, or leaves the pods forever"),
		unless(len(validation.IsDNS1123Label(last)) == 0, "%s is no host name: %v", last, validation.IsDNS1123Label(last)),
	)
}

// deadlineComplaints are those about a Job that would be ended before its pods are.
func (m manifest) deadlineComplaints() []string {
	patience, badPatience := time.ParseDuration(m.flag("patience"))
	longest, badLongest := time.ParseDuration(m.flag("max-time"))
	if err := errors.Join(badPatience, badLongest); err != nil {
		return []string{fmt.Sprintf("-patience or -max-time is no time: %v", err)}
	}
	deadline := time.Duration(ptr.Deref(m.job.Spec.ActiveDeadlineSeconds, 0)) * time.Second
	return unless(deadline > patience+longest, "activeDeadlineSeconds is %v, and the pods wait for %v and run for %v", deadline, patience, longest)
}

// meetingComplaints are those about how pods find pod 0.
func (m manifest) meetingComplaints() []string {
	service, pod := m.service, m.pod()
	meet := fmt.Sprintf("%s-0.%s:%d", m.job.Name, service.Name, port(service.Spec.Ports))
	template := labels.Set(m.job.Spec.Template.Labels)
	opened := slices.ContainsFunc(m.container().Ports, func(p corev1.ContainerPort) bool { return p.ContainerPort == port(service.Spec.Ports) })
	return slices.Concat(
		unless(pod.Subdomain == service.Name, "subdomain is %s, and the Service %s", pod.Subdomain, service.Name),
		unless(service.Namespace == m.job.Namespace, "the Service is in namespace %q, and the Job in %q", service.Namespace, m.job.Namespace),
		unless(m.flag("meet") == meet, "-meet is %s, and pod 0 is at %s", m.flag("meet"), meet),
		unless(opened, "no port of the container is the Service's"),
		unless(service.Spec.ClusterIP == corev1.ClusterIPNone, "the Service is not headless, so no pod has a name of its own"),
		unless(service.Spec.PublishNotReadyAddresses, "publishNotReadyAddresses is off, so the pods meet only when they are ready"),
		unless(len(service.Spec.Selector) > 0 && labels.SelectorFromSet(service.Spec.Selector).Matches(template),
			"the Service selects %v, and the pods are %v", service.Spec.Selector, template),
		unless(spreads(pod, template), "no topologySpreadConstraint spreads these pods over nodes"),
	)
}

// port is that of a service of one port, otherwise zero.
func port(ports []corev1.ServicePort) int32 {
	if len(ports) != 1 {
		return 0
	}
	return ports[0].Port
}

// spreads tells whether pods with these labels are spread over nodes.
func spreads(pod corev1.PodSpec, template labels.Set) bool {
	return slices.ContainsFunc(pod.TopologySpreadConstraints, func(c corev1.TopologySpreadConstraint) bool {
		return c.TopologyKey == corev1.LabelHostname && c.MaxSkew > 0 && c.LabelSelector != nil &&
			len(c.LabelSelector.MatchLabels) > 0 && labels.SelectorFromSet(c.LabelSelector.MatchLabels).Matches(template) &&
			slices.Contains([]corev1.UnsatisfiableConstraintAction{corev1.DoNotSchedule, corev1.ScheduleAnyway}, c.WhenUnsatisfiable)
	})
}

// podComplaints are those about what a pod may do and gets. The Pod Security Standards
// are judged by Kubernetes' own code.
func (m manifest) podComplaints() []string {
	pod, c := m.pod(), m.container()
	security := ptr.Deref(c.SecurityContext, corev1.SecurityContext{})
	return slices.Concat(
		restricted(m.job.Spec.Template),
		unless(ptr.Deref(security.ReadOnlyRootFilesystem, false), "the root file system can be written to"),
		unless(!ptr.Deref(pod.AutomountServiceAccountToken, true), "the pod has a token for the API server"),
		unless(fixed(c.Resources, corev1.ResourceCPU), "the CPU request is not the limit"),
		unless(fixed(c.Resources, corev1.ResourceMemory), "the memory request is not the limit"),
		unless(c.Name != "" && c.Image != "", "the container has no name or no image"),
		unless(c.Command == nil, "the container has a command, which replaces the image's entry point"),
	)
}

// restricted are the complaints of the strictest of the Pod Security Standards.
func restricted(template corev1.PodTemplateSpec) []string {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return []string{err.Error()}
	}
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	result := policy.AggregateCheckResults(evaluator.EvaluatePod(level, &template.ObjectMeta, &template.Spec))
	return unless(result.Allowed, "not restricted: %s", result.ForbiddenDetail())
}

// fixed tells whether a resource is requested and limited to the same.
func fixed(r corev1.ResourceRequirements, name corev1.ResourceName) bool {
	request, limit := r.Requests[name], r.Limits[name]
	return !request.IsZero() && request.Cmp(limit) == 0
}

// Each piece that does not fit is seen, and nothing else is complained about.
func TestPiecesThatDoNotFit(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"completionMode: Indexed", "completionMode: NonIndexed", "the Job is not Indexed, so its pods have no number"},
		{"completions: 4", "completions: 5",
			"parallelism is 4 of 5 pods, and those that run wait for the others forever; -shard is of 4, and there are 5 pods"},
		{"parallelism: 4", "parallelism: 3", "parallelism is 3 of 4 pods, and those that run wait for the others forever"},
		{"-shard=$(JOB_COMPLETION_INDEX)/4", "-shard=$(JOB_COMPLETION_INDEX)/8", "-shard is of 8, and there are 4 pods"},
		{"-shard=$(JOB_COMPLETION_INDEX)/4", "-shard=0/4", "-shard is 0, want the pod's own number, $(JOB_COMPLETION_INDEX)"},
		{"backoffLimit: 0", "backoffLimit: 1", "backoffLimit is not 0, so a shard would run again alone"},
		{"restartPolicy: Never", "restartPolicy: OnFailure", "restartPolicy is OnFailure, so a shard would run again alone"},
		{"activeDeadlineSeconds: 900", "suspend: false", "activeDeadlineSeconds is 0s, and the pods wait for 10m0s and run for 1m0s"},
		{"activeDeadlineSeconds: 900", "activeDeadlineSeconds: 660", "activeDeadlineSeconds is 11m0s, and the pods wait for 10m0s and run for 1m0s"},
		{"-patience=10m", "-patience=10", `-patience or -max-time is no time: time: missing unit in duration "10"`},
		{"ttlSecondsAfterFinished: 86400", "ttlSecondsAfterFinished: 0",
			"ttlSecondsAfterFinished leaves no time to read the logs, or leaves the pods forever"},
		{"subdomain: swarm", "subdomain: storm", "subdomain is storm, and the Service swarm"},
		{"kind: Service\nmetadata:\n", "kind: Service\nmetadata:\n  namespace: other\n", `the Service is in namespace "other", and the Job in ""`},
		{"-meet=swarm-0.swarm:7400", "-meet=swarm-1.swarm:7400", "-meet is swarm-1.swarm:7400, and pod 0 is at swarm-0.swarm:7400"},
		{"containerPort: 7400", "containerPort: 7401", "no port of the container is the Service's"},
		{"- name: meet\n      port: 7400", "- name: meet\n      port: 7401",
			"-meet is swarm-0.swarm:7400, and pod 0 is at swarm-0.swarm:7401; no port of the container is the Service's"},
		{"clusterIP: None", "type: ClusterIP", "the Service is not headless, so no pod has a name of its own"},
		{"publishNotReadyAddresses: true", "publishNotReadyAddresses: false",
			"publishNotReadyAddresses is off, so the pods meet only when they are ready"},
		{"  selector:\n    app.kubernetes.io/name: rstlab-swarm", "  selector:\n    app.kubernetes.io/name: swarm",
			"the Service selects map[app.kubernetes.io/name:swarm], and the pods are app.kubernetes.io/name=rstlab-swarm"},
		{"topologyKey: kubernetes.io/hostname", "topologyKey: topology.kubernetes.io/zone", "no topologySpreadConstraint spreads these pods over nodes"},
		{"whenUnsatisfiable: ScheduleAnyway", "whenUnsatisfiable: Sometimes", "no topologySpreadConstraint spreads these pods over nodes"},
		{"runAsNonRoot: true", "runAsNonRoot: false",
			"not restricted: runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false)"},
		{"drop: [ALL]", "drop: [CHOWN]",
			`not restricted: unrestricted capabilities (container "swarm" must set securityContext.capabilities.drop=["ALL"])`},
		{"runAsGroup: 65532", "sysctls: [{name: net.ipv4.tcp_syn_retries, value: \"2\"}]", "not restricted: forbidden sysctls (net.ipv4.tcp_syn_retries)"},
		{"readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "the root file system can be written to"},
		{"automountServiceAccountToken: false", "automountServiceAccountToken: true", "the pod has a token for the API server"},
		{"requests:\n              cpu: \"2\"", "requests:\n              cpu: \"1\"", "the CPU request is not the limit"},
		{"memory: 256Mi #", "memory: 1Gi #", "the memory request is not the limit"},
		{"image: rstlab-swarm:dev", "image: \"\"", "the container has no name or no image"},
		{"image: rstlab-swarm:dev", "image: rstlab-swarm:dev\n          command: [/bin/sh]",
			"the container has a command, which replaces the image's entry point"},
		{"runAsGroup: 65532", "sysctls: [{name: net.ipv4.ip_local_port_range, value: \"1024 65535\"}]", ""},
	} {
		m, err := read(changed(t, c.old, c.new))
		if err != nil {
			t.Errorf("with %q for %q: %v", c.new, c.old, err)
			continue
		}
		if got := strings.Join(m.complaints(), "; "); got != c.want {
			t.Errorf("complaints with %q for %q\n got %s\nwant %s", c.new, c.old, got, c.want)
		}
	}
}

// A Job's name is the beginning of its pods' host names, which have 63 characters at most.
func TestLongName(t *testing.T) {
	m, err := read(contents(t, "swarm.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		length int
		want   string
	}{
		{61, ""},
		{62, strings.Repeat("s", 62) + "-3 is no host name: [must be no more than 63 characters]"},
	} {
		m.job.Name = strings.Repeat("s", c.length)
		if got := strings.Join(m.jobComplaints(), "; "); got != c.want {
			t.Errorf("complaints of a name of %d characters\n got %s\nwant %s", c.length, got, c.want)
		}
	}
}
