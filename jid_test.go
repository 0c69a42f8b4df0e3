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
		"5511987654321:12", "5511987654321@c.us", "other@broadcast", "5511987654321@s.whatsapp.net\n", "55119\x00876@lid",
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

func TestPhoneJIDReadsUsualWritings(t *testing.T) {
	j, err := PhoneJID("+55 (11) 98765-4321")
	require.NoError(t, err)
	assert.Equal(t, JID("5511987654321@s.whatsapp.net"), j)
	for _, bad := range []string{"", "+", "123", "1234567890123456", "CALL-ME-NOW", "55119876\x0054321"} {
		_, err := PhoneJID(bad)
		assert.ErrorIs(t, err, ErrInvalidArgument, "%q", bad)
	}
}

func TestSameIgnoresDeviceAndServerOfPhones(t *testing.T) {
	assert.True(t, JID("5511987654321").Same("5511987654321:3@s.whatsapp.net"))
	assert.False(t, JID("5511987654321").Same("5511987654321@lid"), "a LID is not a phone")
	assert.False(t, JID("").Same(""))
}

func FuzzJID(f *testing.F) {
	for _, s := range []string{"5511987654321", "1@lid", "1:2@s.whatsapp.net", "1-2@g.us", "status@broadcast", "@", ":", "a@b@c"} {
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
