package mask

import (
	"strings"
	"testing"
)

func TestEveryRuleOfGitleaksCompilesAndHasKeywords(t *testing.T) {
	rules := loadRules()
	if len(rules.rules) < 200 {
		t.Errorf("%d rules", len(rules.rules))
	}
	for i := range rules.rules {
		r := &rules.rules[i]
		if len(r.Keywords) == 0 || r.re().NumSubexp() < r.Group {
			t.Errorf("rule %s: keywords %q, group %d", r.ID, r.Keywords, r.Group)
		}
		for _, word := range r.Keywords {
			if word != strings.ToLower(word) || len(word) < 3 {
				t.Errorf("rule %s: keyword %q", r.ID, word)
			}
		}
	}
	if !strings.Contains(string(gitleaksJSON), `"licence": "MIT, Copyright (c) 2019 Zachary Rice`) && !strings.Contains(string(gitleaksJSON), "MIT License") {
		t.Error("the licence of the rules is not named")
	}
}

func TestTheAutomatonFindsEveryKeywordAlsoInsideOfOthers(t *testing.T) {
	words := []string{"show", "how", "howers", "his", "wers"}
	a := newAutomaton(words)
	var got []string
	a.find("usSHOWers is, his", func(k, end int) { got = append(got, words[k]) })
	if strings.Join(got, " ") != "show how howers wers his" {
		t.Errorf("got %q", got)
	}
}

func TestChecksOfNumbers(t *testing.T) {
	f := func(ok bool, what, number string) {
		t.Helper()
		if !ok {
			t.Errorf("%s: %s", what, number)
		}
	}
	f(luhn("4111111111111111"), "a card", "4111111111111111")
	f(!luhn("4111111111111112"), "no card", "4111111111111112")
	f(business("1208147521"), "a company", "1208147521")
	f(!business("1208147522"), "no company", "1208147522")
	f(resident("9001011234567"), "a person", "9001011234567")
	f(!resident("9013011234567"), "no month", "9013011234567")
	f(!resident("9001321234567"), "no day", "9001321234567")
	f(podName("prod-test-api-pod-6945c568-2ghw8") && podName("kafka-0") && podName("node-exporter-x7k2p"), "pods", "")
	f(!podName("ap-northeast-2") && !podName("iso-8859-1") && !podName("pool-2-thread-1") && !podName("utf-8") && !podName("part-of-speech-1"), "no pods", "")
}
