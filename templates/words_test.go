// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/text/feature/plural"
)

var (
	anyPlaceholder = regexp.MustCompile(`\{[^}]*\}`)
	anyForm        = regexp.MustCompile(`\.(zero|one|two|few|many|other)$`)
)

// TestEveryLanguageSaysEverything: each has the texts of English, the plural
// forms that it needs itself, and the same placeholders.
func TestEveryLanguageSaysEverything(t *testing.T) {
	for _, w := range languages {
		t.Run(w.lang(), func(t *testing.T) {
			forms := formsOf(w)
			want := make(map[string]string) // key: its English text
			for key, text := range english.texts {
				base := anyForm.ReplaceAllString(key, "")
				if base == key {
					want[key] = text
					continue
				}
				for form := range forms {
					want[base+"."+form] = english.texts[base+".other"]
				}
			}
			for key, text := range want {
				w.checkText(t, key, text, forms)
			}
			for key := range w.texts {
				if _, wanted := want[key]; !wanted {
					t.Errorf("%s is not needed", key)
				}
			}
		})
	}
}

// formsOf are the plural forms of a language, each with the number that it is
// for if there is only one.
func formsOf(w *words) map[string]int {
	forms := make(map[string]int)
	for n := 1; n <= 1000; n++ {
		form := pluralForms[plural.Cardinal.MatchPlural(w.tag, n, 0, 0, 0, 0)]
		if _, known := forms[form]; known {
			forms[form] = 0
		} else {
			forms[form] = n
		}
	}
	return forms
}

func (w *words) checkText(t *testing.T, key, original string, forms map[string]int) {
	t.Helper()
	text := w.texts[key]
	if text == "" || text != strings.TrimSpace(text) {
		t.Errorf("%s says %q", key, text)
		return
	}
	got, want := anyPlaceholder.FindAllString(text, -1), anyPlaceholder.FindAllString(original, -1)
	if _, form, ok := strings.Cut(key, "."); ok && len(got) == 0 && forms[form] > 0 {
		return // "a minute" needs no number
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%s has the placeholders %v, not %v", key, got, want)
	}
	if strings.ContainsFunc(text, unicode.IsControl) || strings.ContainsAny(text, "<>&") {
		t.Errorf("%s has something in it that is no text: %q", key, text)
	}
}

func TestLanguageOfVisitor(t *testing.T) {
	for accepted, want := range map[string]string{
		"":                                    "en",
		"*":                                   "en",
		"de":                                  "de",
		"de-CH,de;q=0.9,en;q=0.8":             "de",
		"en-GB,en;q=0.9,de;q=0.8":             "en",
		"fr;q=0.2, es;q=0.9":                  "es",
		"tlh,pt-BR;q=0.7":                     "pt",
		"pt-PT":                               "pt",
		"zh-CN":                               "zh-Hans",
		"zh":                                  "zh-Hans",
		"zh-SG":                               "zh-Hans",
		"zh-TW,zh;q=0.9":                      "zh-Hant",
		"zh-HK":                               "zh-Hant",
		"ar-EG":                               "ar",
		"iw":                                  "he",
		"uk-UA,uk;q=0.9,ru;q=0.8":             "uk",
		"tlh":                                 "en",
		"sv-SE":                               "en",
		"de;q=0, fr":                          "fr",
		"not a language at all, <script>":     "en",
		strings.Repeat("x", 5000):             "en",
		"ja," + strings.Repeat("x-y,", 1<<16): "ja",
	} {
		t.Run(accepted[:min(len(accepted), 40)], func(t *testing.T) {
			if got := wordsFor(accepted).lang(); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}

func TestDirections(t *testing.T) {
	var toTheLeft []string
	for _, w := range languages {
		if w.dir() == "rtl" {
			toTheLeft = append(toTheLeft, w.lang())
		}
	}
	if !slices.Equal(toTheLeft, []string{"ar", "he"}) {
		t.Errorf("written to the left are %v", toTheLeft)
	}
	if len(languages) < 19 {
		t.Errorf("only %d languages", len(languages))
	}
}

func TestPlurals(t *testing.T) {
	tests := []struct {
		accepted string
		wait     time.Duration
		want     string
	}{
		{"en", time.Minute, "Try again in about a minute."},
		{"pl", 3 * time.Minute, "Spróbuj ponownie za około 3 minuty."},
		{"pl", 5 * time.Minute, "Spróbuj ponownie za około 5 minut."},
		{"ru", 21 * time.Second, "Повторите попытку через 21 секунду."},
		{"ar", 2 * time.Minute, "حاول مرة أخرى بعد دقيقتين تقريبًا."},
		{"ja", 2 * time.Minute, "約 2 分後にもう一度お試しください。"},
	}
	for _, test := range tests {
		t.Run(test.want, func(t *testing.T) {
			if got := wordsFor(test.accepted).wait(test.wait); got != test.want {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestRemembering(t *testing.T) {
	const day = 24 * time.Hour
	for d, want := range map[time.Duration]string{
		0:                 "",
		time.Second:       "Stay signed in for 1 hour",
		12 * time.Hour:    "Stay signed in for 12 hours",
		day:               "Stay signed in for 1 day",
		5 * day / 2:       "Stay signed in for 60 hours",
		30 * day:          "Stay signed in for 30 days",
		30*day + day/10:   "Stay signed in for 30 days",
		400 * 24 * 3.6e12: "Stay signed in for 400 days",
	} {
		if got := english.remember(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

// TestEnglishStays: the words that people and programs know.
func TestEnglishStays(t *testing.T) {
	if got := english.message(Page{Message: "bad_credentials"}); got != "Invalid username or password!" {
		t.Errorf("a wrong password: %q", got)
	}
	if got := english.message(Page{Message: "No key."}); got != "No key." {
		t.Errorf("a message of its own: %q", got)
	}
	if keys := slices.Sorted(maps.Keys(english.texts)); len(keys) < 70 {
		t.Errorf("only %d texts", len(keys))
	}
}

func FuzzWordsFor(f *testing.F) {
	f.Add("de-CH,de;q=0.9,en;q=0.8")
	f.Add("en-x-a,,;;q=1,*")
	f.Fuzz(func(t *testing.T, accepted string) {
		if w := wordsFor(accepted); w == nil {
			t.Error("no words")
		}
	})
}

func BenchmarkWordsFor(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		wordsFor("de-CH,de;q=0.9,en;q=0.8")
	}
}
