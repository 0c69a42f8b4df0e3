package ryze

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a reply to a send says is read whatever the case and the underscores of its keys are, and
// beside anything that is not what it should be. The last of two equal keys counts.
func TestSendReplyIsReadWholeOrInPart(t *testing.T) {
	whole := SentMessage{
		ID: "X", Chat: "55@g.us", GroupName: "Team", Timestamp: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Status: "sent",
		Type: "image", Content: "a\"b", Source: "ryze-go", ReplyTo: "Q",
		Media: SentMedia{URL: "https://w/m", MIME: "image/png", Size: 7, Duration: 1500 * time.Millisecond},
	}
	const media = `"mediaUrl":"https:\/\/w/m","mediaMimeType":"image/png","mediaSize":7,"mediaDuration":1.5`
	for body, want := range map[string]SentMessage{
		`{"success":true,"message":"m","status":"sent","data":{"messageId":"X","timestamp":"2026-01-02T03:04:05Z","messageType":"image","content":"a\"b",` +
			`"chat":{"jid":"55@g.us","groupName":"Team"},"replyTo":{"messageId":"Q"},` + media + `}}`: whole,
		` { "DATA" : { "message_id" : "X" , "Timestamp":1767323045,"messagetype":"image","Content":"a\u0022b", "Chat":{"JID":"55@g.us","groupname":"Team"},` +
			`"replyto":{"messageid":"Q"},` + media + ` } , "Success" : true, "STATUS":"sent" } `: whole,
		`{"data":{"messageId":"W"},"data":{"messageId":"X"}}`: {ID: "X"},
		`{"success":true,"message":[1],"status":{},"data":{"messageId":"X","timestamp":{},"messageType":[],"content":{"a":1},"chat":"c","replyTo":[{"messageId":"Q"}],` +
			`"mediaUrl":null,"mediaSize":"big","mediaDuration":[],"new":{"messageId":"Y"}},"new":[{}]}`: {ID: "X"},
		`{"success":2,"error":null,"data":{"messageId":"X","error":null}}`: {ID: "X"},
	} {
		_, inst, _ := answering(t, "t0ken", http.StatusOK, body)
		sent, err := inst.Messages.SendText(t.Context(), "5511987654321", "Hello")
		require.NoError(t, err, body)
		want.Meta, want.Source = sent.Meta, "ryze-go"
		assert.Equal(t, want, *sent, body)
		assert.JSONEq(t, body, string(sent.Raw()))
	}
}

// A reply that is no JSON proves nothing, however much of it can be read.
func TestSendReplyThatIsNotJSONIsInDoubt(t *testing.T) {
	for _, body := range []string{
		`{"data":{"messageId":"X"}`, `{"data":{"messageId":"X"}}}`, `{"data":{"messageId":"X"},}`, `{"data":{"messageId":"X"} "success":true}`, `{"data":{"messageId":X}}`,
	} {
		_, inst, count := answering(t, "t0ken", http.StatusOK, body)
		_, err := inst.Messages.SendText(t.Context(), "5511987654321", "Hello")
		var syntax *json.SyntaxError
		require.ErrorIs(t, err, ErrOutcomeUnknown, body)
		require.ErrorAs(t, err, &syntax, body)
		assert.Equal(t, 1, *count, body)
	}
}
