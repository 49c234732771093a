package ground

import (
	"regexp"
	"strings"
)

const urlEnd = `[^\s"'<>` + "`" + `\\^|{}\[\]가-힣]`

var (
	anURL     = regexp.MustCompile(`(?i)\b(?:jdbc:)?[a-z][a-z0-9+.-]*:(?:[a-z]+:)*(?:@|//)` + urlEnd + `+`)
	anEmail   = regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+`)
	anIP      = regexp.MustCompile(`\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?::[0-9]+)?\b`)
	aVersion  = regexp.MustCompile(`\b[0-9]+(?:\.[0-9]+){2,}\b`)
	aHost     = regexp.MustCompile(`(?i)\b(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:com|net|org|io|dev|app|cloud|ai|kr|jp|cn|uk|de|fr|us|internal|intranet|local|lan|corp|svc|consul|test|example|invalid)(?::[0-9]+)?\b`)
	aHostPort = regexp.MustCompile(`(?i)\b[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)*:[0-9]{2,5}\b`)
	aPath     = regexp.MustCompile(`(^|[\s"'(=>,:\[` + "`" + `])(/[A-Za-z0-9_{:*][^\s"'<>()` + "`" + `,;\[\]\\가-힣]*)`)
	anID      = regexp.MustCompile(`(?i)\b(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{16}|[0-9a-f]{32})\b`)
)

// addresses checks everything that says where something is, and takes it out of
// the text, so that a port is not read as a number.
func (c *Checker) addresses(text string) string {
	check := func(re *regexp.Regexp, kind string) {
		text = re.ReplaceAllStringFunc(text, func(s string) string {
			name := strings.TrimRight(s, ".,;:!?)*")
			if !c.known.holds(name) {
				c.refuse(kind, name)
			}
			return blank(s)
		})
	}
	check(anURL, "address")
	check(anEmail, "address")
	check(anIP, "address")
	check(aHost, "address")
	check(aHostPort, "address")
	text = aPath.ReplaceAllStringFunc(text, func(s string) string {
		m := aPath.FindStringSubmatch(s)
		if path := strings.TrimRight(m[2], ".:!?*"); len(path) > 2 && !c.known.holds(path) {
			c.refuse("address", path)
		}
		return m[1] + blank(m[2])
	})
	check(anID, "identifier")
	check(aVersion, "number")
	return text
}

var (
	identifier = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_$]*(?:[.-][A-Za-z0-9_$]+)*`)
	backticked = regexp.MustCompile("`([^`\n]+)`")
)

// identifiers checks every word that can only be a name of the case, and takes
// those with digits in them (p95, pod-2ghw8) out of the text. Plain words stay:
// one may be the unit of a number.
func (c *Checker) identifiers(text string) string {
	for _, m := range backticked.FindAllStringSubmatch(text, -1) {
		for _, w := range word.FindAllString(m[1], -1) {
			if l := strings.ToLower(w); !c.known.words[l] && !sqlWord[l] && !setting[l] && len(w) > 1 {
				c.refuse("identifier", w)
			}
		}
	}
	out := []byte(text)
	for _, loc := range identifier.FindAllStringIndex(text, -1) {
		if loc[0] > 0 && text[loc[0]-1] >= '0' && text[loc[0]-1] <= '9' {
			continue // the unit in 8003ms
		}
		name := text[loc[0]:loc[1]]
		c.name(name)
		if strings.ContainsAny(name, "0123456789") {
			copy(out[loc[0]:loc[1]], blank(name))
		}
	}
	return string(out)
}

func (c *Checker) name(name string) {
	lower := strings.ToLower(name)
	if c.known.words[lower] || setting[lower] || c.known.holds(lower) || c.known.part(lower) {
		return
	}
	if strings.Count(name, "-") >= 2 && strings.ContainsAny(name, "0123456789") || c.machine(name) {
		c.refuse("identifier", name) // an instance, a host, a token copied wrongly
		return
	}
	for piece := range strings.SplitSeq(name, "-") {
		parts := strings.Split(piece, ".")
		if len(parts) > 1 && !c.known.holds(piece) && qualified(parts) && !c.allKnown(parts) {
			c.refuse("identifier", piece)
			continue
		}
		for _, part := range parts {
			l := strings.ToLower(part)
			if strings.Contains(strings.Trim(part, "_"), "_") && !c.known.words[l] && !setting[l] {
				c.refuse("identifier", part)
			}
		}
	}
}

var (
	lowerWord = regexp.MustCompile(`^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$`)
	upperWord = regexp.MustCompile(`^[A-Z][A-Z0-9]{5,}$`)
	// techWord is a word with digits that names nothing of the case: p95, t1, sha256, java17, log4j2.
	techWord = regexp.MustCompile(`^(?:[a-z][0-9]{1,3}|(?:utf|latin|u?int|float|base|sha|md|ipv|http|tls|tcp|java|jdk|jre|python|php|top|oauth|hibernate|mybatis)[0-9]+|` +
		`utf8mb[34]|[a-z]+4j2?|mysql[58]|k8s|i18n|x86|arm64|amd64|ec2|c3p0|dbcp2|g1gc)$`)
)

// machine reports whether a word that the evidence does not contain looks like
// the name of a machine (db-replica02) or like a token (k3x9d2a): words of a
// language have no digits in them, and db and prod in their compounds only in
// some (db-level).
func (c *Checker) machine(name string) bool {
	if !lowerWord.MatchString(name) && !upperWord.MatchString(name) {
		return false
	}
	host, common := false, false
	for piece := range strings.SplitSeq(strings.ToLower(name), "-") {
		switch {
		case strings.Trim(piece, "0123456789") == "": // utf-8
		case strings.ContainsAny(piece, "0123456789"):
			if !techWord.MatchString(piece) && !c.known.part(piece) {
				return true
			}
		default:
			host = host || hostWord[piece]
			common = common || compound[piece]
		}
	}
	return host && !common && strings.Contains(name, "-")
}

func (c *Checker) allKnown(parts []string) bool {
	for _, p := range parts {
		if !c.known.words[strings.ToLower(p)] {
			return false
		}
	}
	return true
}

// qualified tells schema.table from "e.g.", "Node.js" and a missing space after
// a full stop.
func qualified(parts []string) bool {
	for _, p := range parts {
		if len(p) < 2 {
			return false
		}
	}
	last := parts[len(parts)-1]
	return !fileType[strings.ToLower(last)] && (last[0] < 'A' || last[0] > 'Z' || len(parts) > 2)
}

const (
	nameList   = quotedName + `(?:\s*(?:,|및|와|과|,?\s+and\s)\s*` + quotedName + `)*`
	quotedName = `["'` + "`" + `“‘]?([A-Za-z_][A-Za-z0-9_.$]*)["'` + "`" + `”’]?`
)

var (
	namedTable   = regexp.MustCompile(`(` + nameList + `)\s*(?:등(?:의)?\s*)?(?:여러\s*|라는\s*)?(?:테이블|\btables?\b)`)
	tableNamed   = regexp.MustCompile(`(?:테이블(?:은|는|인|명)?|\b[Tt]ables?)\s*[:(]\s*(` + nameList + `)`)
	namedCRUD    = regexp.MustCompile(`(` + nameList + `)\s*(?:등)?에\s*대(?:한|해|하여)\s*(?:SELECT|INSERT|UPDATE|DELETE|MERGE)\b`)
	crudOn       = regexp.MustCompile(`\b(?:SELECT|INSERT|UPDATE|DELETE|MERGE)s?(?: (?:statement|query|operation)s?)? on (` + nameList + `)`)
	koreanTable  = regexp.MustCompile(`테이블\s+` + quotedName)
	sqlTable     = regexp.MustCompile(`\b(?:FROM|JOIN|INTO|UPDATE|TABLE)\s+` + quotedName)
	acronym      = regexp.MustCompile(`^[A-Z]{2,5}$`)
	plainSuffix  = regexp.MustCompile(`(?i)(?:ed|ing|ous|able|ive|ly)$`)
	withoutQuote = `"'` + "`" + `“”‘’.`
)

// ordinary reports whether a word may stand where a table is named without
// naming one.
func ordinary(word string) bool {
	word = strings.ToLower(word)
	return sqlWord[word] || modifier[word] || setting[word] || plainSuffix.MatchString(word)
}

// tables checks names used as tables, which need no underscore to be names.
func (c *Checker) tables(text string) {
	check := func(name string) {
		name = strings.Trim(name, withoutQuote)
		lower := strings.ToLower(name)
		if name == "" || c.known.words[lower] || c.allKnown(strings.Split(name, ".")) || ordinary(name) {
			return
		}
		c.refuse("table", name)
	}
	for _, re := range []*regexp.Regexp{koreanTable, sqlTable} {
		for _, m := range re.FindAllStringSubmatch(text, -1) {
			check(m[1])
		}
	}
	for _, re := range []*regexp.Regexp{tableNamed, namedTable, namedCRUD, crudOn} {
		for _, m := range re.FindAllStringSubmatch(text, -1) {
			names := identifier.FindAllString(m[1], -1)
			last := names[len(names)-1]
			if re == namedTable && len(names) > 1 && ordinary(last) {
				continue // "joins, filters and large tables" lists no tables
			}
			for _, name := range names {
				if !acronym.MatchString(name) { // API와 orders 테이블
					check(name)
				}
			}
		}
	}
}

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

var (
	// sqlWord is a word of SQL and of query plans, which names nothing of the case.
	sqlWord = set(`select insert update delete merge replace from where join left right inner outer full cross natural on using
		group by order having limit offset union all distinct as with recursive into values set case when then else end and or not
		null is in exists between like count sum avg min max coalesce explain analyze plan create alter drop truncate add index
		indexes unique primary foreign key table column view materialized partition by range hash list btree gin brin explain_plan
		hint force use ignore for share lock nowait skip locked begin commit rollback transaction vacuum scan seq sequential nested
		loop filesort temporary rows row cte subquery explain_analyze buffers verbose format json over window rank desc asc fetch
		first next only returning conflict do nothing duplicate sql ddl dml crud int bigint varchar text date timestamp now
		row_number rank dense_rank group_concat string_agg`)
	// modifier stands before "table" without naming one.
	modifier = set(`the a an this that these those each every any all some both such same other another main large big small huge
		whole full entire lookup join joined temp temporary hash heap base source target driving lead inner outer left right
		summary history log master slave parent child db database sql rdb mysql mariadb postgresql postgres oracle innodb mssql
		cte pk fk memory per of and or in on to for with from its their our your which what no one two three several many
		multiple various few related relevant respective respectively affected involved key core hot wide narrow busy heavy
		index partition fact dimension staging system user-defined clause order statement statements operation operations
		conditions condition stats statistics size lock scan access ddl schema design structure joins filters scans columns keys locks plans
		reads writes sorts subqueries ctes views functions triggers procedures queries results data cascade demand e.g i.e eg ie n are is was were has have`)
	// setting is a parameter or view of a well-known database: advice, not a claim about the case.
	setting = set(`pg_stat_statements pg_stat_activity pg_locks pg_stat_user_tables performance_schema information_schema
		innodb_buffer_pool_size innodb_lock_wait_timeout max_connections work_mem shared_buffers effective_cache_size slow_query_log long_query_time
		statement_timeout lock_timeout idle_in_transaction_session_timeout max_execution_time wait_timeout connection_timeout
		sort_buffer_size join_buffer_size tmp_table_size max_heap_table_size query_cache explain_plan explain_analyze auto_explain
		row_number dense_rank group_concat string_agg force_index use_index read_timeout socket_timeout`)
	// hostWord is a part of a machine's name, compound what makes a plain word of it.
	hostWord = set(`db prod stg staging dev was web api app srv svc vm node pod replica standby redis mysql mariadb postgres pg mongo
		mongodb kafka rds ora lb gw proxy cache`)
	compound = set(`level side key aside only based wide specific related bound heavy local driven through back hit miss first per
		time layer tier tuning pool connection call query read write re pre non multi single cross inter intra in on off out up down
		to of and the style like type class native facing ready backed scale lag aware free less intensive managed hosted owned
		server client end master slave friendly invalidation exporter metrics postgres`)
	fileType = set(`js java py go ts kt rb php cs sql xml html json yml yaml net properties`)
)
