package issue

import (
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// Rules say which frames are the application's own: those that a pattern of
// Include matches, not those that one of Exclude matches, and of the others
// whatever the language's own library, the well-known frameworks and the places
// where packages are installed are not.
//
// A pattern is the beginning of "module.function" or of a file's path, and * in
// it stands for anything. Of several that match the longest decides, and of two
// of one length the one that excludes.
type Rules struct {
	Include   []string  `json:"include" maxItems:"200" doc:"patterns of frames that are in-app"`
	Exclude   []string  `json:"exclude" maxItems:"200" doc:"patterns of frames that are not"`
	Version   int64     `json:"version" doc:"0: nobody has changed them yet"`
	UpdatedAt time.Time `json:"updated_at"`
	UpdatedBy string    `json:"updated_by"`
}

const (
	maxPatterns      = 200 // of each kind
	maxPatternLength = 256 // bytes
)

// check refuses what cannot be a rule and removes blank and repeated patterns.
func (r *Rules) check() error {
	for field, list := range map[string]*[]string{"include": &r.Include, "exclude": &r.Exclude} {
		kept := []string{}
		seen := map[string]bool{}
		for _, pattern := range *list {
			pattern = strings.TrimSpace(pattern)
			switch {
			case pattern == "" || seen[pattern]:
				continue
			case len(pattern) > maxPatternLength:
				return fault.New(fault.Invalid, "a pattern has at most %d bytes", maxPatternLength).WithField(field)
			case strings.Trim(pattern, "*") == "":
				return fault.New(fault.Invalid, "the pattern %q matches every frame: name at least the beginning of a package or a path", pattern).WithField(field)
			}
			seen[pattern] = true
			kept = append(kept, pattern)
		}
		if len(kept) > maxPatterns {
			return fault.New(fault.Invalid, "there are %d patterns, at most %d are kept: join some with a *", len(kept), maxPatterns).WithField(field)
		}
		*list = kept
	}
	return nil
}

// Mark says of every frame whether it is in-app.
func (r *Rules) Mark(s *Stack) {
	for i := range s.Exceptions {
		frames := s.Exceptions[i].Frames
		for j := range frames {
			frames[j].InApp = r.inApp(s.Language, &frames[j])
		}
	}
}

func (r *Rules) inApp(language string, f *Frame) bool {
	if generated(f) {
		return false
	}
	if len(r.Include)+len(r.Exclude) > 0 {
		name := f.Function
		if f.Module != "" {
			name = f.Module + "." + f.Function
		}
		in, out := longest(r.Include, name, f.File), longest(r.Exclude, name, f.File)
		if in > 0 || out > 0 {
			return in > out
		}
	}
	return !isLibrary(language, f)
}

// longest is the length of the longest pattern that matches, 0 when none does.
func longest(patterns []string, name, file string) (n int) {
	for _, p := range patterns {
		if len(p) > n && (startsLike(name, p) || startsLike(file, p)) {
			n = len(p)
		}
	}
	return n
}

// startsLike reports whether s begins with the pattern, * standing for anything.
func startsLike(s, pattern string) bool {
	part, rest, more := strings.Cut(pattern, "*")
	if !strings.HasPrefix(s, part) {
		return false
	}
	s = s[len(part):]
	for more {
		part, rest, more = strings.Cut(rest, "*")
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return true
}

// libraries are the packages of each language that are nobody's application.
// They are part of the algorithm: another list is another Algorithm.
var libraries = map[string][]string{
	"java": {
		"java.", "javax.", "jdk.", "sun.", "com.sun.", "jakarta.", "kotlin.", "kotlinx.", "scala.", "groovy.", "org.codehaus.groovy.", "clojure.", "android.", "androidx.",
		"org.springframework.", "org.apache.", "org.hibernate.", "org.eclipse.", "org.jboss.", "org.slf4j.", "org.junit.", "org.mockito.", "org.aspectj.", "org.postgresql.",
		"org.mariadb.", "org.mybatis.", "org.quartz.", "org.glassfish.", "org.thymeleaf.", "org.jooq.", "org.redisson.", "org.elasticsearch.", "org.mongodb.",
		"io.netty.", "io.grpc.", "io.opentelemetry.", "io.micrometer.", "io.projectreactor.", "io.reactivex.", "io.lettuce.", "io.undertow.", "io.vertx.", "io.micronaut.", "io.quarkus.", "io.ktor.",
		"reactor.", "rx.", "akka.", "play.", "feign.", "okhttp3.", "okio.", "retrofit2.", "ch.qos.", "net.sf.", "net.bytebuddy.", "redis.clients.", "lombok.",
		"com.fasterxml.", "com.google.", "com.mysql.", "com.microsoft.sqlserver.", "oracle.", "com.zaxxer.", "com.netflix.", "com.mongodb.", "com.alibaba.druid.", "com.ibm.", "com.amazonaws.", "software.amazon.",
	},
	"dotnet": {"System.", "Microsoft.", "Npgsql.", "MySql.", "Newtonsoft.", "Dapper.", "Grpc.", "OpenTelemetry.", "Polly.", "StackExchange.", "MassTransit."},
}

// places are parts of paths where packages are installed.
var places = map[string][]string{
	"javascript": {"node_modules/", "node:", "/webpack/", "webpack/bootstrap"},
	"python":     {"/site-packages/", "/dist-packages/", "/lib/python", `\lib\`, "<frozen "},
	"ruby":       {"/gems/", "/lib/ruby/", "<internal:"},
	"php":        {"/vendor/"},
	"go":         {"/pkg/mod/", "/vendor/"},
}

func isLibrary(language string, f *Frame) bool {
	for _, part := range places[language] {
		if strings.Contains(f.File, part) {
			return true
		}
	}
	switch language {
	case "go":
		// What is neither installed nor under the runtime's own sources is somebody's.
		return f.Module == "" || f.File == "" || strings.Contains(f.File, "/src/"+f.Module+"/") && !strings.Contains(f.Module, ".")
	case "javascript":
		return f.File == "" || f.File == "native" || f.File == "<anonymous>" || strings.HasPrefix(f.File, "internal/")
	case "php":
		return f.File == "" // [internal function]
	}
	for _, prefix := range libraries[language] {
		if strings.HasPrefix(f.Module, prefix) {
			return true
		}
	}
	return false
}

// generated reports whether a frame is of a class that a framework makes while
// the program runs: a proxy, a lambda's class, an accessor of reflection. Adding or
// removing one says nothing about the error.
func generated(f *Frame) bool {
	if strings.IndexByte(f.Module, '$') >= 0 {
		for _, mark := range []string{"$$", "$Proxy", "$MockitoMock$", "$HibernateProxy$", "$ByteBuddy$"} {
			if strings.Contains(f.Module, mark) {
				return true
			}
		}
	}
	return f.File == "<generated>" || strings.HasSuffix(f.Module, "_Subclass") || strings.HasSuffix(f.Module, "_ClientProxy") ||
		strings.HasPrefix(f.Module, "jdk.internal.reflect.Generated") || strings.HasPrefix(f.Module, "sun.reflect.Generated")
}
