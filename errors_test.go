package ryze

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var allSentinels = []error{
	ErrInvalidArgument,
	ErrUnauthorized, ErrMissingToken, ErrInvalidToken, ErrInvalidInstanceToken, ErrInvalidAccountToken,
	ErrForbidden, ErrInstanceTokenMismatch, ErrInstanceNotOwned, ErrQuotaExceeded, ErrNotAdmin,
	ErrNotFound, ErrInstanceNotFound, ErrMessageNotFound, ErrLabelNotFound, ErrPollNotFound, ErrGroupNotFound, ErrNewsletterNotFound, ErrNotConfigured,
	ErrConflict, ErrNotConnected, ErrNoSession, ErrWebSocketDisabled, ErrInviteRevoked, ErrNotEditable,
	ErrRateLimited, ErrThrottled, ErrNotImplemented, ErrServer, ErrChatwoot, ErrChatwootDisabled,
	ErrRedirect, ErrBadResponse, ErrOutcomeUnknown, ErrNotSent, ErrClosed, ErrNetwork, ErrMediaSource, ErrLimiter,
}

// Every documented error text, with exactly the sentinels that it stands for.
func TestEveryDocumentedErrorTextHasItsSentinels(t *testing.T) {
	for _, c := range []struct {
		status int
		text   string
		is     []error
	}{
		// the seven authentication texts
		{401, "Missing token in header", []error{ErrUnauthorized, ErrMissingToken}},
		{401, "Missing token in header, Authorization header, or query parameter", []error{ErrUnauthorized, ErrMissingToken}},
		{401, "Missing token", []error{ErrUnauthorized, ErrMissingToken}},
		{401, "Invalid token", []error{ErrUnauthorized, ErrInvalidToken}},
		{401, "Invalid instance token", []error{ErrUnauthorized, ErrInvalidInstanceToken}},
		{401, "Invalid account token", []error{ErrUnauthorized, ErrInvalidAccountToken}},
		{401, "Unauthenticated", []error{ErrUnauthorized}},
		{401, "something new", []error{ErrUnauthorized}},
		// ownership and quota
		{403, "Instance token does not match requested instance", []error{ErrForbidden, ErrInstanceTokenMismatch}},
		{403, "Instance does not belong to your account", []error{ErrForbidden, ErrInstanceNotOwned}},
		{403, "Account instance quota exceeded", []error{ErrForbidden, ErrQuotaExceeded}},
		{403, "Not authorized to reset group invite link (must be admin)", []error{ErrForbidden, ErrNotAdmin}},
		{403, "Not authorized to view group requests (must be admin)", []error{ErrForbidden, ErrNotAdmin}},
		{403, "something new", []error{ErrForbidden}},
		// connection
		{400, "Instance is not connected to WhatsApp", []error{ErrNotConnected}},
		{503, "Instance is not connected to WhatsApp", []error{ErrNotConnected}},
		{400, "Instance has no saved session — call /connect first", []error{ErrNotConnected, ErrNoSession}},
		{500, "Failed to reconnect: dial tcp: i/o timeout", []error{ErrServer}},
		{400, "WebSocket is not enabled for this instance. Configure it first using POST /api/events/websocket/a", []error{ErrWebSocketDisabled}},
		// not found, in both cases of letters
		{404, "Instance not found", []error{ErrNotFound, ErrInstanceNotFound}},
		{404, "instance not found", []error{ErrNotFound, ErrInstanceNotFound}},
		{404, "Message not found", []error{ErrNotFound, ErrMessageNotFound}},
		{404, "message not found", []error{ErrNotFound, ErrMessageNotFound}},
		{404, "Message not found or no media available", []error{ErrNotFound, ErrMessageNotFound}},
		{404, "Message does not belong to this instance", []error{ErrNotFound, ErrMessageNotFound}},
		{400, "message with ID 3EB0 not found", []error{ErrNotFound, ErrMessageNotFound}},
		{404, "Tag not found", []error{ErrNotFound, ErrLabelNotFound}},
		{404, "Poll not found", []error{ErrNotFound, ErrPollNotFound}},
		{404, "Group not found or you are not a member of this group", []error{ErrNotFound, ErrGroupNotFound}},
		{404, "WebSocket not configured for this instance", []error{ErrNotFound, ErrNotConfigured}},
		{404, "no chatwoot integration for this instance", []error{ErrNotFound, ErrNotConfigured}},
		{404, "no chatwoot integration to delete", []error{ErrNotFound, ErrNotConfigured}},
		{404, "newsletter not found", []error{ErrNotFound, ErrNewsletterNotFound}},
		{400, "newsletter not found", []error{ErrNotFound, ErrNewsletterNotFound}},
		{400, "newsletter not found or no metadata returned", []error{ErrNotFound, ErrNewsletterNotFound}},
		{404, "something new", []error{ErrNotFound}},
		{400, "Invite link has been revoked or expired", []error{ErrInviteRevoked}},
		{410, "Invite link has been revoked or expired", []error{ErrInviteRevoked}},
		// validation
		{400, "Invalid request body", []error{ErrInvalidArgument}},
		{400, "Invalid request body: unexpected EOF", []error{ErrInvalidArgument}},
		{400, "Instance name is required", []error{ErrInvalidArgument}},
		{400, "At least one setting must be provided", []error{ErrInvalidArgument}},
		{400, "invalid body: EOF", []error{ErrInvalidArgument}},
		{400, "Number is required", []error{ErrInvalidArgument}},
		{400, "messageId is required", []error{ErrInvalidArgument}},
		{400, "MessageID is required", []error{ErrInvalidArgument}},
		{400, "Duration must be between 1 and 60 seconds", []error{ErrInvalidArgument}},
		{400, "Provide exactly one of mediaUrl or mediaBase64", []error{ErrInvalidArgument}},
		{400, "this message is too old to edit", []error{ErrInvalidArgument, ErrNotEditable}},
		{400, "you can only edit text messages", []error{ErrInvalidArgument, ErrNotEditable}},
		{500, "unsupported message type for forwarding: poll", []error{ErrInvalidArgument}},
		{500, "error parse community jid: bad", []error{ErrInvalidArgument}},
		{413, "too large", []error{ErrInvalidArgument}},
		{422, "bad", []error{ErrInvalidArgument}},
		// rate limit and throttling
		{429, "Rate limit exceeded. Try again later.", []error{ErrRateLimited}},
		{429, "rate-overlimit", []error{ErrThrottled}},
		{429, "", []error{ErrThrottled}},
		{409, "an instance of that name already exists", []error{ErrConflict}},
		// internal
		{500, "Failed to get instance", []error{ErrServer}},
		{500, "Failed to logout instance", []error{ErrServer}},
		{500, "Failed to delete instance: busy", []error{ErrServer}},
		{500, "Failed to get settings configuration", []error{ErrServer}},
		{500, "Failed to update settings configuration", []error{ErrServer}},
		{500, "Failed to get proxy configuration", []error{ErrServer}},
		{500, "Failed to get S3 configuration", []error{ErrServer}},
		{500, "Failed to update S3 configuration", []error{ErrServer}},
		{500, "Failed to get websocket configuration", []error{ErrServer}},
		{500, "failed to create newsletter: x", []error{ErrServer}},
		{502, "", []error{ErrServer}},
		{501, "WhatsApp client does not support GetNewsletterInfo", []error{ErrNotImplemented}},
		// Chatwoot: never about the caller's token
		{503, "integration gateway not configured", []error{ErrChatwootDisabled}},
		{503, "integration gateway not configured (set BRIDGE_URL and BRIDGE_TOKEN)", []error{ErrChatwootDisabled}},
		{400, "Chatwoot account or endpoint not found — verify chatwootBaseUrl (x) and chatwootAccountId (7). Detail: x", []error{ErrChatwoot}},
		{400, "Chatwoot account or endpoint not found - verify chatwootBaseUrl (x) and chatwootAccountId (7). Detail: x", []error{ErrChatwoot}},
		{400, "Chatwoot rejected the request as invalid. Detail: x", []error{ErrChatwoot}},
		{401, "Chatwoot rejected the API token — verify chatwootApiToken. Detail: x", []error{ErrChatwoot}},
		{403, "Chatwoot denied the request — verify the API token has admin scope on account 7. Detail: x", []error{ErrChatwoot}},
		// others
		{418, "I'm a teapot", nil},
		{200, "Number is not on WhatsApp", []error{ErrServer}},
		{200, "Instance not found", []error{ErrNotFound, ErrInstanceNotFound}},
	} {
		t.Run(fmt.Sprint(c.status, " ", c.text), func(t *testing.T) {
			err := fmt.Errorf("wrapped: %w", newAPIError(opSendText, c.status, c.text, RateLimit{}, nil))
			for _, sentinel := range allSentinels {
				want := slices.Contains(c.is, sentinel)
				assert.Equal(t, want, errors.Is(err, sentinel), "%v", sentinel)
			}
		})
	}
}

// Only the documented text, or none, means the quota, whatever Remaining says.
func TestTextOfA429SaysWhoseItIs(t *testing.T) {
	for body, want := range map[string]error{
		`{"success":false,"error":{"message":"Rate limit exceeded. Try again later."}}`: ErrRateLimited,
		`{"error":"rate limit exceeded"}`:                                               ErrRateLimited,
		`{"success":false,"error":{"message":""}}`:                                      ErrRateLimited,
		``:    ErrRateLimited,
		" \n": ErrRateLimited,
		`{"success":false,"error":{"message":"busy"}}`:                                                     ErrThrottled,
		`{"success":false,"error":{"message":"Rate limit exceeded: too many messages to this number"}}`:    ErrThrottled,
		`{"success":false,"error":{"message":"Rate limit exceeded by WhatsApp. The message was queued."}}`: ErrThrottled,
		`{"success":false,"error":{"message":"Rate limit exceeded"}}`:                                      ErrRateLimited,
		`{"error":"Rate limit exceeded. Your message was sent."}`:                                          ErrForeignReply,
		`{"message":"Too many requests"}`:                                                                  ErrForeignReply,
		`<html>slow down</html>`:                                                                           ErrForeignReply,
		"Rate limit exceeded. Try again later.\n":                                                          ErrRateLimited,
		`"Rate limit exceeded"`:                                                                            ErrRateLimited,
		`Rate limit exceeded for WhatsApp`:                                                                 ErrForeignReply,
		`Too Many Requests`:                                                                                ErrForeignReply,
		`{}`:                                                                                               ErrForeignReply,
	} {
		r := rawReply{session: new(session), status: 429, body: []byte(body), rate: RateLimit{Known: true, Limit: 100, Remaining: 0}}
		err := r.refused(opSendText)
		require.ErrorIs(t, err, want, body)
		for _, other := range []error{ErrRateLimited, ErrForeignReply} {
			if !errors.Is(want, other) {
				require.NotErrorIs(t, err, other, body)
			}
		}
	}

	// One that broke off may have begun to say more.
	broken := rawReply{session: new(session), status: 429, cut: true, rate: RateLimit{Known: true, Limit: 100, Remaining: 0}}
	err := broken.refused(opSendText)
	assert.ErrorIs(t, err, ErrForeignReply)
	assert.NotErrorIs(t, err, ErrRateLimited)
}

func TestErrorsAreOneSafeLine(t *testing.T) {
	body := []byte(`{"token":"tok-secret","error":{"message":"bad"}}`)
	api := newAPIError(opSendText, 400, "line one\nline two\x1b[31m"+strings.Repeat("x", 5000), RateLimit{}, body)
	for _, err := range []error{
		api,
		&ResponseError{StatusCode: 200, Operation: "messages.text", Reason: "the reply is not whole JSON", Body: body, Err: io.ErrUnexpectedEOF},
		&OutcomeError{Operation: "messages.text", Err: api, content: Text("tok-secret")},
		&RateLimitError{Operation: "messages.text", Err: api},
		&redirectError{StatusCode: 302, Operation: "messages.text", Host: "evil.example"},
	} {
		var log strings.Builder
		slog.New(slog.NewJSONHandler(&log, nil)).Error("x", "error", err)
		slog.New(slog.NewTextHandler(&log, nil)).Error("x", "error", err)
		for _, text := range []string{err.Error(), fmt.Sprintf("%v", err), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err), fmt.Sprintf("%q", err), log.String()} {
			assert.NotContains(t, text, "tok-secret")
			assert.NotContains(t, text, "\x1b")
			assert.Less(t, len(text), 4*maxErrorText)
		}
		assert.NotContains(t, err.Error(), "\n")
		assert.Equal(t, 1, strings.Count(err.Error(), "ryze: "), err.Error())
	}
}

func TestErrorBodyIsReadWhateverItsForm(t *testing.T) {
	for body, want := range map[string]string{
		`{"success":false,"error":{"message":"no"}}`:             "no",
		`{"success":false,"error":"no"}`:                         "no",
		`{"success":false,"message":"no"}`:                       "no",
		`{"error":{"message":"no","code":7,"details":[1]}}`:      "no",
		`{"error":{"message":{"deep":true}},"message":"backup"}`: "backup",
		`{"error":null}`:  "",
		`{"error":[1,2]}`: "",
		`[]`:              "",
		`"no"`:            "",
		``:                "",
		`<html>`:          "",
		`{"error":{"mess`: "",
	} {
		assert.Equal(t, want, errorMessage([]byte(body)), "%s", body)
	}
}

func FuzzErrorEnvelope(f *testing.F) {
	for _, s := range []string{`{"success":false,"error":{"message":"Invalid token"}}`, `{"error":"x"}`, `{"error":null}`, `[]`, `{`, "\x00"} {
		f.Add(401, s)
		f.Add(200, s)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		e := newAPIError(opSendText, status, errorMessage([]byte(body)), RateLimit{}, []byte(body))
		if len(e.Body) > maxErrorBody || strings.ContainsAny(e.Error(), "\n\r\x00") {
			t.Fatalf("unsafe: %q", e.Error())
		}
		if status == 401 && !errors.Is(e, ErrUnauthorized) && !errors.Is(e, ErrChatwoot) && !errors.Is(e, ErrNotConnected) && !errors.Is(e, ErrMessageNotFound) && !errors.Is(e, ErrInviteRevoked) {
			t.Fatalf("a 401 lost its class: %q", body)
		}
	})
}
