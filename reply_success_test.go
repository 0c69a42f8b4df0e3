package ryze

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type namedCall struct {
	name string
	once bool
	do   func(context.Context, *InstanceClient) error
}

func just[T any](_ T, err error) error { return err }

// acknowledged are calls whose replies need not show what they did.
var acknowledged = []namedCall{
	{"edit", true, func(ctx context.Context, i *InstanceClient) error { return just(i.Messages.Edit(ctx, "3EB0", "hi")) }},
	{"members", true, func(ctx context.Context, i *InstanceClient) error {
		return just(i.Groups.AddMembers(ctx, "120363000000000001@g.us", "5511987654321"))
	}},
	{"link", true, func(ctx context.Context, i *InstanceClient) error {
		return just(i.Communities.Link(ctx, "120363000000000001@g.us", "120363000000000002@g.us"))
	}},
	{"reconnect", true, func(ctx context.Context, i *InstanceClient) error { return i.Reconnect(ctx) }},
	{"profile", false, func(ctx context.Context, i *InstanceClient) error {
		return just(i.Profile.Update(ctx, ProfileUpdate{Name: new("a")}))
	}},
	{"delete instance", false, func(ctx context.Context, i *InstanceClient) error {
		return i.h.client.Account("acc").DeleteInstance(ctx, "support")
	}},
	{"leave", false, func(ctx context.Context, i *InstanceClient) error {
		return i.Groups.Leave(ctx, "120363000000000001@g.us")
	}},
	{"update group", false, func(ctx context.Context, i *InstanceClient) error {
		return just(i.Groups.Update(ctx, "120363000000000001@g.us", GroupUpdate{Name: new("a")}))
	}},
	{"unfollow", false, func(ctx context.Context, i *InstanceClient) error {
		return i.Newsletters.Unfollow(ctx, "120363000000000001@newsletter")
	}},
	{"delete for everyone", false, func(ctx context.Context, i *InstanceClient) error { return i.Messages.DeleteForEveryone(ctx, "3EB0") }},
	{"delete label", false, func(ctx context.Context, i *InstanceClient) error { return i.Labels.Delete(ctx, "1") }},
	{"delete chat", false, func(ctx context.Context, i *InstanceClient) error { return i.Chats.Delete(ctx, "5511987654321") }},
	{"webhook", false, func(ctx context.Context, i *InstanceClient) error { return i.Webhooks.Disable(ctx, "crm") }},
	{"logout", false, func(ctx context.Context, i *InstanceClient) error { return i.Logout(ctx) }},
}

func requireNotDone(t *testing.T, body string) {
	t.Helper()
	for _, c := range acknowledged {
		_, inst, count := answering(t, "t0ken", 200, body)
		err := c.do(t.Context(), inst)
		require.ErrorIs(t, err, ErrBadResponse, "%s: %s", c.name, body)
		assert.Equal(t, c.once, errors.Is(err, ErrOutcomeUnknown), "%s: %s", c.name, body)
		assert.Equal(t, OutcomeUnknown, OutcomeOf(err), "%s: %s", c.name, body)
		assert.Equal(t, 1, *count)
	}
}

// A 200 of whoever stands in between, in JSON and with words of its own, is no
// success: the service says so with each.
func TestSuccessOfAnotherMakeIsNoSuccess(t *testing.T) {
	for _, body := range []string{
		`{"message":"Please log in"}`, `{"status":"ok"}`, `{"status":401,"message":"no"}`, `{"code":200,"message":"welcome"}`, `{"data":{}}`, `{"data":"x"}`, `{"success":null,"message":"done"}`,
		`{}`, `{"participants":[],"linked":[],"updated":["profileName"]}`,
	} {
		requireNotDone(t, body)
	}
	// The routes of Chatwoot have no such word.
	_, inst, _ := answering(t, "t0ken", 200, `{"message":"chatwoot integration deactivated"}`)
	require.NoError(t, inst.Chatwoot.Delete(t.Context()))
}

// A plain no is a refusal for every call, also as a word.
func TestPlainNoIsARefusal(t *testing.T) {
	for _, body := range []string{`{"success":"false","message":"Instance is not connected"}`, `{"success":0,"error":{"message":"Instance is not connected"}}`, `{"success":false}`} {
		for _, c := range acknowledged {
			_, inst, _ := answering(t, "t0ken", 200, body)
			assert.Equal(t, OutcomeNotAccepted, OutcomeOf(c.do(t.Context(), inst)), "%s: %s", c.name, body)
		}
	}
}

// What stands beside a success and says no leaves the outcome open, whatever the
// call is.
func TestNoBesideASuccessIsNoSuccess(t *testing.T) {
	for _, body := range []string{
		`{"success":true,"error":"no"}`, `{"success":true,"error":{"message":"no"}}`, `{"success":true,"error":{"code":7}}`, `{"success":true,"error":true}`,
		`{"success":true,"status":"failed"}`, `{"success":true,"data":{"success":false}}`, `{"success":true,"data":{"error":"no"}}`,
	} {
		requireNotDone(t, body)
	}
}

// An error need not have a text to stand beside an id.
func TestErrorWithoutATextLeavesTheOutcomeOpen(t *testing.T) {
	for said, want := range map[string]Outcome{
		`true`: OutcomeUnknown, `7`: OutcomeUnknown, `{"code":7}`: OutcomeUnknown, `{"code":"E7","message":""}`: OutcomeUnknown, `["no"]`: OutcomeUnknown, `[{"code":7}]`: OutcomeUnknown,
		`{"a":{"b":{"c":{"d":"deep"}}}}`: OutcomeUnknown, `{"code":7},"error":null`: OutcomeUnknown,
		`null`: OutcomeAccepted, `false`: OutcomeAccepted, `0`: OutcomeAccepted, `""`: OutcomeAccepted, `{}`: OutcomeAccepted, `[]`: OutcomeAccepted,
		`{"a":{"b":{"c":null}}}`: OutcomeAccepted, `{"a":{"b":{"c":false}}}`: OutcomeAccepted, `{"code":0,"message":""}`: OutcomeAccepted, `{"message":null,"details":[]}`: OutcomeAccepted, `{"code":"0"}`: OutcomeAccepted, `{"code":0.0}`: OutcomeAccepted,
	} {
		for _, body := range []string{`{"success":true,"data":{"messageId":"X"},"error":%s}`, `{"data":{"messageId":"X"},"error":%s}`, `{"success":true,"data":{"messageId":"X","error":%s}}`} {
			body = fmt.Sprintf(body, said)
			_, inst, count := answering(t, "t0ken", 200, body)
			_, err := inst.Messages.SendText(t.Context(), "5511987654321", "hi")
			assert.Equal(t, want, OutcomeOf(err), "%s: %v", body, err)
			assert.Equal(t, want == OutcomeUnknown, errors.Is(err, ErrOutcomeUnknown), body)
			assert.Equal(t, 1, *count)
		}
	}
	// With nothing else the reply is not plain, though a text stands elsewhere.
	_, inst, _ := answering(t, "t0ken", 200, `{"error":{"code":7},"message":"queued"}`)
	require.ErrorIs(t, inst.Reconnect(t.Context()), ErrOutcomeUnknown)
}

// The activation of Chatwoot shows an integration, or an error instead of it.
func TestErrorInPlaceOfAnIntegrationIsARefusal(t *testing.T) {
	for body, want := range map[string]Outcome{
		`{"error":"no"}`: OutcomeNotAccepted, `{"error":{"message":"no"}}`: OutcomeNotAccepted, `{"success":false}`: OutcomeNotAccepted,
		`{"error":"no","status":"active"}`: OutcomeUnknown, `{"error":"no","bridge_integration_id":"7"}`: OutcomeUnknown, `{"success":true,"error":"no"}`: OutcomeUnknown,
		`{"error":{"code":7}}`: OutcomeUnknown, `{"status":"error","instance":"support"}`: OutcomeAccepted, `{"message":"chatwoot integration activated"}`: OutcomeAccepted,
	} {
		_, inst, _ := answering(t, "t0ken", 201, body)
		_, err := inst.Chatwoot.Set(t.Context(), ChatwootConfig{BaseURL: "https://chat.example", AccountID: 1, APIToken: "x", InboxName: "a"})
		assert.Equal(t, want, OutcomeOf(err), "%s: %v", body, err)
	}
}

// A yes and a no in one reply are neither, whichever comes last and whatever the
// call is.
func TestYesAndNoInOneReplyLeaveTheOutcomeOpen(t *testing.T) {
	for _, body := range []string{
		`{"success":true,"success":false,"messageId":"X"}`, `{"success":false,"success":true,"messageId":"X"}`, `{"Success":true,"success":false,"messageId":"X"}`,
		`{"success":false,"success":true,"error":{"message":"no"}}`, `{"success":false,"success":true,"success":false,"message":"no"}`,
	} {
		for _, do := range []func(*InstanceClient) error{
			func(i *InstanceClient) error { return just(i.Messages.Forward(t.Context(), "3EB0", "5511987654321")) },
			func(i *InstanceClient) error { return just(i.Messages.Edit(t.Context(), "3EB0", "hi")) },
			func(i *InstanceClient) error { return just(i.Messages.SendText(t.Context(), "5511987654321", "hi")) },
			func(i *InstanceClient) error { return i.Reconnect(t.Context()) },
		} {
			_, inst, _ := answering(t, "t0ken", 200, body)
			require.ErrorIs(t, do(inst), ErrOutcomeUnknown, body)
		}
	}
}

// What was made is read from any envelope, and a word for nothing names nothing.
func TestWhatWasMadeIsReadFromAnyEnvelope(t *testing.T) {
	const group, channel = "120363000000000001@g.us", "120363000000000001@newsletter"
	for _, c := range []struct {
		keys []string
		item string // with the id for %s
		id   string
		make func(*InstanceClient) (string, error)
	}{
		{[]string{"tag", "label"}, `{"id":%q,"name":"a"}`, "7", func(i *InstanceClient) (string, error) {
			l, err := i.Labels.Create(t.Context(), "a", 1)
			if err != nil {
				return "", err
			}
			return l.ID, nil
		}},
		{[]string{"group"}, `{"jid":%q}`, group, func(i *InstanceClient) (string, error) {
			g, err := i.Groups.Create(t.Context(), CreateGroupParams{Name: "a", Members: []JID{"5511987654321"}})
			if err != nil {
				return "", err
			}
			return string(g.JID), nil
		}},
		{[]string{"group", "community"}, `{"groupJid":%q,"isCommunity":true}`, group, func(i *InstanceClient) (string, error) {
			g, err := i.Communities.Create(t.Context(), CreateCommunityParams{Name: "a"})
			if err != nil {
				return "", err
			}
			return string(g.JID), nil
		}},
		{[]string{"channel", "newsletter"}, `{"jid":%q}`, channel, func(i *InstanceClient) (string, error) {
			n, err := i.Newsletters.Create(t.Context(), CreateNewsletterParams{Name: "a"})
			if err != nil {
				return "", err
			}
			return string(n.JID), nil
		}},
	} {
		envelopes := []string{`{"success":true,"data":%s}`, `%s`}
		for _, key := range c.keys {
			envelopes = append(envelopes, `{"success":true,"`+key+`":%s}`, `{"success":true,"data":{"`+key+`":%s}}`)
		}
		for _, envelope := range envelopes {
			body := fmt.Sprintf(envelope, fmt.Sprintf(c.item, c.id))
			_, inst, _ := answering(t, "t0ken", 200, body)
			id, err := c.make(inst)
			require.NoError(t, err, body)
			assert.Equal(t, c.id, id, body)
			for _, none := range []string{"", " ", "null", "undefined", "<nil>"} {
				body := fmt.Sprintf(envelope, fmt.Sprintf(c.item, none))
				_, inst, _ := answering(t, "t0ken", 200, body)
				_, err := c.make(inst)
				require.ErrorIs(t, err, ErrOutcomeUnknown, body)
			}
		}
	}
}

// A redirect that says that it succeeded is none.
// Any reply may have an id; a label has a name, or the service's word beside it.
func TestIDOfAnotherMakeIsNoLabel(t *testing.T) {
	_, inst, _ := answering(t, "t0ken", 200, `{"id":"req-77","message":"Please log in"}`)
	require.ErrorIs(t, just(inst.Labels.Create(t.Context(), "a", 1)), ErrOutcomeUnknown)
}

func TestRedirectThatSaysItSucceededLeavesTheOutcomeOpen(t *testing.T) {
	for _, status := range []int{307, 308} {
		for body, want := range map[string]Outcome{``: OutcomeNotAccepted, `{"success":false,"error":{"message":"moved"}}`: OutcomeNotAccepted, `{"success":true,"data":{"messageId":"X"}}`: OutcomeUnknown} {
			_, inst, count := answering(t, "t0ken", status, body)
			_, err := inst.Messages.SendText(t.Context(), "5511987654321", "hi")
			require.ErrorIs(t, err, ErrRedirect)
			assert.Equal(t, want, OutcomeOf(err), body)
			assert.Equal(t, want == OutcomeUnknown, errors.Is(err, ErrOutcomeUnknown), body)
			assert.Equal(t, OutcomeUnknown != want, OutcomeOf(inst.Logout(t.Context())) == OutcomeNotAccepted, body)
			assert.Equal(t, 2, *count)
		}
	}
}

// An error beside what a read or a change shows is not passed over: an empty list
// is none that was read, and what is shown is not what was set.
func TestErrorBesideWhatIsShownIsNoSuccess(t *testing.T) {
	for body, do := range map[string]func(*Client, *InstanceClient) error{
		`"instances":[]`: func(c *Client, _ *InstanceClient) error { return just(c.Account("t0ken").ListInstances(t.Context())) },
		`"groups":[]`:    func(_ *Client, i *InstanceClient) error { return just(i.Groups.List(t.Context())) },
		`"settings":{"rejectCalls":true}`: func(_ *Client, i *InstanceClient) error {
			return just(i.Settings.Update(t.Context(), SettingsUpdate{AutoReadMessages: new(false)}))
		},
		`"webhook":{"label":"crm","enabled":true,"url":"https://x.example"}`: func(_ *Client, i *InstanceClient) error {
			return just(i.Webhooks.Set(t.Context(), WebhookConfig{Label: "crm", URL: "https://x.example"}))
		},
		`"messages":[]`: func(_ *Client, i *InstanceClient) error {
			return just(i.Chats.HistoryPage(t.Context(), "5511987654321", HistoryQuery{}))
		},
		`"data":{"content":"hi"}`: func(_ *Client, i *InstanceClient) error { return just(i.Messages.Get(t.Context(), "3EB0")) },
	} {
		client, inst, _ := answering(t, "t0ken", 200, `{"success":true,`+body+`}`)
		require.NoError(t, do(client, inst), body)
		for _, beside := range []string{`"error":{"message":"no rights for t0ken"}`, `"error":"no rights for t0ken"`, `"error":{"code":5}`} {
			client, inst, count := answering(t, "t0ken", 200, `{"success":true,`+beside+`,`+body+`}`)
			err := do(client, inst)
			require.ErrorIs(t, err, ErrBadResponse, body)
			require.NotErrorIs(t, err, ErrOutcomeUnknown, "it may be repeated")
			assert.Equal(t, OutcomeUnknown, OutcomeOf(err), body)
			assert.Equal(t, strings.Contains(beside, "no rights"), strings.Contains(err.Error(), "no rights for [redacted]"), "%v", err)
			assert.Equal(t, 1, *count)
		}
	}
}
