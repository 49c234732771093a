package mask

// span is a claim on text[start:end]. A global one is learned too: it is masked
// wherever else it stands. It holds no pointer, so that lists of them cost the
// collector of garbage nothing.
type span struct {
	start, end int
	code       classCode
	global     bool
}

func (sp span) class() Class { return classes[sp.code] }

// classCode is a class in one byte.
type classCode uint8

// kept is the code of a span that is left as it is.
const kept classCode = 0

// keep is the class of what is left as it is.
const keep Class = "\x00keep"

// classes holds the classes by their codes.
var classes = append([]Class{keep}, Classes()...)

var classCodes = func() *lexicon {
	l := &lexicon{}
	for code, class := range classes[1:] {
		l.add(uint8(code+1), string(class))
	}
	return l
}()

// codeOf returns the code of a class; one that is none of ours is masked as Custom.
func codeOf(class Class) classCode {
	if code := classCodes.value(string(class)); code > 0 {
		return classCode(code)
	}
	return classCode(classCodes.value(string(Custom)))
}
