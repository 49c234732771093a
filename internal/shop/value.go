package shop

import (
	"fmt"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
)

func str(key, value string) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: value}}}
}

func num[N int | int64](key string, value N) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: int64(value)}}}
}

func truth(key string, value bool) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_BoolValue{BoolValue: value}}}
}

func list(key string, values ...string) *commonpb.KeyValue {
	array := &commonpb.ArrayValue{}
	for _, v := range values {
		array.Values = append(array.Values, &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: v}})
	}
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_ArrayValue{ArrayValue: array}}}
}

// threadName names a thread as Tomcat, gRPC and Kafka do.
func threadName(kind string, port, n int) string {
	switch kind {
	case "grpc":
		return fmt.Sprintf("grpc-default-executor-%d", n)
	case "kafka":
		return fmt.Sprintf("org.springframework.kafka.KafkaListenerEndpointContainer#0-%d-C-1", n%4)
	default:
		return fmt.Sprintf("http-nio-%d-exec-%d", port, n)
	}
}

// scopeVersion is the version of the pod's instrumentation libraries.
func (p *pod) scopeVersion() string {
	if p.language == "java" {
		return p.agent + "-alpha"
	}
	return "0.223.0"
}
