package ryzetest

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAViolationSaysWhatToWriteInstead(t *testing.T) {
	text, media, list := "POST /api/message/text/:instance", "POST /api/message/media/:instance", "POST /api/message/list/:instance"
	for _, c := range []struct {
		v       Violation
		instead string
	}{
		{Violation{text, UnknownField, "text"}, "message"},
		{Violation{text, UnknownField, "dealy"}, "delay"},
		{Violation{text, UnknownField, "Number"}, "number"},
		{Violation{text, UnknownField, "to"}, "number"},
		{Violation{text, UnknownField, "link_preview"}, "linkPreview"},
		{Violation{text, UnknownField, "mentions"}, "mention"},
		{Violation{text, UnknownField, "quoted"}, "replyTo"},
		{Violation{text, UnknownField, "quux"}, ""},
		{Violation{media, UnknownField, "caption"}, "message"},
		{Violation{media, UnknownField, "url"}, "mediaUrl"},
		{Violation{media, UnknownField, "base64"}, "mediaBase64"},
		{Violation{media, UnknownField, "filename"}, "fileName"},
		{Violation{media, UnknownField, "ptt"}, "isVoice"},
		{Violation{media, UnknownValue, `mediaType: "vidoe"`}, "video"},
		{Violation{list, UnknownField, "sections[0].rows[11].titel"}, "title"},
		{Violation{list, UnknownField, "sections[0].row"}, "rows"},
		{Violation{list, UnknownField, "nothing.of.this"}, ""},
		{Violation{"GET /api/chat/status/:instance", UnknownQuery, "messageID"}, "messageId"},
		{Violation{"", UnknownRoute, "POST /api/message/txt/shop"}, text},
		{Violation{"", UnknownRoute, "POST /message/text/shop"}, text},
		{Violation{"", UnknownRoute, "POST /api/chat/status/shop"}, "GET /api/chat/status/:instance"},
		{Violation{"", UnknownRoute, "GET /"}, ""},
		{Violation{text, TokenInQuery, text}, ""},
		{Violation{"POST /no/such", UnknownField, "x"}, ""},
		{Violation{text, "a kind of tomorrow", "x"}, ""},
	} {
		assert.Equal(t, c.instead, c.v.Instead(), "%v", c.v)
		if c.instead != "" {
			assert.Contains(t, c.v.Advice(), "“"+c.instead+"”", "%v", c.v)
		}
		assert.NotEmpty(t, c.v.Advice())
	}
	assert.Equal(t, "unknown field “text”: the service would ignore it. Did you mean “message”?", Violation{text, UnknownField, "text"}.Advice())
	assert.Contains(t, Violation{text, UnknownField, "quux"}.Advice(), "Known here: number, delay")
	assert.Contains(t, Violation{text, WrongType, "delay: want integer"}.Advice(), "wants an integer")
}
