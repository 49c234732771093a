package otel

// Resource is what the telemetry of one process shares, as columns of each row.
type Resource struct {
	ID          uint64 // of the row in resources, 0 when it has none
	Service     []byte
	Environment []byte
	Instance    []byte
	Version     []byte
}

// UnknownService is the name of an application that does not say its own.
const UnknownService = "unknown_service"

// ResourceBuilder reads a Resource out of resource attributes. It is reused:
// Reset, then Attribute for each, then Resource. Slices given to it must
// stay unchanged until then.
type ResourceBuilder struct {
	Dropped uint64 // attributes that the sender cut; the builder adds what it cuts itself

	known   [resourceFieldCount]known
	attrs   []Attribute
	scratch Scratch
}

// known is a meaning's value, and how well its attribute says it.
type known struct {
	value []byte
	rank  uint8 // 0: not set
}

type resourceField uint8

const (
	resourceService resourceField = iota
	resourceEnvironment
	resourceInstance
	resourceVersion
	resourceFieldCount
)

var resourceFields = map[string]struct {
	field resourceField
	rank  uint8
}{
	"service.name":                {resourceService, 1},
	"service.version":             {resourceVersion, 1},
	"deployment.environment.name": {resourceEnvironment, 2},
	"deployment.environment":      {resourceEnvironment, 1},
	"k8s.pod.name":                {resourceInstance, 4},
	"service.instance.id":         {resourceInstance, 3},
	"host.name":                   {resourceInstance, 2},
}

// resourceRank is how well an attribute says what its field means. An instance
// is what one looks for at night: a pod or a host by its name. An id that an SDK
// draws at each start, as the Java agent does, comes last.
func resourceRank(f resourceField, rank uint8, value []byte) uint8 {
	if f == resourceInstance && rank == 3 && isUUID(value) {
		return 1
	}
	return rank
}

// isUUID reports whether v is written as RFC 9562 has it: 8-4-4-4-12 hex digits.
func isUUID(v []byte) bool {
	if len(v) != 36 {
		return false
	}
	for i, c := range v {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if hex := '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'; !hex {
				return false
			}
		}
	}
	return true
}

// Reset empties the builder for the next resource.
func (b *ResourceBuilder) Reset() {
	b.known, b.Dropped = [resourceFieldCount]known{}, 0
	b.attrs = b.attrs[:0]
	b.scratch.Reset()
}

// Attribute adds an attribute of the resource. All of them are kept in
// the resource's row. Those beyond MaxAttributes are left out
// of it and counted, in "dropped" of each of its rows, but are still read
// for their meaning.
func (b *ResourceBuilder) Attribute(key, value []byte) {
	key, value = b.scratch.Clean(key, MaxKeyLength), b.scratch.Clean(value, MaxValueLength)
	if f, ok := resourceFields[string(key)]; ok && len(value) > 0 {
		if rank := resourceRank(f.field, f.rank, value); rank > b.known[f.field].rank {
			b.known[f.field] = known{value: value, rank: rank}
		}
	}
	if len(b.attrs) >= MaxAttributes {
		b.Dropped++
		return
	}
	b.attrs = append(b.attrs, Attribute{Key: key, Value: value})
}

// Resource returns what was read, under the given id. Its slices live until
// the next Reset.
func (b *ResourceBuilder) Resource(id uint64) Resource {
	text := func(f resourceField) []byte { return b.scratch.Clean(b.known[f].value, MaxNameLength) }
	r := Resource{
		ID: id, Service: text(resourceService), Environment: text(resourceEnvironment),
		Instance: text(resourceInstance), Version: text(resourceVersion),
	}
	if len(r.Service) == 0 {
		r.Service = []byte(UnknownService)
	}
	return r
}
