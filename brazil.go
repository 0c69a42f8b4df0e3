package ryze

import "strings"

const brazilCode = "55"

// BrazilPhone returns the address of a Brazilian phone number in any usual
// form. It adds the country code when that is missing:
//
//	(11) 98765-4321    0 11 98765-4321    0xx11 98765-4321
//	11987654321        (011) 98765-4321   0 15 11 98765-4321
//	+55 11 98765-4321  55 11 98765-4321   +55 (0)11 98765-4321
//
// The area code is required, then eight digits, or nine that begin with 9. A
// national 0 and the digits of a carrier are dropped. The ninth digit never
// changes; see [BrazilAliases].
//
// Anything else is a [*ValidationError]. For other countries see [PhoneJID].
func BrazilPhone(phone string) (JID, error) {
	fault := func(reason string) (JID, error) { return "", invalid(phoneField, quoted(phone)+" "+reason) }
	w, err := readPhone(withoutCarrierMark(phone))
	if err != nil {
		return "", err
	}
	number, hasCode := w.digits, w.abroad
	if !hasCode && len(number) >= 12 {
		hasCode = strings.HasPrefix(number, brazilCode) // too long for the area code 55
	}
	if hasCode {
		if !strings.HasPrefix(number, brazilCode) {
			return fault("is not a number of Brazil, whose country code is 55; for other countries use PhoneJID")
		}
		number = number[len(brazilCode):]
	}
	if strings.HasPrefix(number, "0") {
		switch len(number) {
		case 11, 12: // 0, area, number
			number = number[1:]
		case 13, 14: // 0, carrier, area, number
			number = number[3:]
		}
	}
	switch n := len(number); {
	case n == 8 || n == 9:
		return fault("has no area code, such as 11")
	case w.isAlone(len(w.digits) - n):
		return fault("has an area code of one digit; a digit is missing")
	case n != 10 && n != 11:
		return fault("is not an area code of two digits and a number of eight or nine")
	case !strings.Contains(brazilAreas, " "+number[:2]+" "):
		return fault("has the area code " + number[:2] + ", which is not in use")
	case n == 11 && number[2] != '9':
		return fault("has nine digits after the area code, which begin with 9 in mobile numbers; landlines have eight")
	case n == 10 && number[2] < '2':
		return fault("has a number that begins with " + number[2:3] + ", which no phone number does")
	}
	return JID(brazilCode + number + "@" + serverUser), nil
}

// withoutCarrierMark drops the letters of 0xx11, which stand for the two digits
// of a carrier, and the stars that some write for them.
func withoutCarrierMark(phone string) string {
	i := strings.IndexAny(phone, "xX*")
	if i < 0 || i+1 == len(phone) || !strings.EqualFold(phone[i:i+1], phone[i+1:i+2]) {
		return phone
	}
	before := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, phone[:i])
	switch before { // with the national 0 or without it
	case "", "0", brazilCode, brazilCode + "0", "00" + brazilCode, "00" + brazilCode + "0":
		return phone[:i] + phone[i+2:]
	}
	return phone // letters in the middle of a number
}

// brazilAreas are the area codes in use in Brazil.
const brazilAreas = " 11 12 13 14 15 16 17 18 19 21 22 24 27 28 31 32 33 34 35 37 38" +
	" 41 42 43 44 45 46 47 48 49 51 53 54 55 61 62 63 64 65 66 67 68 69" +
	" 71 73 74 75 77 79 81 82 83 84 85 86 87 88 89 91 92 93 94 95 96 97 98 99 "

// BrazilAliases returns the addresses that mean the same person as j. The first
// is j in the form of [JID.Bare]. A Brazilian mobile number has a second one,
// with or without its ninth digit.
//
// WhatsApp knows many people by the old form. Look for both. Answer to the form
// that arrived.
//
// A mobile number has an area code in use, and its last eight digits begin with
// 6 to 9.
func BrazilAliases(j JID) []JID {
	bare := j.Bare()
	phone := bare.Phone()
	other := otherBrazilForm(phone)
	if other == "" {
		return []JID{bare}
	}
	return []JID{bare, JID(other + "@" + serverUser)}
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

// samePerson reports whether both name the same chat, the two forms of a
// Brazilian mobile number taken for one.
func samePerson(a, b JID) bool {
	for _, alias := range BrazilAliases(b) {
		if a.Same(alias) {
			return true
		}
	}
	return false
}
