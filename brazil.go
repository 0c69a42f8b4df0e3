package ryze

import "strings"

// brazilAreas are the area codes in use in Brazil.
const brazilAreas = " 11 12 13 14 15 16 17 18 19 21 22 24 27 28 31 32 33 34 35 37 38" +
	" 41 42 43 44 45 46 47 48 49 51 53 54 55 61 62 63 64 65 66 67 68 69" +
	" 71 73 74 75 77 79 81 82 83 84 85 86 87 88 89 91 92 93 94 95 96 97 98 99 "

// BrazilAliases returns the addresses that mean the same person as j: j itself,
// in the form of [JID.Bare], and for a Brazilian mobile number its other form
// after it.
//
// Brazil put a ninth digit, a 9, before its mobile numbers of eight digits.
// WhatsApp knows many people by the old form, so one person can appear as
// 5511987654321 in one place and as 551187654321 in another. Compare both forms
// when looking for a person; answer to the form that arrived.
//
// Only numbers with country code 55, an area code in use and eight digits that
// begin with 6 to 9 (the nine before them not counted) are mobile numbers.
// Landlines, foreign numbers, LIDs and groups have no other form.
func BrazilAliases(j JID) []JID {
	bare := j.Bare()
	phone := bare.Phone()
	other := otherBrazilForm(phone)
	if other == "" {
		return []JID{bare}
	}
	return []JID{bare, JID(other + "@" + ServerUser)}
}

// otherBrazilForm adds the ninth digit or takes it off, and returns "" when the
// number is not a Brazilian mobile number.
func otherBrazilForm(phone string) string {
	if len(phone) < 12 || len(phone) > 13 || phone[:2] != "55" || !strings.Contains(brazilAreas, " "+phone[2:4]+" ") {
		return ""
	}
	area, number := phone[:4], phone[4:]
	if len(number) == 9 {
		if number[0] != '9' {
			return ""
		}
		number = number[1:]
	}
	if number[0] < '6' {
		return ""
	}
	if len(phone) == 13 {
		return area + number
	}
	return area + "9" + number
}
