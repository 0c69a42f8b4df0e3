package ryze

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	chatwootToken  = "cw_example_token"
	chatwootSent   = `{"chatwootBaseUrl":"https://chatwoot.example.com","chatwootAccountId":7,"chatwootApiToken":"cw_example_token","inboxName":"support-line","signMessages":true,"ignoreGroups":false,"startAsPending":false,"reopenResolved":true}`
	chatwootStored = `{"instance_name":"main","status":"active","bridge_integration_id":"int_1","chatwoot_base_url":"https://chatwoot.example.com","chatwoot_account_id":7,
		"chatwoot_api_token":"cw_example_token","chatwoot_inbox_id":42,"chatwoot_inbox_name":"support-line","last_error":"","created_at":"2026-01-02T03:04:05Z",
		"sign_messages":true,"ignore_groups":false,"start_as_pending":false,"reopen_resolved":true,"new":1}`
)

func chatwootConfig() ChatwootConfig {
	return ChatwootConfig{
		BaseURL: "https://chatwoot.example.com", AccountID: 7, APIToken: chatwootToken, InboxName: "support-line",
		SignMessages: true, ReopenResolved: true,
	}
}

func TestChatwootIsSetWithEveryFlag(t *testing.T) {
	x := exchange{method: "POST", path: "/api/chatwoot/set/main", body: chatwootSent, status: http.StatusCreated}

	x.reply = `{"instance":"main","status":"active","bridge_integration_id":"int_1","message":"chatwoot integration activated"}`
	got, err := exchanging(t, x).Chatwoot.Set(t.Context(), chatwootConfig())
	require.NoError(t, err)
	assert.Equal(t, ChatwootActivation{Meta: got.Meta, Instance: "main", Status: ChatwootActive, IntegrationID: "int_1", Message: "chatwoot integration activated"}, *got)

	x.reply = `{"status":"error","bridge_integration_id":null,"message":"inbox refused"}`
	got, err = exchanging(t, x).Chatwoot.Set(t.Context(), chatwootConfig())
	require.ErrorIs(t, err, ErrPartial)
	require.ErrorContains(t, err, "inbox refused")
	assert.Equal(t, ChatwootFailed, got.Status)

	config := chatwootConfig()
	config.InboxName = "" // whether it is required is not documented
	x.body = `{"chatwootBaseUrl":"https://chatwoot.example.com","chatwootAccountId":7,"chatwootApiToken":"cw_example_token","signMessages":true,"ignoreGroups":false,"startAsPending":false,"reopenResolved":true}`
	x.reply = `{"message":"chatwoot integration activated"}`
	_, err = exchanging(t, x).Chatwoot.Set(t.Context(), config)
	require.NoError(t, err)
	x.reply = `{}`
	_, err = exchanging(t, x).Chatwoot.Set(t.Context(), config)
	require.ErrorIs(t, err, ErrOutcomeUnknown, "it says nothing")
}

func TestRefusalOfChatwootIsNotThatOfTheToken(t *testing.T) {
	for status, text := range map[int]string{
		http.StatusBadRequest:   "Chatwoot account or endpoint not found - verify chatwootBaseUrl (x) and chatwootAccountId (7). Detail: {}",
		http.StatusUnauthorized: "Chatwoot rejected the API token \u2014 verify chatwootApiToken. Detail: {}",
		http.StatusForbidden:    "Chatwoot denied the request - verify the API token has admin scope on account 7. Detail: {}",
	} {
		inst := exchanging(t, exchange{method: "POST", path: "/api/chatwoot/set/main", body: chatwootSent, status: status, reply: refusal(text)})
		_, err := inst.Chatwoot.Set(t.Context(), chatwootConfig())
		require.ErrorIs(t, err, ErrChatwoot)
		for _, other := range []error{ErrUnauthorized, ErrForbidden, ErrOutcomeUnknown} {
			require.NotErrorIs(t, err, other)
		}
	}
}

func TestLostActivationOfChatwootIsAnUnknownOutcome(t *testing.T) {
	inst := exchanging(t, exchange{method: "POST", path: "/api/chatwoot/set/main", body: chatwootSent, err: io.ErrUnexpectedEOF})
	_, err := inst.Chatwoot.Set(t.Context(), chatwootConfig())
	require.ErrorIs(t, err, ErrOutcomeUnknown)
	require.ErrorContains(t, err, "read the integration")
}

func TestChatwootIsReadInBothEditions(t *testing.T) {
	x := exchange{method: "GET", path: "/api/chatwoot/list/main", reply: chatwootStored}
	got, err := exchanging(t, x).Chatwoot.Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, Chatwoot{
		Meta: got.Meta, Instance: "main", Status: ChatwootActive, IntegrationID: "int_1", ChatwootConfig: chatwootConfig(), FlagsKnown: true,
		InboxID: 42, CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}, *got)

	x.reply = `{"instance_name":"main","status":"error","bridge_integration_id":"int_1","chatwoot_base_url":"https://chatwoot.example.com","chatwoot_account_id":7,
		"chatwoot_inbox_id":0,"chatwoot_inbox_name":null,"last_error":"connection refused","created_at":null}`
	got, err = exchanging(t, x).Chatwoot.Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, ChatwootFailed, got.Status)
	assert.Equal(t, "connection refused", got.LastError)
	assert.Empty(t, got.APIToken)
	assert.False(t, got.FlagsKnown)
	assert.True(t, got.CreatedAt.IsZero())

	x.reply = strings.Replace(chatwootStored, `"last_error":""`, `"last_error":"401 for `+chatwootConfig().APIToken.Reveal()+`"`, 1)
	got, err = exchanging(t, x).Chatwoot.Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "401 for [redacted]", got.LastError)

	x.reply = `{"message":"hello"}`
	_, err = exchanging(t, x).Chatwoot.Get(t.Context())
	require.ErrorIs(t, err, ErrBadResponse)
}

// What an integration says of itself is kept without the tokens, wherever it is read.
func TestChatwootFaultsOfInstancesQuoteNoToken(t *testing.T) {
	const account, own = "tok-of-the-account", "tok-of-the-instance"
	client := replying(t, `{"success":true,"instances":[{"instanceName":"main","token":"`+own+`","chatwoot":{"enabled":true,"status":"error","error":"401 for `+account+` and `+own+`"}}]}`)
	list, err := client.Account(account).ListInstances(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.Equal(t, own, list[0].Token.Reveal())
	require.NotNil(t, list[0].Chatwoot)
	assert.Equal(t, "401 for [redacted] and [redacted]", list[0].Chatwoot.Error)
}

func TestChatwootErrorsAreTold(t *testing.T) {
	for text, test := range map[string]struct {
		status int
		is     error
	}{
		"instance not found":                                                   {404, ErrInstanceNotFound},
		"no chatwoot integration for this instance":                            {404, ErrNotConfigured},
		"no chatwoot integration to delete":                                    {404, ErrNotConfigured},
		"integration gateway not configured":                                   {503, ErrChatwootDisabled},
		"integration gateway not configured (set BRIDGE_URL and BRIDGE_TOKEN)": {503, ErrChatwootDisabled},
	} {
		t.Run(text, func(t *testing.T) {
			inst := exchanging(t,
				exchange{method: "GET", path: "/api/chatwoot/list/main", status: test.status, reply: refusal(text)},
				exchange{method: "DELETE", path: "/api/chatwoot/delete/main", status: test.status, reply: refusal(text)},
			)
			_, err := inst.Chatwoot.Get(t.Context())
			require.ErrorIs(t, err, test.is)
			require.ErrorIs(t, inst.Chatwoot.Delete(t.Context()), test.is)
		})
	}
}

func TestDisabledChatwootIsNotAnUnknownOutcome(t *testing.T) {
	inst := exchanging(t, exchange{method: "POST", path: "/api/chatwoot/set/main", body: chatwootSent, status: 503, reply: refusal("integration gateway not configured")})
	_, err := inst.Chatwoot.Set(t.Context(), chatwootConfig())
	require.ErrorIs(t, err, ErrChatwootDisabled)
	require.NotErrorIs(t, err, ErrOutcomeUnknown)
}

func TestDeletedChatwootNeedsNoSuccessKey(t *testing.T) {
	inst := exchanging(t, exchange{method: "DELETE", path: "/api/chatwoot/delete/main", reply: `{"message":"chatwoot integration deactivated"}`})
	require.NoError(t, inst.Chatwoot.Delete(t.Context()))
}

func TestChatwootTokenIsNeverPrinted(t *testing.T) {
	inst := exchanging(t, exchange{method: "GET", path: "/api/chatwoot/list/main", reply: chatwootStored})
	got, err := inst.Chatwoot.Get(t.Context())
	require.NoError(t, err)
	require.Equal(t, chatwootToken, got.APIToken.Reveal())

	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	for _, v := range []any{got, *got, got.ChatwootConfig, &got.ChatwootConfig} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
			_, _ = fmt.Fprintf(&log, verb, v)
		}
		encoded, err := json.Marshal(v)
		require.NoError(t, err)
		log.Write(encoded)
		logger.Info("chatwoot", "value", v)
	}
	assert.NotContains(t, log.String(), chatwootToken)
	assert.NotContains(t, log.String(), fmt.Sprintf("%x", chatwootToken))
	assert.Contains(t, log.String(), redacted)

	config := chatwootConfig()
	config.APIToken += "\n"
	err = second(silent(t).Chatwoot.Set(t.Context(), config))
	requireInvalid(t, err, "Chatwoot.APIToken")
	assert.NotContains(t, err.Error(), chatwootToken)
}

func TestChatwootArgumentsAreRefusedBeforeAnyRequest(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*ChatwootConfig)
		field  string
	}{
		"no URL":           {func(c *ChatwootConfig) { c.BaseURL = "" }, "Chatwoot.BaseURL"},
		"no scheme":        {func(c *ChatwootConfig) { c.BaseURL = "chatwoot.example.com" }, "Chatwoot.BaseURL"},
		"another scheme":   {func(c *ChatwootConfig) { c.BaseURL = "ftp://chatwoot.example.com" }, "Chatwoot.BaseURL"},
		"credentials":      {func(c *ChatwootConfig) { c.BaseURL = "https://a:b@chatwoot.example.com" }, "Chatwoot.BaseURL"},
		"no account":       {func(c *ChatwootConfig) { c.AccountID = 0 }, "Chatwoot.AccountID"},
		"negative account": {func(c *ChatwootConfig) { c.AccountID = -7 }, "Chatwoot.AccountID"},
		"no token":         {func(c *ChatwootConfig) { c.APIToken = "" }, "Chatwoot.APIToken"},
		"blanks":           {func(c *ChatwootConfig) { c.APIToken = " x" }, "Chatwoot.APIToken"},
	} {
		t.Run(name, func(t *testing.T) {
			config := chatwootConfig()
			test.change(&config)
			requireInvalid(t, second(silent(t).Chatwoot.Set(t.Context(), config)), test.field)

			account := silentAccount(t)
			_, err := account.CreateInstance(t.Context(), CreateInstanceParams{Name: "main", Chatwoot: &config})
			requireInvalid(t, err, test.field)
		})
	}
}

// silentAccount returns a handle that must make no request.
func silentAccount(t *testing.T) *AccountClient {
	t.Helper()
	account, err := NewAccountClient("account-token", WithHTTPClient(&http.Client{Transport: &exchangeTransport{t: t}}))
	require.NoError(t, err)
	return account
}
