package ryzetest

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSendRefusals(t *testing.T) {
	s, c := start(t, WithRateLimit(1000))
	s.AddInstance("a").Pair("")
	s.SetUnreachable("5511911112222", "551111112222")
	tests := []struct {
		kind, body string
		text       string
	}{
		{"text", `{"message":"x"}`, "Number is required"},
		{"text", `{"number":"5511987654321"}`, "Message is required"},
		{"text", `{"number":"+55 11 98765","message":"x"}`, "Numbe"},
		{"text", `{"number":"5511987654321@evil.net","message":"x"}`, "Numbe"},
		{"text", `{"number":"5511911112222","message":"x"}`, "Numbe"},
		{"text", `{"number":5511987654321,"message":"x"}`, "Invalid request body: "},
		{"text", `{"number":"5511987654321","message":"x","delay":"2"}`, "Invalid request body: "},
		{"text", `{"number":"5511987654321","message":"x","delay":2.5}`, "Invalid request body: "},
		{"text", `{"number":"5511987654321","message":"x","replyTo":"3EB0"}`, "replyTo"},
		{"text", `nonsense`, "Invalid request body: "},
		{"text", ``, "Invalid request body: "},
		{"media", `{"number":"5511987654321","mediaType":"image"}`, "required"},
		{"media", `{"number":"5511987654321","mediaType":"image","mediaUrl":"https://x.test/a.png","mediaBase64":"QUJD"}`, "together"},
		{"media", `{"number":"5511987654321","mediaType":"IMAGE","mediaBase64":"QUJD"}`, "mediaType"},
		{"media", `{"number":"5511987654321","mediaType":"image","mediaBase64":"Q$JD"}`, "base64"},
		{"media", `{"number":"5511987654321","mediaType":"image","mediaBase64":"QUI=QUJD"}`, "base64"},
		{"media", `{"number":"5511987654321","mediaType":"image","mediaBase64":"https://x.test/a.png"}`, "base64"},
		{"media", `{"number":"5511987654321","mediaType":"image","mediaBase64":"QUJD`, "Invalid request body: "},
		{"media", `{"number":"5511987654321","mediaType":"image","mediaBase64":7}`, "Invalid request body: "},
	}
	for _, tt := range tests {
		a := c.do("POST", "/api/message/"+tt.kind+"/a", tt.body)
		assert.Equal(t, 400, a.status, tt.body)
		assert.Contains(t, a.text(), tt.text, tt.body)
	}
	assert.Empty(t, s.Instance("a").Messages())

	s.Instance("a").Disconnect()
	a := c.do("POST", "/api/message/text/a", hello)
	assert.Equal(t, 503, a.status)
	assert.Equal(t, "Instance is not connected to WhatsApp", a.text())
}

func TestNotConnectedCanBeA400(t *testing.T) {
	s, c := start(t, WithNotConnectedStatus(400))
	s.AddInstance("a")
	assert.Equal(t, 400, c.do("POST", "/api/message/text/a", hello).status)
}

func TestRecipientIsResolvedAsWhatsAppDoes(t *testing.T) {
	s, c := start(t)
	s.AddInstance("a").Pair("")
	s.AddContact(Contact{Phone: "551187654321"})
	s.AddContact(Contact{Phone: "5511912345678"})
	s.SetUnreachable("5521999990000")
	for number, want := range map[string]string{
		"5511987654321":                "551187654321@s.whatsapp.net",  // known without the ninth digit
		"551112345678":                 "551112345678@s.whatsapp.net",  // a landline has no other form
		"5511912345678":                "5511912345678@s.whatsapp.net", // known as it is
		"5521999990000":                "552199990000@s.whatsapp.net",  // only the other form has an account
		"5531988887777":                "5531988887777@s.whatsapp.net", // nothing known: kept
		"14155550100":                  "14155550100@s.whatsapp.net",
		"100000000000001@lid":          "100000000000001@lid",
		"120363000000000001@g.us":      "120363000000000001@g.us",
		"123-456@g.us":                 "123-456@g.us",
		"120363000000@newsletter":      "120363000000@newsletter",
		"5511912345678@s.whatsapp.net": "5511912345678@s.whatsapp.net",
	} {
		a := c.do("POST", "/api/message/text/a", `{"number":"`+number+`","message":"x"}`)
		assert.Equal(t, want, a.at("data", "chat", "jid"), number)
	}
}

func TestSendReplyHasTheDocumentedShape(t *testing.T) {
	s, c := start(t)
	i := s.AddInstance("a")
	i.Pair("5511900000001")
	i.NameGroup("120363000000000001@g.us", "Team")
	quoted := i.Receive(Incoming{From: "5511987654321", Group: "120363000000000001@g.us", Text: "question"})

	a := c.do("POST", "/api/message/text/a", `{"number":"120363000000000001@g.us","message":"@5511987654321 yes","replyTo":"`+quoted+`","mention":["5511987654321"],"mentionAll":false,"source":"crm","linkPreview":false}`)
	require.Equal(t, 200, a.status, string(a.raw))
	assert.Equal(t, "sent", a.at("status"))
	assert.Equal(t, "Message sent successfully", a.at("message"))
	data := a.at("data").(map[string]any)
	_, err := time.Parse(time.RFC3339, data["timestamp"].(string))
	assert.NoError(t, err)
	assert.Contains(t, data["timestamp"], "-03:00")
	assert.Equal(t, "text", data["messageType"])
	assert.Equal(t, "@5511987654321 yes", data["content"])
	assert.Equal(t, "outgoing", data["direction"])
	assert.Equal(t, map[string]any{"jid": "120363000000000001@g.us", "groupName": "Team", "isGroup": true}, data["chat"])
	assert.Equal(t, []any{"5511987654321"}, data["mentions"])
	assert.Equal(t, map[string]any{"messageId": quoted}, data["replyTo"])
	m, _ := i.Message(data["messageId"].(string))
	assert.Equal(t, "crm", m.Source)
	assert.Equal(t, quoted, m.ReplyTo)

	a = c.do("POST", "/api/message/text/a", `{"number":"120363000000000001@g.us","message":"psst","replyTo":"`+quoted+`","replyPrivate":true,"mentionAll":true}`)
	assert.Equal(t, "5511987654321@s.whatsapp.net", a.at("data", "chat", "jid"), "a private reply goes to the author")
	assert.Nil(t, a.at("data", "mentions"))
	m, _ = i.Message(a.at("data", "messageId").(string))
	assert.Equal(t, "api", m.Source)
	assert.False(t, m.MentionAll, "mentions are for groups")
}

func TestDelayHoldsTheReplyAndSendsEvenWhenTheClientLeft(t *testing.T) {
	bubble(t, func(t *testing.T, s *Server, c client) {
		i := s.AddInstance("a")
		i.Pair("")
		done := make(chan answer, 1)
		go func() {
			done <- c.do("POST", "/api/message/text/a", `{"number":"5511987654321","message":"x","delay":60}`)
		}()
		synctest.Wait()
		assert.Empty(t, i.Sent())
		s.Advance(60 * time.Second)
		assert.Equal(t, 200, (<-done).status)

		req := c.request("POST", "/api/message/text/a", `{"number":"5511987654321","message":"x","delay":60}`)
		client := *s.HTTPClient()
		client.Timeout = 10 * time.Second
		_, err := client.Do(req)
		require.Error(t, err)
		assert.Len(t, i.Sent(), 1)
		time.Sleep(time.Minute)
		assert.Len(t, i.Sent(), 2, "the service goes on with what it accepted")

		go func() {
			done <- c.do("POST", "/api/message/text/a", `{"number":"5511987654321","message":"x","delay":60}`)
		}()
		synctest.Wait()
		i.Disconnect()
		assert.Equal(t, 503, (<-done).status, "the connection was lost during the delay")
	})
}

func TestMediaComesAsBase64OrURL(t *testing.T) {
	files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path != "/a.pdf" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/pdf")
		w.Write([]byte("%PDF-1.7 x"))
	}))
	defer files.Close()
	s, c := start(t)
	i := s.AddInstance("a")
	i.Pair("")
	send := func(fields string) (answer, Message) {
		a := c.do("POST", "/api/message/media/a", `{"number":"5511987654321",`+fields+`}`)
		if a.status != 200 {
			return a, Message{}
		}
		m, _ := i.Message(a.at("data", "messageId").(string))
		return a, m
	}

	_, m := send(`"mediaType":"image","mediaBase64":"data:image/webp;base64,QUJD","message":"cap"`)
	assert.Equal(t, "image/webp", m.Media.MIME)
	assert.Equal(t, []byte("ABC"), m.Media.Bytes)
	assert.Equal(t, "cap", m.Text)

	_, m = send(`"mediaType":"image","mediaUrl":"QUJDRA","mimeType":"image/gif"`)
	assert.Equal(t, []byte("ABCD"), m.Media.Bytes, "mediaUrl may carry base64")
	assert.Equal(t, "image/gif", m.Media.MIME)

	_, m = send(`"mediaType":"document","mediaBase64":"QU\u004a\/","fileName":"a.bin"`)
	assert.Equal(t, []byte{0x41, 0x42, 0x7f}, m.Media.Bytes, "JSON escapes in the base64")
	assert.Equal(t, "a.bin", m.Media.FileName)

	a, m := send(`"mediaType":"audio","mediaBase64":"T2dnUwAA","duration":7,"waveform":[0,255]`)
	assert.True(t, m.Media.Voice, "audio is a voice note unless it says no")
	assert.Equal(t, "audio/ogg; codecs=opus", m.Media.MIME)
	assert.EqualValues(t, 7, a.at("data", "mediaDuration"))
	assert.Equal(t, "audio", a.at("data", "messageType"))
	_, m = send(`"mediaType":"audio","mediaBase64":"T2dnUwAA","isVoice":false`)
	assert.False(t, m.Media.Voice)

	a, m = send(`"mediaType":"document","mediaUrl":"` + files.URL + `/a.pdf"`)
	assert.Equal(t, "application/pdf", m.Media.MIME)
	assert.Equal(t, []byte("%PDF-1.7 x"), m.Media.Bytes)
	assert.EqualValues(t, 10, a.at("data", "mediaSize"))
	assert.Contains(t, a.at("data", "mediaUrl"), "https://mmg.whatsapp.net/")
	a, _ = send(`"mediaType":"document","mediaUrl":"` + files.URL + `/b.pdf"`)
	assert.Equal(t, 400, a.status)

	_, m = send(`"mediaType":"image","mediaUrl":"https://cdn.example.com/a.png"`)
	assert.Equal(t, "https://cdn.example.com/a.png", m.Media.URL, "recorded, not fetched")
	assert.Equal(t, "image/png", m.Media.MIME)
	assert.Zero(t, m.Media.Size)
	assert.Empty(t, s.Violations())
}

// zeroes is an endless base64 text.
type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) {
	n := copy(p, strings.Repeat("A", min(len(p), 4096)))
	return n, nil
}

func TestLargeMediaIsNotHeld(t *testing.T) {
	s, c := start(t, WithMediaKeep(1<<20))
	i := s.AddInstance("a")
	i.Pair("")
	const text = 48 << 20 // of base64
	req := c.request("POST", "/api/message/media/a", "")
	req.Header.Set("Content-Type", "application/json")
	req.Body = io.NopCloser(io.MultiReader(
		strings.NewReader(`{"number":"5511987654321","mediaType":"document","mediaBase64":"`),
		io.LimitReader(zeroes{}, text),
		strings.NewReader(`"}`)))

	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	a, err := c.send(req)
	require.NoError(t, err)
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Equal(t, 200, a.status, string(a.raw))
	assert.EqualValues(t, text/4*3, a.at("data", "mediaSize"))
	assert.Less(t, int64(after.HeapSys)-int64(before.HeapSys), int64(24<<20), "far less than the file")
	m, _ := i.Message(a.at("data", "messageId").(string))
	assert.Nil(t, m.Media.Bytes)
	assert.Len(t, m.Media.SHA256, 64)
}

func TestBodiesAreBounded(t *testing.T) {
	s, c := start(t, WithBodyLimits(1000, 2000))
	s.AddInstance("a").Pair("")
	long := base64.StdEncoding.EncodeToString(make([]byte, 900))
	assert.Equal(t, 413, c.do("POST", "/api/message/text/a", `{"number":"5511987654321","message":"`+long+`"}`).status)
	assert.Equal(t, 200, c.do("POST", "/api/message/media/a", `{"number":"5511987654321","mediaType":"image","mediaBase64":"`+long+`"}`).status)
	assert.Equal(t, 413, c.do("POST", "/api/message/media/a", `{"number":"5511987654321","mediaType":"image","message":"`+long+`","mediaBase64":"QUJD"}`).status)
	assert.Equal(t, 413, c.do("POST", "/api/message/media/a", `{"number":"5511987654321","mediaType":"image","mediaBase64":"`+long+long+`"}`).status)
}
