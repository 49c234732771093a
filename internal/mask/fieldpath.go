package mask

// fieldPaths says of what class the values of a document are while it is read.
// The objects of a list have mostly the same fields in the same order, so the
// fields that came behind the last one before are looked at first: of most
// fields neither the path is made nor a map is asked.
type fieldPaths struct {
	known []fieldPath // the first is the document itself
	at    int32       // the field whose value is read
	level int
	open  [maxLevels + 1]int32 // by level: the field the object or the list is the value of
	last  [maxLevels + 1]int32 // by level: the last field of the object, 0 for none
	path  []byte
}

// fieldPath is a field at one path.
type fieldPath struct {
	name   string
	class  Class
	parent int32
	child  int32 // its first field, 0 for none
	next   int32 // the field that came behind it, 0 for none
}

// fieldsAhead is how many of the fields that came before are looked at: some objects have not all.
const fieldsAhead = 4

// begin makes it ready for another document.
func (p *fieldPaths) begin() {
	clear(p.known) // names are parts of the document before
	p.known = append(p.known[:0], fieldPath{})
	p.at, p.level = 0, 0
	p.open[0], p.last[0] = 0, 0
}

// enter goes into an object or a list.
func (p *fieldPaths) enter() {
	p.level++
	p.open[p.level], p.last[p.level] = p.at, 0
}

// leave goes back out of it: what follows in a list is of the list's field again.
func (p *fieldPaths) leave() {
	p.at = p.open[p.level]
	p.level--
}

// class is that of the value that is read now.
func (p *fieldPaths) class() Class { return p.known[p.at].class }

// field goes to the field with this name.
func (p *fieldPaths) field(name string, fields Fields) {
	parent, last := p.open[p.level], p.last[p.level]
	link := &p.known[parent].child
	if last != 0 {
		link = &p.known[last].next
	}
	found := *link
	for ahead := fieldsAhead; found != 0 && p.known[found].name != name; ahead-- {
		if found = p.known[found].next; ahead == 0 {
			found = 0
		}
	}
	if found == 0 {
		found = int32(len(p.known))
		made := fieldPath{name: name, class: p.classOf(parent, name, fields), parent: parent, next: *link}
		*link = found
		p.known = append(p.known, made)
	}
	p.at, p.last[p.level] = found, found
}

// classOf looks the class of a field up, by its path and then by its name.
func (p *fieldPaths) classOf(parent int32, name string, fields Fields) Class {
	p.path = p.appendPath(p.path[:0], parent)
	if len(p.path) > 0 {
		p.path = append(p.path, '.')
	}
	p.path = append(p.path, name...)
	if class, ok := fields[string(p.path)]; ok {
		return class
	}
	return fields[name]
}

func (p *fieldPaths) appendPath(path []byte, field int32) []byte {
	if field == 0 {
		return path
	}
	if path = p.appendPath(path, p.known[field].parent); len(path) > 0 {
		path = append(path, '.')
	}
	return append(path, p.known[field].name...)
}
