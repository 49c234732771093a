package shop

import (
	"fmt"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
)

// service is one application of the shop. The names follow its runtime and the age of its agent.
type service struct {
	name     string
	language string // java or nodejs
	agent    string // version of the instrumentation: what its spans look like depends on it
	oldHTTP  bool   // the HTTP conventions before 2.0 of the Java agent
	newDB    bool   // runs with OTEL_SEMCONV_STABILITY_OPT_IN=database
	port     int
	replicas int
	releases [3]release
}

type release struct{ version, replicaSet string }

var (
	gateway   = &service{name: "gateway", language: "nodejs", agent: "0.81.2", port: 3000, replicas: 2, releases: [3]release{{"3.7.0", "58d6b9cdb7"}, {"3.7.1", "7c9f48cb5d"}, {"3.8.0", "6f4d7c8b94"}}}
	orderAPI  = &service{name: "order-api", language: "java", agent: "2.33.1", port: 8080, replicas: 3, releases: [3]release{{"1.41.2", "77b5c4d9f6"}, {"1.42.0", "5f9c7bd68c"}, {"1.42.1", "6945c568"}}}
	payment   = &service{name: "payment", language: "java", agent: "2.33.1", newDB: true, port: 9090, replicas: 2, releases: [3]release{{"2.9.4", "84c6f7d5b9"}, {"2.9.5", "66d4c9b7f8"}, {"2.10.0", "9d8b7c6f5"}}}
	inventory = &service{name: "inventory", language: "java", agent: "2.33.1", port: 9090, replicas: 2, releases: [3]release{{"1.12.0", "6b8d9f7c54"}, {"1.12.1", "7d5f6c9b88"}, {"1.12.1", "7d5f6c9b88"}}}
	catalog   = &service{name: "catalog", language: "java", agent: "2.33.1", newDB: true, port: 8080, replicas: 2, releases: [3]release{{"5.0.3", "59f7d8c6b4"}, {"5.1.0", "8c7b6d5f9"}, {"5.1.1", "75c9d8f6b6"}}}
	member    = &service{name: "member", language: "java", agent: "1.32.0", oldHTTP: true, port: 8080, replicas: 2, releases: [3]release{{"0.98.1", "6d9c8b7f5d"}, {"0.98.1", "6d9c8b7f5d"}, {"0.99.0", "b7f6d5c98"}}}
	delivery  = &service{name: "delivery", language: "java", agent: "2.33.1", port: 8080, replicas: 2, releases: [3]release{{"1.3.0", "7f8c9d6b5b"}, {"1.3.2", "68b7c5d9f4"}, {"1.4.0", "9c5d7b8f6"}}}

	services = []*service{gateway, orderAPI, payment, inventory, catalog, member, delivery}
)

// environment is where all of it runs.
const environment = "PRODUCTION"

// podSuffixes end the names of pods, as Kubernetes makes them.
var podSuffixes = [...]string{"2ghw8", "kq5zx", "9tdlm", "w7rbn", "hx4cv", "m8pzt", "6jfqs", "zr2kd"}

// pod is a running process of a service.
type pod struct {
	*service
	instance string // the pod's name
	address  string // its IP
	resource *resourcepb.Resource
	release  int // of its service, 0 the oldest
	node     int // it runs on
	order    int // place in the fleet: the order in which requests list it
}

// fleet is everything that runs, by release: the first was replaced 12 hours, the second 30 minutes before
// the shop was opened.
type fleet struct {
	opened time.Time
	pods   map[*service][3][]*pod
}

func newFleet(opened time.Time) *fleet {
	f := &fleet{opened: opened, pods: map[*service][3][]*pod{}}
	order := 0
	for i, svc := range services {
		var byRelease [3][]*pod
		for r, rel := range svc.releases {
			for n := range svc.replicas {
				suffix := podSuffixes[(n+3*i+5*r+3)%len(podSuffixes)]
				p := &pod{
					service:  svc,
					instance: fmt.Sprintf("prod-%s-%s-%s", svc.name, rel.replicaSet, suffix),
					address:  fmt.Sprintf("10.42.%d.%d", 10+i, 20+10*r+n),
					release:  r,
					node:     (n + 2*i + r) % nodes,
					order:    order,
				}
				p.resource = &resourcepb.Resource{Attributes: p.resourceAttributes(rel)}
				byRelease[r] = append(byRelease[r], p)
				order++
			}
		}
		f.pods[svc] = byRelease
	}
	return f
}

// at returns the pods of svc that ran at the given time.
func (f *fleet) at(svc *service, t time.Time) []*pod {
	switch age := f.opened.Sub(t); {
	case age > 12*time.Hour:
		return f.pods[svc][0]
	case age > 30*time.Minute:
		return f.pods[svc][1]
	default:
		return f.pods[svc][2]
	}
}

// sick returns the pod of order-api that the fault strikes.
func (f *fleet) sick(t time.Time) *pod { return f.at(orderAPI, t)[0] }

func (p *pod) resourceAttributes(rel release) []*commonpb.KeyValue {
	key := "deployment.environment.name"
	if p.oldHTTP {
		key = "deployment.environment"
	}
	kv := []*commonpb.KeyValue{
		str(key, environment),
		str("host.arch", "amd64"),
		str("host.name", p.instance),
		str("k8s.cluster.name", "shop-prod"),
		str("k8s.container.name", p.name),
		str("k8s.deployment.name", "prod-"+p.name),
		str("k8s.namespace.name", "shop"),
		str("k8s.node.name", nodeName(p.node)),
		str("k8s.pod.name", p.instance),
		str("os.type", "linux"),
	}
	if p.language == "java" {
		kv = append(kv,
			str("os.description", "Linux 5.15.0-139-generic"),
			list("process.command_args", "/opt/java/openjdk/bin/java", "-javaagent:/otel/opentelemetry-javaagent.jar", "-jar", "/app/"+p.name+".jar"),
			str("process.executable.path", "/opt/java/openjdk/bin/java"),
			num("process.pid", 1),
			str("process.runtime.description", "Eclipse Adoptium OpenJDK 64-Bit Server VM 17.0.15+6"),
			str("process.runtime.name", "OpenJDK Runtime Environment"),
			str("process.runtime.version", "17.0.15+6"),
		)
	} else {
		kv = append(kv,
			str("process.command", "/app/server.js"),
			list("process.command_args", "/usr/local/bin/node", "--require", "@opentelemetry/auto-instrumentations-node/register", "/app/server.js"),
			str("process.executable.name", "node"),
			num("process.pid", 7),
			str("process.runtime.description", "Node.js"),
			str("process.runtime.name", "nodejs"),
			str("process.runtime.version", "20.20.2"),
		)
	}
	kv = append(kv,
		str("service.instance.id", p.instance),
		str("service.name", p.name),
		str("service.namespace", "shop"),
		str("service.version", rel.version),
	)
	if p.language == "java" {
		sdk := "1.67.0"
		if p.oldHTTP {
			sdk = "1.32.0"
		}
		kv = append(kv, str("telemetry.distro.name", "opentelemetry-java-instrumentation"), str("telemetry.distro.version", p.agent),
			str("telemetry.sdk.language", "java"), str("telemetry.sdk.name", "opentelemetry"), str("telemetry.sdk.version", sdk))
	} else {
		kv = append(kv, str("telemetry.sdk.language", "nodejs"), str("telemetry.sdk.name", "opentelemetry"), str("telemetry.sdk.version", "2.12.0"))
	}
	return kv
}
