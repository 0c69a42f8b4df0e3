package ryze

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestJIDKinds(t *testing.T) {
	for _, c := range []struct {
		jid   JID
		kind  JIDKind
		bare  JID
		phone string
		wire  string
	}{
		{"5511987654321", JIDUser, "5511987654321@s.whatsapp.net", "5511987654321", "5511987654321"},
		{"5511987654321@s.whatsapp.net", JIDUser, "5511987654321@s.whatsapp.net", "5511987654321", "5511987654321"},
		{"5511987654321:12@s.whatsapp.net", JIDUser, "5511987654321@s.whatsapp.net", "5511987654321", "5511987654321"},
		{"123456789012345@lid", JIDLID, "123456789012345@lid", "", "123456789012345@lid"},
		{"123456789012345:57@lid", JIDLID, "123456789012345@lid", "", "123456789012345@lid"},
		{"120363000000000001@g.us", JIDGroup, "120363000000000001@g.us", "", "120363000000000001@g.us"},
		{"5511987654321-1600000000@g.us", JIDGroup, "5511987654321-1600000000@g.us", "", "5511987654321-1600000000@g.us"},
		{"120363000000000009@newsletter", JIDNewsletter, "120363000000000009@newsletter", "", "120363000000000009@newsletter"},
		{StatusBroadcast, JIDBroadcast, "status@broadcast", "", "status@broadcast"},
		{"123456789012345", JIDUnknown, "123456789012345", "", "123456789012345"},
		{"62895325678901", JIDUser, "62895325678901@s.whatsapp.net", "62895325678901", "62895325678901"},
		{"5511987654321@c.us", JIDUser, "5511987654321@s.whatsapp.net", "5511987654321", "5511987654321"},
		{"5511987654321:3@S.WhatsApp.Net", JIDUser, "5511987654321@s.whatsapp.net", "5511987654321", "5511987654321"},
		{"120363000000000001@G.US", JIDGroup, "120363000000000001@g.us", "", "120363000000000001@g.us"},
		{"123456789012345@LID", JIDLID, "123456789012345@lid", "", "123456789012345@lid"},
		{"x@bot", JIDUnknown, "x@bot", "", "x@bot"},
		{"", JIDUnknown, "", "", ""},
	} {
		t.Run(string(c.jid), func(t *testing.T) {
			assert.Equal(t, c.kind, c.jid.Kind())
			assert.Equal(t, c.bare, c.jid.Bare())
			assert.Equal(t, c.phone, c.jid.Phone())
			assert.Equal(t, c.wire, c.jid.wire())
		})
	}
}

func TestBadJIDsAreRefused(t *testing.T) {
	for _, bad := range []JID{
		"", " ", "abc", "+5511987654321", "55 11", "1234", "1234567890123456@s.whatsapp.net",
		"123456789012345", // a LID that lost its server
		"5511987654321@", "@g.us", "a@g.us", "1-@g.us", "-1@g.us", "x@lid", "1@1@lid", "5511987654321:x@lid",
		"5511987654321:12", "5511987654321:@s.whatsapp.net", "other@broadcast",
		"123456", "12345@s.whatsapp.net", "11987654321", "11987654321@s.whatsapp.net", "011987654321", "011987654321@s.whatsapp.net", "005511987654321", "55011987654321", "55119876543210",
		"٥٥١١٩٨٧٦٥٤٣٢١", "５５１１９８７６５４３２１", "5511987654321@LİD", "1133334444@s.whatsapp.net", "4407700900123", "5511987654321,5511912345678", "0@s.whatsapp.net", "5511987654321@s.whatsapp.net\n", "55119\x00876@lid",
	} {
		_, err := ParseJID(string(bad))
		var v *ValidationError
		require.ErrorAs(t, err, &v, "%q", string(bad))
		assert.ErrorIs(t, err, ErrInvalidArgument)
		assert.Equal(t, "jid", v.Field)
	}
}

func TestLIDIsRefusedWhereAPhoneIsNeeded(t *testing.T) {
	err := JID("123456789012345@lid").check("number", phones)
	var v *ValidationError
	require.ErrorAs(t, err, &v)
	assert.Contains(t, v.Reason, "not a phone number")
	assert.NoError(t, JID("123456789012345@lid").check("number", people))
}

func TestPhonesOfEveryLengthAreAccepted(t *testing.T) {
	for _, phone := range []JID{"6834000", "29052345", "62895325678901", "628953256789012", "491521234567890", "5511987654321", "551133334444", "39061234567", "2250701020304"} {
		for _, form := range []JID{phone, phone + "@s.whatsapp.net"} {
			require.NoError(t, form.check("to", anyChat), string(form))
			assert.Equal(t, string(phone), form.wire())
		}
	}
}

func TestPhoneJIDReadsUsualWritings(t *testing.T) {
	for in, want := range map[string]JID{
		"+55 (11) 98765-4321":                   "5511987654321",
		"0055 11 98765-4321":                    "5511987654321",
		"(+55) 11.98765.4321":                   "5511987654321",
		"5511987654321":                         "5511987654321",
		"\u202a+55 11 98765\u20114321\u202c":    "5511987654321", // as copied from an address book
		"+55\u00a011 98765\u20134321":           "5511987654321",
		"+62 895-3256-78901":                    "62895325678901",
		"+44 7700 900123":                       "447700900123",
		"00 44 7700 900123":                     "447700900123",
		"+49 89/1234567":                        "49891234567",
		"+39 06 1234 5678":                      "390612345678", // the 0 belongs to the number in Italy
		"+683 4000":                             "6834000",
		"+225 07 01 02 03 04":                   "2250701020304", // so it does in Ivory Coast
		"+51 987 654 321":                       "51987654321",   // Peru, and not the area 51
		"+66 98 765 4321":                       "66987654321",
		"+229 01 97 12 34 56":                   "2290197123456",
		"+55 [11] 98765\u201443\u221221":        "5511987654321",
		"\ufeff+55\u200b11\u200987654321\u00ad": "551187654321", // as copied from a web page
	} {
		got, err := PhoneJID(in)
		require.NoError(t, err, in)
		assert.Equal(t, want+"@s.whatsapp.net", got, in)
	}
}

func TestBadPhonesAreRefusedWithAdvice(t *testing.T) {
	for in, advice := range map[string]string{
		"":                        "7 to 15",
		"+":                       "7 to 15",
		"123456":                  "7 to 15",
		"1234567890123456":        "7 to 15",
		"+44 (0)7700 900123":      "without brackets",
		"+44 (07700) 900123":      "without brackets",
		"0044 (0) 7700 900123":    "without brackets",
		"+55 (011) 98765-4321":    "without brackets",
		"+55 011 98765-4321":      "leave it out",
		"+44 07700 900123":        "leave it out",
		"0049 0151 23456789":      "leave it out",
		"+212 06 12 34 56 78":     "leave it out",
		"+44 [0]7700 900123":      "without brackets",
		"(11) 3333-4444":          "write 55 in front",
		"(19) 8765-4321":          "write 55 in front",
		"11 98765-4321":           "write 55 in front",
		"(21) 98765-4321":         "write 55 in front",
		"85 9 8765 4321":          "write 55 in front",
		"+57 0321 1234567":        "leave it out",
		"+359 048 123 456":        "leave it out",
		"+370 0612 34567":         "leave it out",
		"011 98765-4321":          "country code",
		"(011) 98765-4321":        "country code",
		"07700 900123":            "country code",
		"000 55 11 98765-4321":    "country code",
		"+0 55 11 98765-4321":     "country code",
		"+00 55 11 98765-4321":    "one of them",
		"++55 11 98765-4321":      "one number",
		"+5511987 +5511988":       "one number",
		"1234567/7654321":         "one number",
		"12/34/567890":            "one number",
		"5511987654321.0":         "spreadsheet",
		"5.511987654321E12":       `'E'`,
		"CALL-ME-NOW":             `'C'`,
		"5511987654321 ext 3":     `'e'`,
		"5511987654321,551191234": `','`,
		"5511987654321;551191234": `';'`,
		"55119876543\n551191234":  `'\n'`,
		"55119876\x0054321":       `'\x00'`,
		"٥٥١١٩٨٧٦٥٤٣٢١":           `'٥'`,
		"＋5511987654321":          `'＋'`,
		"55119876\xff54321":       `'�'`,
		"5511987654321@c.us":      `'@'`,
		"123456789012345":         "LID",
	} {
		_, err := PhoneJID(in)
		requireInvalid(t, err, "phone")
		assert.Contains(t, err.Error(), advice, in)
	}
}

func TestSameIgnoresDeviceAndServerOfPhones(t *testing.T) {
	assert.True(t, JID("5511987654321").Same("5511987654321:3@s.whatsapp.net"))
	assert.True(t, JID("5511987654321").Same("5511987654321@C.us"))
	assert.False(t, JID("5511987654321").Same("5511987654321@lid"), "a LID is not a phone")
	assert.False(t, JID("").Same(""))
}

func FuzzJID(f *testing.F) {
	for _, s := range []string{"5511987654321", "1@lid", "1:2@s.whatsapp.net", "1-2@g.us", "status@broadcast", "@", ":", "a@b@c", "1@C.US", "62895325678901", "0@s.whatsapp.net"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		j := JID(s)
		if j.Bare().Bare() != j.Bare() {
			t.Fatalf("Bare is not stable: %q, %q", j.Bare(), j.Bare().Bare())
		}
		if j.IsLID() && j.Phone() != "" {
			t.Fatalf("a LID has a phone: %q", s)
		}
		if parsed, err := ParseJID(s); err == nil && parsed.wire() == "" {
			t.Fatalf("valid but nothing to send: %q", s)
		}
	})
}
