package report

import (
	"fmt"
	"strings"

	"github.com/matrix-aiops/matrix/internal/ground"
)

// phrases are the sentences of one language. A function returns "" when the
// fact lacks what the sentence says.
type phrases struct {
	noTransaction, noCause, normal, watch  string
	titled                                 func(title string) string
	alarm, worst                           func(values) string
	transaction                            func(values) []string
	statement, call, wait, exception, step func(values) string
	comparison, cause, action              func(values) string
}

var phrasesOf = map[string]phrases{
	Korean: {
		noTransaction: "알람 구간의 트랜잭션 프로파일이 수집되지 않았습니다.",
		noCause:       "원인 불명: 수집된 증거에서 시간이 집중된 단계나 평소와 다른 점을 특정할 수 없습니다.",
		normal:        "정상 범위: 이 서비스와 하위 서비스의 동작은 평소와 다르지 않습니다.",
		watch:         "DB와 인스턴스의 리소스 사용량, 최근 배포와 트래픽 변화를 함께 확인해 주세요.",
		titled:        func(title string) string { return join("알람이 발생하였습니다:", title) },
		alarm:         koreanAlarm,
		worst: func(v values) string {
			text := fmt.Sprintf("가장 느린 요청의 전체 응답시간은 %s", or(v.ms("elapsed"), "알 수 없음"))
			if sql := v.ms("sql_time"); sql != "" {
				text += fmt.Sprintf(", SQL 실행시간은 %s", sql)
			}
			return text + "입니다."
		},
		transaction: func(v values) []string {
			return transactionLines(v, "작업", "인스턴스", "총 응답시간: %s", "SQL 실행시간: %s", "SQL 수행: %s회", "조회: %s건", "외부 호출시간: %s")
		},
		statement: func(v values) string {
			what := join("SQL 쿼리", paren(joinNonEmpty(", ", v.statement(), v.get("operation"), prefix("테이블: ", v.tables()), prefix("조회: ", suffix(v.get("rows"), "건")))))
			if v.repeated() {
				return fmt.Sprintf("%s동일한 %s가 한 트랜잭션에서 %s회 실행되어 모두 %s가 소요되었습니다.", koreanStep(v), what, v.get("calls"), v.ms("total"))
			}
			return fmt.Sprintf("%s%s에서 %s가 소요되어 %s", koreanStep(v), what, v.ms("elapsed"), koreanShare(v))
		},
		call: func(v values) string {
			what := join("외부 호출", paren(joinNonEmpty(" ", v.get("method"), v.get("system"), v.get("operation"), address(v))))
			if v.repeated() {
				return fmt.Sprintf("%s동일한 %s이 한 트랜잭션에서 %s회 수행되어 모두 %s가 소요되었습니다.", koreanStep(v), what, v.get("calls"), v.ms("total"))
			}
			return fmt.Sprintf("%s%s에서 %s가 소요되어 %s", koreanStep(v), what, v.ms("elapsed"), koreanShare(v))
		},
		wait: func(v values) string {
			what := "기록된 작업이 없는 구간"
			if v.get("what") == "connection" {
				what = "DB 커넥션 대기"
			}
			return fmt.Sprintf("%s%s에서 %s가 소요되어 %s", koreanStep(v), what, v.ms("elapsed"), koreanShare(v))
		},
		exception: func(v values) string {
			if v.get("type") == "" {
				return ""
			}
			return fmt.Sprintf("%s예외가 발생하였습니다: %s", strings.Replace(koreanStep(v), "의 ", "에서 ", 1), joinNonEmpty(": ", v.get("type"), v.get("message")))
		},
		cause: koreanCause,
		step: func(v values) string {
			return fmt.Sprintf("%s%s 처리에서 %s가 소요되어 %s", koreanStep(v), or(v.get("name"), "메서드"), v.ms("elapsed"), koreanShare(v))
		},
		comparison: func(v values) string {
			if v.get("metric") != "elapsed" || v.ms("usual") == "" || v.ms("now") == "" {
				return ""
			}
			text := fmt.Sprintf("동일 트랜잭션의 평소%s 응답시간 %s에 비해 현재 %s", paren(suffix(strings.Replace(v.get("when"), "h", "시간", 1), " 전")), v.ms("usual"), v.ms("now"))
			return text + prefix("로, ", suffix(v.get("ratio"), "배")) + "입니다."
		},
		action: func(v values) string {
			target := paren(prefix("대상 테이블: ", v.tables()))
			switch v.Kind {
			case ground.Statement:
				switch {
				case v.repeated():
					return join("반복 실행되는 SQL 쿼리를 일괄 조회나 캐싱으로 줄이는 방안을 검토해 주세요.", target)
				case writes(v):
					return join(fmt.Sprintf("해당 %s 문의 잠금 대기 여부와 조건 컬럼의 인덱스를 확인해 주세요.", v.get("operation")), target)
				}
				return join("해당 SQL 쿼리의 실행 계획(EXPLAIN)을 확인하여 인덱스 사용과 JOIN 순서를 최적화해 주세요.", target)
			case ground.Call:
				return join("외부 API의 응답 지연을 담당 부서와 확인하고 타임아웃과 재시도 설정을 점검해 주세요.", paren(prefix("대상: ", address(v))))
			case ground.Wait:
				if v.get("what") == "connection" {
					return "DB 커넥션 풀의 크기와 반환되지 않는 커넥션, 장시간 점유하는 쿼리를 확인해 주세요."
				}
				return "기록되지 않은 구간의 GC, 스레드 대기, 잠금 여부를 스레드 덤프와 함께 확인해 주세요."
			case ground.Exception:
				return fmt.Sprintf("예외의 스택 트레이스와 발생 조건을 확인해 주세요. %s", paren(v.get("type")))
			case ground.Cause:
				return fmt.Sprintf("%s 서비스에서 평소와 달라진 부분의 배포, 설정, 자원을 확인해 주세요.", v.get("service"))
			case ground.Comparison:
				return "평소와 달라진 시점의 배포, 데이터량, 트래픽 변화를 확인해 주세요."
			}
			return "시간이 집중된 메서드의 내부 처리를 프로파일링하여 병목을 확인해 주세요."
		},
	},
	English: {
		noTransaction: "No transaction profile was collected for the window of the alarm.",
		noCause:       "Cause unknown: the evidence shows no step in which the time was spent, and nothing that is not as usual.",
		normal:        "Within the usual: what this service and those below it did is not different from other times.",
		watch:         "Check the resources of the database and the instances together with recent deployments and traffic.",
		titled:        func(title string) string { return join("An alarm fired:", title) },
		alarm:         englishAlarm,
		worst: func(v values) string {
			text := fmt.Sprintf("The slowest request took %s", or(v.ms("elapsed"), "an unknown time"))
			if sql := v.ms("sql_time"); sql != "" {
				text += fmt.Sprintf(", of which %s in SQL", sql)
			}
			return text + "."
		},
		transaction: func(v values) []string {
			return transactionLines(v, "Operation", "Instance", "Total time: %s", "SQL time: %s", "SQL statements: %s", "fetched rows: %s", "external calls: %s")
		},
		statement: func(v values) string {
			what := join("SQL statement", paren(joinNonEmpty(", ", v.statement(), v.get("operation"), prefix("tables: ", v.tables()), prefix("rows fetched: ", v.get("rows")))))
			if v.repeated() {
				return fmt.Sprintf("%sthe same %s ran %s times in one transaction and took %s altogether.", englishStep(v), what, v.get("calls"), v.ms("total"))
			}
			return fmt.Sprintf("%sthe %s took %s%s.", englishStep(v), what, v.ms("elapsed"), englishShare(v))
		},
		call: func(v values) string {
			what := join("external call", paren(joinNonEmpty(" ", v.get("method"), v.get("system"), v.get("operation"), address(v))))
			if v.repeated() {
				return fmt.Sprintf("%sthe same %s was made %s times in one transaction and took %s altogether.", englishStep(v), what, v.get("calls"), v.ms("total"))
			}
			return fmt.Sprintf("%sthe %s took %s%s.", englishStep(v), what, v.ms("elapsed"), englishShare(v))
		},
		wait: func(v values) string {
			what := "time without any recorded work"
			if v.get("what") == "connection" {
				what = "waiting for a database connection"
			}
			return fmt.Sprintf("%s%s took %s%s.", englishStep(v), what, v.ms("elapsed"), englishShare(v))
		},
		exception: func(v values) string {
			if v.get("type") == "" {
				return ""
			}
			return fmt.Sprintf("%san exception was thrown: %s", englishStep(v), joinNonEmpty(": ", v.get("type"), v.get("message")))
		},
		cause: englishCause,
		step: func(v values) string {
			return fmt.Sprintf("%s%s took %s%s.", englishStep(v), or(v.get("name"), "a method"), v.ms("elapsed"), englishShare(v))
		},
		comparison: func(v values) string {
			if v.get("metric") != "elapsed" || v.ms("usual") == "" || v.ms("now") == "" {
				return ""
			}
			text := join("The same transaction usually takes "+v.ms("usual"), paren(suffix(v.get("when"), " earlier"))) + "; now it took " + v.ms("now")
			return text + prefix(", ", suffix(v.get("ratio"), " times as long")) + "."
		},
		action: func(v values) string {
			target := paren(prefix("tables: ", v.tables()))
			switch v.Kind {
			case ground.Statement:
				switch {
				case v.repeated():
					return join("Consider replacing the repeated SQL statement by one batch query or a cache.", target)
				case writes(v):
					return join(fmt.Sprintf("Check the %s for lock waits and its conditions for an index.", v.get("operation")), target)
				}
				return join("Check the execution plan (EXPLAIN) of the statement for index use and join order.", target)
			case ground.Call:
				return join("Ask the owner of the external API about the delay and check the timeout and retry settings.", paren(prefix("address: ", address(v))))
			case ground.Wait:
				if v.get("what") == "connection" {
					return "Check the size of the connection pool, connections not given back and statements that hold one for long."
				}
				return "Check for garbage collection, blocked threads and locks in the unrecorded time, with a thread dump."
			case ground.Exception:
				return join("Check the stack trace of the exception and when it occurs.", paren(v.get("type")))
			case ground.Cause:
				return fmt.Sprintf("Check the deployments, settings and resources behind what has changed in service %s.", v.get("service"))
			case ground.Comparison:
				return "Check what changed since it was usual: deployments, amount of data, traffic."
			}
			return "Profile the method in which the time was spent."
		},
	},
}

func koreanAlarm(v values) string {
	if v.ID == "" {
		return ""
	}
	text := "이번 알람은 MATRIX-APM에서 발생하였으며"
	if service := v.get("service"); service != "" {
		text += ", " + service + paren(v.get("phase")) + "에서"
	}
	condition := v.get("condition")
	switch threshold := v.ms("threshold"); {
	case threshold != "" && (condition == "" || strings.HasPrefix(condition, "SQL Response time")):
		text += " SQL 응답시간이 " + threshold + " 이상인 경우가"
	case condition != "":
		text += " 조건(" + condition + ")에 해당하는 경우가"
	}
	return text + " " + or(suffix(v.get("count"), "회"), "조건만큼") + " 감지되었습니다."
}

func englishAlarm(v values) string {
	if v.ID == "" {
		return ""
	}
	text := "This alarm came from MATRIX-APM:"
	condition := v.get("condition")
	switch threshold := v.ms("threshold"); {
	case threshold != "" && (condition == "" || strings.HasPrefix(condition, "SQL Response time")):
		text += " SQL response times of " + threshold + " or more"
	case condition != "":
		text += " its condition (" + condition + ")"
	default:
		text += " its condition"
	}
	text += " occurred " + or(suffix(v.get("count"), " times"), "as often as the rule says")
	if service := v.get("service"); service != "" {
		text += " in " + join(service, paren(v.get("phase")))
	}
	return text + "."
}

// koreanCause says how a service that may be why deviates from what is usual.
func koreanCause(v values) string {
	service, what := v.get("service"), v.get("operation")
	switch v.get("change") {
	case "slower":
		return fmt.Sprintf("%s 서비스의 %s 자체 처리 시간이 평소 %s에서 %s로 늘었습니다.", service, what, v.ms("usual"), v.ms("now"))
	case "apart":
		return fmt.Sprintf("%s 서비스의 %s 호출에서 호출한 쪽과 받은 쪽 사이의 시간이 평소 %s에서 %s로 늘었습니다.", service, what, v.ms("usual"), v.ms("now"))
	case "saturated":
		return fmt.Sprintf("%s 서비스가 %s 자원을 %s%% 사용하고 있습니다(평소 %s%%).", service, what, v.get("now"), v.get("usual"))
	case "step_more", "step_less":
		return fmt.Sprintf("%s 서비스의 %s에서 ‘%s’ 단계가 트랜잭션의 %s%%에서 수행되었습니다(평소 %s%%).", service, what, v.get("did"), v.get("now"), v.get("usual"))
	}
	return ""
}

// englishCause is koreanCause in English.
func englishCause(v values) string {
	service, what := v.get("service"), v.get("operation")
	switch v.get("change") {
	case "slower":
		return fmt.Sprintf("%s of service %s took %s itself, usually %s.", what, service, v.ms("now"), v.ms("usual"))
	case "apart":
		return fmt.Sprintf("between the callers of %s and service %s itself went %s, usually %s.", what, service, v.ms("now"), v.ms("usual"))
	case "saturated":
		return fmt.Sprintf("service %s uses %s%% of its resource %s, usually %s%%.", service, v.get("now"), what, v.get("usual"))
	case "step_more", "step_less":
		return fmt.Sprintf("%s of service %s did “%s” in %s%% of transactions, usually in %s%%.", what, service, v.get("did"), v.get("now"), v.get("usual"))
	}
	return ""
}

// transactionLines writes the lines of one transaction as the seed's report does.
func transactionLines(v values, operation, instance, elapsed, sqlTime, sqlCount, rows, calls string) []string {
	var lines []string
	endpoint, link := v.get("endpoint"), v.get("url")
	method, path, ok := strings.Cut(endpoint, " ")
	switch {
	case ok && strings.HasPrefix(path, "/"):
		lines = append(lines, "URL: "+path+"<"+method+">")
	case link != "" && v.get("method") != "": // a program that names no routes
		lines = append(lines, "URL: "+link+"<"+v.get("method")+">")
	case endpoint != "":
		lines = append(lines, operation+": "+endpoint)
	}
	if name := v.get("instance"); name != "" {
		lines = append(lines, instance+": "+name)
	}
	fill := func(format, value string) string {
		if value == "" {
			return ""
		}
		return fmt.Sprintf(format, value)
	}
	times := joinNonEmpty(", ", fill(elapsed, v.ms("elapsed")), fill(sqlTime, v.ms("sql_time")),
		fill(sqlCount, v.get("sql_count")), fill(rows, v.get("rows")), fill(calls, v.ms("call_time")))
	if times != "" {
		lines = append(lines, times)
	}
	return lines
}

func koreanStep(v values) string {
	if v.Step == 0 {
		return ""
	}
	return fmt.Sprintf("인덱스 %d의 ", v.Step)
}

func koreanShare(v values) string {
	if share := v.get("share"); share != "" {
		return "전체 응답시간의 " + share + "%를 차지하고 있습니다."
	}
	return "전체 응답시간에 영향을 주고 있습니다."
}

func englishStep(v values) string {
	if v.Step == 0 {
		return ""
	}
	return fmt.Sprintf("At step %d, ", v.Step)
}

func englishShare(v values) string { return prefix(", ", suffix(v.get("share"), "% of the whole")) }

func address(v values) string {
	for _, name := range []string{"url", "address", "rpc", "path"} {
		if text := v.get(name); text != "" {
			return text
		}
	}
	return ""
}

func writes(v values) bool {
	switch strings.ToUpper(v.Get("operation")) {
	case "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE":
		return true
	}
	return false
}

func paren(text string) string {
	if text == "" {
		return ""
	}
	return "(" + text + ")"
}

func prefix(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}

func suffix(text, after string) string {
	if text == "" {
		return ""
	}
	return text + after
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func join(parts ...string) string { return joinNonEmpty(" ", parts...) }

func joinNonEmpty(separator string, parts ...string) string {
	kept := parts[:0:0]
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, separator)
}
