package ryze

import (
	"testing"

	"github.com/stretchr/testify/assert"
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
