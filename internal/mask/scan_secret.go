package mask

import "strings"

// scheme claims the credentials behind Bearer and Basic.
func (sc *scanner) scheme(w word, verb string) int {
	text := sc.text
	start := w.end
	for start < len(text) && (text[start] == ' ' || text[start] == ':' || text[start] == '=') && start < w.end+3 {
		start++
	}
	end := start
	for end < len(text) && (wordByte(text[end]) || strings.IndexByte("._~+/=-", text[end]) >= 0) {
		end++
	}
	for end > start && (text[end-1] == '.' || text[end-1] == '-') {
		end--
	}
	value := text[start:end]
	if start == w.end || len(value) < 8 || plainWord(value) || verb == "basic" && len(value) < 10 && !strings.HasSuffix(value, "=") {
		return 0
	}
	sc.claim(start, end, Secret, true)
	return end
}

// secretAfter claims a secret that stands behind its name and a space: of a token
// or a key it takes a long one only, since they are spoken of, too.
func (sc *scanner) secretAfter(w word, name string) int {
	text := sc.text
	if w.end+1 >= len(text) || text[w.end] != ' ' {
		return 0
	}
	start, end := inQuotes(text, w.end+1)
	if end <= start {
		start = w.end + 1
		end = start
		for end < len(text) && text[end] > ' ' && text[end] < 0x80 && strings.IndexByte("\"'`,;()<>{}|\\:=", text[end]) < 0 {
			end++
		}
		for end > start && (text[end-1] == '.' || text[end-1] == ']') {
			end--
		}
	}
	least := 6
	if name == "token" || name == "secret" {
		least = 20
	}
	if flag := w.start > 0 && text[w.start-1] == '-'; flag && end > start && text[start] != '-' && !variable(text[start:end]) { // --password x
		sc.claim(start, end, Secret, end-start >= 6)
		return end
	}
	if v := text[start:end]; len(v) < least || plainWord(v) || variable(v) || !looksSecret(v, false) || strings.Trim(v, "0123456789.") == "" {
		return 0
	}
	sc.claim(start, end, Secret, true)
	return end
}

// high looks at a run of characters beyond ASCII: words of Korean that announce a number.
func (sc *scanner) high(i int) int {
	text := sc.text
	for i < len(text) && text[i] >= 0x80 {
		if text[i] >= 0xEA && text[i] <= 0xED && i+6 <= len(text) {
			switch text[i : i+6] {
			case "계좌", "입금", "송금", "이체", "은행", "농협", "수협", "뱅크":
				sc.account = i + accountReach
			case "사업":
				sc.business = i + accountReach
			case "카드":
				sc.card = i + accountReach
			case "비밀", "비번", "암호", "패스", "토큰", "인증":
				certain := text[i:i+6] != "토큰" && text[i:i+6] != "인증"
				if n := sc.koreanSecret(i, certain); n > 0 {
					return n
				}
			}
		}
		i++
	}
	return i
}

// koreanSecret claims what stands behind 비밀번호, 비번, 암호, 토큰 or 인증키 and a sign.
func (sc *scanner) koreanSecret(i int, certain bool) int {
	text := sc.text
	for i < len(text) && text[i] >= 0x80 {
		i++
	}
	at := i
	for i < len(text) && (text[i] == ' ' || text[i] == ':' || text[i] == '=') && i-at < 4 {
		i++
	}
	if i == at || !strings.ContainsAny(text[at:i], ":=") {
		return 0
	}
	return sc.secretValue(i, certain)
}
