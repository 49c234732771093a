package trace

import "strings"

// codePlace returns the program's own place that ran a span: the first frame of
// its stack that is no library's, else the function the instrumentation names.
func codePlace(s *Span) string {
	if frame := applicationFrame(s.Attributes["code.stacktrace"]); frame != "" {
		return frame
	}
	if name := s.Attributes["code.function.name"]; name != "" {
		return name
	}
	name := s.Attributes["code.function"]
	if space := s.Attributes["code.namespace"]; space != "" && name != "" {
		return space + "." + name
	}
	return name
}

// libraries are packages of the JVM world and of node that run between a
// program's own code and the call. The list grows with what users meet.
var libraries = []string{
	"java.", "javax.", "jdk.", "sun.", "com.sun.", "jakarta.", "kotlin.", "kotlinx.", "scala.", "groovy.",
	"org.springframework.", "org.apache.", "org.hibernate.", "org.eclipse.", "org.jboss.", "org.mybatis.", "org.postgresql.", "org.mariadb.",
	"com.mysql.", "com.microsoft.sqlserver.", "oracle.", "com.zaxxer.", "io.opentelemetry.", "io.netty.", "io.undertow.", "io.grpc.",
	"reactor.", "okhttp3.", "feign.", "com.fasterxml.", "org.slf4j.", "ch.qos.", "net.bytebuddy.", "com.querydsl.", "redis.clients.", "io.lettuce.",
	"node:",
}

// applicationFrame returns the first frame of a stack trace ("\tat a.B.c(B.java:1)" of
// the JVM, "    at f (file.js:1:2)" of node) that belongs to no library; "" when there is none.
func applicationFrame(stack string) string {
	for line := range strings.Lines(stack) {
		frame, ok := strings.CutPrefix(strings.TrimSpace(line), "at ")
		if !ok || strings.Contains(frame, "node_modules") || strings.Contains(frame, "(node:") {
			continue
		}
		if _, rest, module := strings.Cut(frame, "/"); module && !strings.Contains(frame[:len(frame)-len(rest)], "(") {
			frame = rest // "java.base/java.lang…", "app//com.shop…"
			frame = strings.TrimPrefix(frame, "/")
		}
		if !isLibrary(frame) {
			return frame
		}
	}
	return ""
}

func isLibrary(frame string) bool {
	for _, prefix := range libraries {
		if strings.HasPrefix(frame, prefix) {
			return true
		}
	}
	return false
}
