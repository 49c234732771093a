package trace

import (
	"testing"

	"github.com/matrix-aiops/matrix/internal/otel"
)

func TestAnInstanceIsCalledByTheNameOneLooksFor(t *testing.T) {
	const drawn = "1b4e28ba-2fa1-41d2-883f-0016d3cca427"
	f := func(want string, attributes ...string) {
		t.Helper()
		var b otel.ResourceBuilder
		b.Reset()
		for i := 0; i < len(attributes); i += 2 {
			b.Attribute([]byte(attributes[i]), []byte(attributes[i+1]))
		}
		if got := string(b.Resource(1).Instance); got != want {
			t.Errorf("%q is called %q, want %q", attributes, got, want)
		}
	}
	f("shop-6945c568-2ghw8", "service.instance.id", drawn, "host.name", "node-1", "k8s.pod.name", "shop-6945c568-2ghw8")
	f("shop-6945c568-2ghw8", "k8s.pod.name", "shop-6945c568-2ghw8", "service.instance.id", "default.shop.1")
	f("node-1", "service.instance.id", drawn, "host.name", "node-1") // the Java agent on a virtual machine
	f("node-1", "host.name", "node-1", "service.instance.id", drawn)
	f("shop-1", "host.name", "node-1", "service.instance.id", "shop-1")
	f("1b4e28ba-2fa1-41d2-883f-0016d3cca42g", "host.name", "node-1", "service.instance.id", "1b4e28ba-2fa1-41d2-883f-0016d3cca42g")
	f(drawn, "service.instance.id", drawn)
	f("")
}
