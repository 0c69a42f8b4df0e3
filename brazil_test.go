package ryze

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBrazilianMobilesHaveTwoForms(t *testing.T) {
	for in, other := range map[JID]JID{
		"5511987654321":                   "551187654321@s.whatsapp.net",
		"551187654321":                    "5511987654321@s.whatsapp.net",
		"5511987654321:12@s.whatsapp.net": "551187654321@s.whatsapp.net",
		"559961234567@s.whatsapp.net":     "5599961234567@s.whatsapp.net",
		"5599961234567":                   "559961234567@s.whatsapp.net",
	} {
		assert.Equal(t, []JID{in.Bare(), other}, BrazilAliases(in))
		assert.Equal(t, []JID{other, in.Bare()}, BrazilAliases(other), "in both directions")
	}
}

func TestNothingElseHasTwoForms(t *testing.T) {
	for name, in := range map[string]JID{
		"landline":                     "551133334444",
		"landline with a nine":         "5511933334444",
		"nine digits without the nine": "5511887654321",
		"area code not in use":         "5520987654321",
		"area code not in use, old":    "551087654321",
		"foreign, 13 digits":           "4911987654321",
		"foreign, 12 digits":           "541187654321",
		"too short":                    "55118765432",
		"too long":                     "55119876543210",
		"LID":                          "5511987654321@lid",
		"group":                        "5511987654321@g.us",
		"old group":                    "5511987654321-1600000000@g.us",
		"status":                       "status@broadcast",
		"empty":                        "",
		"text":                         "someone",
	} {
		assert.Equal(t, []JID{in.Bare()}, BrazilAliases(in), name)
	}
}

func TestBrazilPhoneReadsWhatPeopleWrite(t *testing.T) {
	for in, want := range map[string]JID{
		"(11) 98765-4321":        "5511987654321",
		"11 98765 4321":          "5511987654321",
		"11987654321":            "5511987654321",
		"(011) 98765-4321":       "5511987654321",
		"0 11 98765-4321":        "5511987654321",
		"0xx11 98765-4321":       "5511987654321",
		"(0XX11) 98765-4321":     "5511987654321",
		"0 xx 11 98765-4321":     "5511987654321",
		"(xx11) 98765-4321":      "5511987654321",
		"(0**11) 98765-4321":     "5511987654321",
		"0 xx (11) 3333-4444":    "551133334444",
		"[11] 98765\u20144321":   "5511987654321",
		"0 15 11 98765-4321":     "5511987654321",
		"021 11 98765-4321":      "5511987654321",
		"+55 11 98765-4321":      "5511987654321",
		"+55 (11) 98765-4321":    "5511987654321",
		"55 11 98765-4321":       "5511987654321",
		"0055 11 98765-4321":     "5511987654321",
		"+55 (0)11 98765-4321":   "5511987654321",
		"+55 (0xx11) 98765-4321": "5511987654321",
		"+55 0 41 11 98765-4321": "5511987654321",
		"(11) 8765-4321":         "551187654321", // the old form stays as it is
		"+55 11 8765-4321":       "551187654321",
		"(11) 3333-4444":         "551133334444", // landline
		"0 11 3333-4444":         "551133334444",
		"0 15 11 3333-4444":      "551133334444",
		"551133334444":           "551133334444",
		"(55) 98765-4321":        "5555987654321", // 55 is an area code too
		"(55) 3333-4444":         "555533334444",
		"0 55 98765-4321":        "5555987654321",
		"+55 55 98765-4321":      "5555987654321",
		"(85) 9 8765-4321":       "5585987654321",
		"1 1 9 8 7 6 5 4 3 2 1":  "5511987654321", // a form with a box for each digit
		"\t(11) 98765-4321\n":    "5511987654321",
	} {
		got, err := BrazilPhone(in)
		require.NoError(t, err, in)
		assert.Equal(t, want+"@s.whatsapp.net", got, in)
		again, err := BrazilPhone(got.Phone())
		require.NoError(t, err, in)
		assert.Equal(t, got, again, "its own result is read the same way")
	}
}

func TestBrazilPhoneRefusesWhatIsNoBrazilianNumber(t *testing.T) {
	for in, advice := range map[string]string{
		"":                            "area code",
		"98765-4321":                  "no area code",
		"3333-4444":                   "no area code",
		"190":                         "area code",
		"+1 212 555 0100":             "PhoneJID",
		"+351 912 345 678":            "PhoneJID",
		"0044 7700 900123":            "PhoneJID",
		"(20) 98765-4321":             "20",
		"1 98765-4321":                "missing",
		"(1) 98765-4321":              "missing",
		"+55 1 98765-4321":            "missing",
		"0055 (1) 98765-4321":         "missing",
		"0 1 198765-4321":             "missing",
		"(10) 98765-4321":             "10",
		"0800 123 4567":               "80",
		"(11) 88765-4321":             "nine digits",
		"(11) 1234-5678":              "begins with 1",
		"(11) 98765-43210":            "eight or nine",
		"(11) 98765-432a":             "'a'",
		"11 90xx5-4321":               "'x'",
		"0x11 98765-4321":             "'x'",
		"(xx) 98765-4321":             "no area code",
		"11 9**65-4321":               "'*'",
		"(11) 98765-4321 / 3333-4444": "one number",
		"11 98765-4321 e 11 98765":    "'e'",
		"+55 55 11 98765-4321":        "eight or nine",
		"00 11 98765-4321":            "PhoneJID",
		"11987654321@c.us":            "'@'",
		"(११) 98765-4321":             "'१'",
	} {
		_, err := BrazilPhone(in)
		requireInvalid(t, err, "phone")
		assert.Contains(t, err.Error(), advice, in)
	}
}
