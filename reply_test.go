package ryze

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// answering returns a client whose requests are all answered alike, and counts them.
func answering(t *testing.T, token string, status int, body string) (*Client, *InstanceClient, *int) {
	t.Helper()
	count := new(int)
	client, err := New(WithBaseURL("https://ryze.test"), WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		*count++
		resp := jsonResponse(r, body)
		resp.StatusCode = status
		return resp, nil
	})}))
	require.NoError(t, err)
	return client, client.Instance("support", token), count
}

// A message id is an acceptance unless the reply says in so many words that it
// failed; then it is in doubt, unless the service says so in its envelope.
func TestMessageIDIsAnAcceptance(t *testing.T) {
	const (
		accepted = "accepted"
		unknown  = "unknown"
		refused  = "refused"
	)
	for body, want := range map[string]string{
		`{"success":true,"data":{"messageId":"X"}}`:                                   accepted,
		`{"success":1,"data":{"messageId":"X"}}`:                                      accepted,
		`{"success":"true","data":{"messageId":"X"}}`:                                 accepted,
		`{"success":"ok","data":{"messageId":"X"}}`:                                   accepted,
		`{"success":{},"data":{"messageId":"X"}}`:                                     accepted,
		`{"success":[],"data":{"messageId":"X"}}`:                                     accepted,
		`{"success":null,"data":{"messageId":"X"}}`:                                   accepted,
		`{"data":{"messageId":"X"}}`:                                                  accepted,
		`{"data":{"messageId":"X"},"error":null}`:                                     accepted,
		`{"success":true,"status":"sent","data":{"messageId":"X","status":"queued"}}`: accepted,
		`{"success":true,"status":"failed","data":{"messageId":"X"}}`:                 unknown,
		`{"success":true,"status":"Error","data":{"messageId":"X"}}`:                  unknown,
		`{"status":"disconnected","data":{"messageId":"X"}}`:                          unknown,
		`{"success":true,"data":{"messageId":"X","status":"failed"}}`:                 unknown,
		`{"success":"false","data":{"messageId":"X"}}`:                                unknown,
		`{"success":0,"data":{"messageId":"X"}}`:                                      unknown,
		`{"error":{"message":"no"},"data":{"messageId":"X"}}`:                         unknown,
		`{"success":true,"error":{"message":"no"},"data":{"messageId":"X"}}`:          unknown,
		`{"success":true,"data":{"messageId":"X","error":"no"}}`:                      unknown,
		`{"success":true,"data":{"messageId":"X","success":false}}`:                   unknown,
		`{"success":true,"data":{"messageId":"X","success":"false"}}`:                 unknown,
		`{"success":"failure","data":{"messageId":"X"}}`:                              unknown,
		`{"success":"not sent","data":{"messageId":"X"}}`:                             unknown,
		`{"success":"não","data":{"messageId":"X"}}`:                                  unknown,
		`{"success":"nao enviado","data":{"messageId":"X"}}`:                          unknown,
		`{"success":"n","data":{"messageId":"X"}}`:                                    unknown,
		`{"success":"0.0","data":{"messageId":"X"}}`:                                  unknown,
		`{"success":-1,"data":{"messageId":"X"}}`:                                     unknown,
		`{"success":500,"data":{"messageId":"X"}}`:                                    unknown,
		`{"success":200,"data":{"messageId":"X"}}`:                                    accepted,
		`{"success":"sent","data":{"messageId":"X"}}`:                                 accepted,
		`{"success":"","data":{"messageId":"X"}}`:                                     accepted,
		`{"success":true,"success":false,"data":{"messageId":"X"}}`:                   unknown,
		`{"success":false,"Success":true,"data":{"messageId":"X"}}`:                   unknown,
		`{"success":false,"success":null,"data":{"messageId":"X"}}`:                   refused,
		`{"success":true,"success":null,"data":{"messageId":"X"}}`:                    accepted,
		`{"status":"failed","status":"sent","data":{"messageId":"X"}}`:                unknown,
		`{"error":{"message":"no"},"error":null,"data":{"messageId":"X"}}`:            unknown,
		`{"data":{"messageId":"X","error":"no","error":{}}}`:                          unknown,
		`{"data":{"messageId":"X","message_id":null}}`:                                accepted,
		`{"data":{"messageId":"X","messageID":""}}`:                                   accepted,
		`{"messageId":"X","message_id":0}`:                                            accepted,
		`{"data":{"messageId":"X"},"data":null}`:                                      accepted,
		`{"success":true,"data":{"messageId":"<nil>"}}`:                               unknown,
		`{"success":true,"data":{"messageId":"false"}}`:                               unknown,
		`{"success":true,"data":{"messageId":0.0}}`:                                   unknown,
		`{"success":true,"data":{"messageId":-1}}`:                                    unknown,
		`{"success":true,"data":{"messageId":"-"}}`:                                   unknown,
		`{"data":{"messageId":"X","success":true}}`:                                   accepted,
		`{"success":false,"data":{"messageId":"X"}}`:                                  refused,
		`{"success":false,"error":{"message":"Number is not on WhatsApp"}}`:           refused,
		`{"success":false,"error":{"message":"no"},"data":{"messageId":"X"}}`:         refused,
		"\ufeff{\"success\":false,\"error\":{\"message\":\"no\"}}":                    refused,
		`{"error":{"message":"Number is not on WhatsApp"}}`:                           refused,
		`{"error":"Number is not on WhatsApp"}`:                                       refused,
		`{"success":null,"error":{"message":"no"}}`:                                   refused,
		`{"success":"false","error":{"message":"no"}}`:                                refused,
		`{"success":0,"error":{"message":"no"}}`:                                      refused,
		`{"success":0}`:                                                               unknown,
		`{"success":"0"}`:                                                             unknown,
		`{"success":"false"}`:                                                         unknown,
		`{"success":null}`:                                                            unknown,
		`{"success":false}`:                                                           refused,
		`{"success":false,"error":"no"}`:                                              refused,
		`{"success":false,"error":null}`:                                              refused,
		`{"success":false,"errors":[{"code":7}]}`:                                     refused,
		`{"messageId":"X"}`:                                                           accepted,
		"\ufeff{\"data\":{\"messageId\":\"X\"}}":                                      accepted,
		" \n\ufeff {\"data\":{\"messageId\":\"X\"}}":                                  accepted,
		`{"success":true}`:                                                            unknown,
		`{"success":1,"data":null}`:                                                   unknown,
		`{}`:                                                                          unknown,
		`[]`:                                                                          unknown,
		`"ok"`:                                                                        unknown,
		`null`:                                                                        unknown,
		``:                                                                            unknown,
		`<html>ok</html>`:                                                             unknown,
	} {
		t.Run(body, func(t *testing.T) {
			_, inst, count := answering(t, "t0ken", 200, body)
			sent, err := inst.Messages.SendText(t.Context(), "5511987654321", "hi")
			assert.Equal(t, 1, *count)
			var api *APIError
			switch want {
			case accepted:
				require.NoError(t, err)
				assert.Equal(t, "X", sent.ID)
			case unknown:
				require.ErrorIs(t, err, ErrOutcomeUnknown)
				require.ErrorIs(t, err, ErrBadResponse)
				assert.Equal(t, OutcomeUnknown, OutcomeOf(err))
			case refused:
				assert.Equal(t, OutcomeNotAccepted, OutcomeOf(err))
				require.ErrorAs(t, err, &api)
				require.NotErrorIs(t, err, ErrOutcomeUnknown)
			}
		})
	}
}

// The status of a send says more than its id when it says no, in whatever form.
func TestStatusThatSaysNoLeavesTheOutcomeOpen(t *testing.T) {
	no := []string{
		`"failed"`, `"FAILURE"`, `"error"`, `"Errored"`, `"send_error"`, `"rejected"`, `"refused"`, `"declined"`, `"not_sent"`, `"not sent"`, `"notSent"`, `"NOT-SENT"`, `"notsent"`,
		`"unsent"`, `"undelivered"`, `"undeliverable"`, `"non_delivered"`, `"cancelled"`, `"canceled"`, `"CANCEL"`, `"expired"`, `"blocked"`, `"denied"`, `"aborted"`, `"invalid"`,
		`"timeout"`, `"timed_out"`, `"dropped"`, `"discarded"`, `"disconnected"`, `"offline"`, `"banned"`, `"forbidden"`, `"unauthorized"`, `"unavailable"`, `"unsupported"`, `"rate_limited"`,
		`"throttled"`, `"suspended"`, `"revoked"`, `"deleted"`, `"skipped"`, `"ignored"`, `"bounced"`, `"no"`, `"false"`, `"nack"`, `"falhou"`, `"erro"`, `"não enviado"`, `"nao_enviado"`, `"rejeitado"`,
		`"recusada"`, `"cancelado"`, `"bloqueado"`, `"expirado"`, `"negado"`, `" Failed "`, `"message.failed"`, `"DeliveryFailed"`, `"SENT_FAILED"`, `false`, `-1`, `500`, `"400"`, `"-1"`,
	}
	yes := []string{
		`"sent"`, `"SENT"`, `"queued"`, `"pending"`, `"accepted"`, `"delivered"`, `"received"`, `"read"`, `"played"`, `"unread"`, `"processing"`, `"scheduled"`, `"success"`, `"ok"`, `"done"`, `"created"`,
		`"notified"`, `"noted"`, `"server_ack"`, `"enviado"`, `"em fila"`, `"sent ✓"`, `""`, `" "`, `null`, `true`, `1`, `0`, `200`, `"200"`, `{}`, `[]`, `{"code":"failed"}`,
	}
	for want, statuses := range map[Outcome][]string{OutcomeUnknown: no, OutcomeAccepted: yes} {
		for _, status := range statuses {
			for _, body := range []string{
				`{"success":true,"status":` + status + `,"data":{"messageId":"X"}}`, `{"success":true,"status":"sent","data":{"messageId":"X","status":` + status + `}}`,
			} {
				_, inst, count := answering(t, "t0ken", 200, body)
				_, err := inst.Messages.SendText(t.Context(), "5511987654321", "hi")
				assert.Equal(t, want, OutcomeOf(err), "%s: %v", body, err)
				assert.Equal(t, want == OutcomeUnknown, errors.Is(err, ErrOutcomeUnknown), body)
				assert.Equal(t, 1, *count)
			}
		}
	}
}

// noIDs stand where an id should be, and are none.
var noIDs = []string{
	`""`, `" "`, `"\t\n"`, `"\u00a0"`, `"\u200b"`, `"\u0000"`, `"\ufeff"`, `null`, `"null"`, `" null "`, `"undefined"`, `"<nil>"`, `"None"`,
	`0`, `"0"`, `0.0`, `-1`, `"-1"`, `{}`, `[]`, `true`, `false`, `"false"`, `"NaN"`, `"[object Object]"`, `"-"`, `"-0"`, `"0.0"`, `"00000000-0000-0000-0000-000000000000"`,
}

// An id is whatever names a message: a number too, but neither a blank nor a word
// for nothing.
func TestMessageIDMayBeANumberButNotABlank(t *testing.T) {
	ids := map[string]string{
		`"3EB0"`: "3EB0", `" 3EB0\n"`: "3EB0", `12345678901234567890`: "12345678901234567890", `7`: "7", `"7"`: "7", `-5`: "-5", `"000"`: "000", `["X"]`: "",
	}
	for _, none := range noIDs {
		ids[none] = ""
		_, inst, _ := answering(t, "t0ken", 200, `{"success":true,"data":{"messageId":"A","replyTo":{"messageId":`+none+`}}}`)
		sent, err := inst.Messages.SendText(t.Context(), "5511987654321", "hi")
		require.NoError(t, err)
		assert.Empty(t, sent.ReplyTo, none)
	}
	for id, want := range ids {
		_, inst, _ := answering(t, "t0ken", 200, `{"success":true,"data":{"messageId":`+id+`}}`)
		sent, err := inst.Messages.SendText(t.Context(), "5511987654321", "hi")
		_, forward, _ := answering(t, "t0ken", 200, `{"success":true,"messageId":`+id+`}`)
		copied, forwardErr := forward.Messages.Forward(t.Context(), "3EB0", "5511987654321")
		if want == "" {
			require.ErrorIs(t, err, ErrOutcomeUnknown, id)
			require.ErrorIs(t, forwardErr, ErrOutcomeUnknown, id)
			continue
		}
		require.NoError(t, err, id)
		assert.Equal(t, want, sent.ID)
		require.NoError(t, forwardErr, id)
		assert.Equal(t, want, copied.ID)
	}
}

// Only what a reply says in so many words is certain, also where it has nothing but
// that.
func TestOnlyAPlainNoSaysForCertainThatACallFailed(t *testing.T) {
	for body, want := range map[string]Outcome{
		`{"success":false,"error":{"message":"no"}}`: OutcomeNotAccepted, `{"success":false}`: OutcomeNotAccepted,
		`{"error":{"message":"no"}}`: OutcomeNotAccepted,
		`{"success":0}`:              OutcomeUnknown, `{"success":"false"}`: OutcomeUnknown, `{"success":true,"status":"rejected"}`: OutcomeUnknown,
	} {
		client, inst, count := answering(t, "t0ken", 200, body)
		_, created := inst.Groups.Create(t.Context(), CreateGroupParams{Name: "a", Members: []JID{"5511987654321"}})
		_, done := client.Do(t.Context(), http.MethodPost, "/api/new/route", "t0ken", nil, nil)
		for what, err := range map[string]error{"create": created, "reconnect": inst.Reconnect(t.Context()), "do": done} {
			if what == "do" && strings.Contains(body, "rejected") {
				continue // nobody knows what its replies mean
			}
			assert.Equal(t, want, OutcomeOf(err), "%s: %s: %v", what, body, err)
			assert.Equal(t, want == OutcomeUnknown, errors.Is(err, ErrOutcomeUnknown), "%s: %s", what, body)
		}
		assert.Equal(t, 3, *count)
	}
}

// The creation of a group or an instance is read from any envelope that the
// service is known to use.
func TestCreationIsReadFromAnyEnvelope(t *testing.T) {
	for _, envelope := range []string{
		`{"success":true,"group":%s,"instance":%[1]s}`, `{"success":true,"data":%s}`, `{"success":true,"data":{"group":%s,"instance":%[1]s}}`, `%s`,
		`{"data":{"group":%s,"instance":%[1]s}}`,
	} {
		client, inst, _ := answering(t, "t0ken", 201, fmt.Sprintf(envelope, `{"jid":"120363000000000001@g.us","name":"a","token":"n3w","status":"disconnected"}`))
		group, err := inst.Groups.Create(t.Context(), CreateGroupParams{Name: "a", Members: []JID{"5511987654321"}})
		require.NoError(t, err, envelope)
		assert.Equal(t, JID("120363000000000001@g.us"), group.JID)
		instance, err := client.Account("acc").CreateInstance(t.Context(), CreateInstanceParams{Name: "a"})
		require.NoError(t, err, envelope)
		assert.Equal(t, "a", instance.Name)
		assert.Equal(t, "n3w", instance.Token.Reveal())
	}
}

// What a reply shows exists, also beside a plain no: nobody may create it again
// unseen.
func TestCreationThatTheReplyShowsIsNotDenied(t *testing.T) {
	for _, body := range []string{
		`{"success":false,"error":{"message":"picture"},%s}`, `{"success":false,%s}`, `{"success":"false",%s}`,
	} {
		client, inst, count := answering(t, "t0ken", 201, fmt.Sprintf(body,
			`"group":{"jid":"120363000000000001@g.us"},"channel":{"jid":"120363000000000002@newsletter"},"tag":{"id":"7"},"instance":{"name":"a","token":"n3w"}`))
		for what, create := range map[string]func() error{
			"group": func() error {
				_, err := inst.Groups.Create(t.Context(), CreateGroupParams{Name: "a", Members: []JID{"5511987654321"}})
				return err
			},
			"community": func() error {
				_, err := inst.Communities.Create(t.Context(), CreateCommunityParams{Name: "a"})
				return err
			},
			"channel": func() error {
				_, err := inst.Newsletters.Create(t.Context(), CreateNewsletterParams{Name: "a"})
				return err
			},
			"label": func() error {
				_, err := inst.Labels.Create(t.Context(), "a", 1)
				return err
			},
			"instance": func() error {
				_, err := client.Account("acc").CreateInstance(t.Context(), CreateInstanceParams{Name: "a"})
				return err
			},
		} {
			*count = 0
			err := create()
			require.ErrorIs(t, err, ErrOutcomeUnknown, "%s: %s", what, body)
			assert.Equal(t, OutcomeUnknown, OutcomeOf(err), what)
			assert.NotContains(t, err.Error(), "n3w")
			assert.Equal(t, 1, *count)
		}
	}
}

// An error beside a new instance is told, and the instance is not lost.
func TestErrorBesideANewInstanceIsTold(t *testing.T) {
	client, _, _ := answering(t, "t0ken", 201, `{"success":true,"instance":{"name":"a","token":"n3w"},"error":{"message":"no webhook for n3w, acc"}}`)
	created, err := client.Account("acc").CreateInstance(t.Context(), CreateInstanceParams{Name: "a"})
	require.ErrorIs(t, err, ErrPartial)
	assert.Equal(t, "n3w", created.Token.Reveal())
	assert.Contains(t, err.Error(), `the instance "a" was created, but no webhook for`)
	assert.NotContains(t, err.Error(), "acc,")
}

// What stands in the data of a reply that has nothing else to say may say no.
func TestNoInTheDataIsNoSuccess(t *testing.T) {
	for body, done := range map[string]bool{
		`{"success":true,"data":{"success":true}}`:                     true,
		`{"success":true,"data":{"state":"closed"}}`:                   true,
		`{"success":true,"data":[{"success":false}]}`:                  true,
		`{"success":true,"data":"done"}`:                               true,
		`{"success":true,"data":null}`:                                 true,
		`{"success":true,"data":{"success":false}}`:                    false,
		`{"success":true,"data":{"success":"false"}}`:                  false,
		`{"success":true,"data":{"error":{"message":"still there"}}}`:  false,
		`{"success":true,"data":{"success":true,"error":"no rights"}}`: false,
	} {
		client, inst, _ := answering(t, "t0ken", 200, body)
		for _, err := range []error{client.Account("t0ken").DeleteInstance(t.Context(), "a"), inst.Groups.Leave(t.Context(), "120363000000000001@g.us")} {
			if done {
				require.NoError(t, err, body)
			} else {
				require.ErrorIs(t, err, ErrBadResponse, body)
			}
		}
	}
}

// A refusal that says that it succeeded is no refusal: nothing is sent again, and
// nobody is told that nothing was sent.
func TestRefusalThatSaysItSucceededLeavesTheOutcomeOpen(t *testing.T) {
	for _, status := range []int{400, 404, 409, 429, 451, 500, 503} {
		for _, body := range []string{
			`{"success":true,"data":{"messageId":"X"}}`, `{"success":true}`, `{"success":"true","error":{"message":"Rate limit exceeded. Try again later."}}`,
			`{"success":1,"error":"instance is not connected"}`,
		} {
			_, inst, count := answering(t, "t0ken", status, body)
			_, err := inst.Messages.SendText(t.Context(), "5511987654321", "hi")
			require.ErrorIs(t, err, ErrOutcomeUnknown, "%d %s", status, body)
			assert.Equal(t, OutcomeUnknown, OutcomeOf(err), "%d %s", status, body)
			assert.Equal(t, 1, *count, "%d %s", status, body)
		}
	}
}

// What is not the service's own says nothing about what the service did.
func TestForeignRefusals(t *testing.T) {
	pages := []string{"", "404 page not found\n", "<html>Forbidden</html>", `{"message":"Not Found"}`, `{"error":{"code":403,"message":"no"}}`,
		`{"success":false}`, `{"success":true,"error":{"message":"x"}}`, `{"success":false,"error":{"mess`, `null`, `[]`, `{"success":false,"error":null}`}
	for status := range map[int]bool{400: true, 401: true, 403: true, 404: true, 405: true, 408: true, 409: true, 413: true, 421: true, 451: true, 499: true, 500: true, 501: true, 502: true, 503: true, 504: true, 520: true, 599: true, 999: true} {
		for _, page := range pages {
			synctest.Test(t, func(t *testing.T) {
				client, inst, count := answering(t, "t0ken", status, page)
				_, err := inst.Messages.SendText(t.Context(), "5511987654321", "hi")
				require.ErrorIs(t, err, ErrForeignReply, "%d %q", status, page)
				assert.Equal(t, !saysRefused(status) || saysSucceeded([]byte(page)), errors.Is(err, ErrOutcomeUnknown), "%d %q", status, page)
				assert.Equal(t, 1, *count)
				for _, class := range statusClass(status) {
					require.ErrorIs(t, err, class)
				}

				for what, remove := range map[string]func() error{
					"delete instance":     func() error { return client.Account("acc").DeleteInstance(t.Context(), "support") },
					"leave":               func() error { return inst.Groups.Leave(t.Context(), "120363000000000001@g.us") },
					"unfollow":            func() error { return inst.Newsletters.Unfollow(t.Context(), "120363000000000001@newsletter") },
					"delete for everyone": func() error { return inst.Messages.DeleteForEveryone(t.Context(), "3EB0") },
					"delete label":        func() error { return inst.Labels.Delete(t.Context(), "1") },
					"chatwoot":            func() error { return inst.Chatwoot.Delete(t.Context()) },
				} {
					*count = 0
					err := remove()
					if what == "chatwoot" && isOwnChatwoot(page) {
						continue
					}
					require.ErrorIs(t, err, ErrForeignReply, "%s: %d %q", what, status, page)
					assert.Equal(t, 4, *count, what)
				}
			})
		}
	}
}

func isOwnChatwoot(page string) bool { return opChatwootDelete.isOwnRefusal([]byte(page)) }

// A removal whose reply was lost is done only when the service says that the
// removal's own target is gone.
func TestRemovalIsDoneOnlyWhenItsTargetIsGone(t *testing.T) {
	own := func(text string) scriptedReply { return scriptedReply{status: 404, body: refusal(text)} }
	lost := scriptedReply{status: 502, body: "<html>"}
	for _, c := range []struct {
		name   string
		remove func(context.Context, *InstanceClient) error
		done   string
		not    []string
	}{
		{"message", func(ctx context.Context, i *InstanceClient) error { return i.Messages.DeleteForEveryone(ctx, "3EB0") }, "Message not found",
			[]string{"Instance not found", "Chat not found", "Not found", "Tag not found"}},
		{"group", func(ctx context.Context, i *InstanceClient) error {
			return i.Groups.Leave(ctx, "120363000000000001@g.us")
		},
			"Group not found or you are not a member of this group", []string{"Instance not found", "Message not found"}},
		{"label", func(ctx context.Context, i *InstanceClient) error { return i.Labels.Delete(ctx, "1") }, "Tag not found", []string{"Instance not found"}},
		{"channel", func(ctx context.Context, i *InstanceClient) error {
			return i.Newsletters.Unfollow(ctx, "120363000000000001@newsletter")
		}, "newsletter not found", []string{"Instance not found"}},
		{"chatwoot", func(ctx context.Context, i *InstanceClient) error { return i.Chatwoot.Delete(ctx) }, "no chatwoot integration to delete", []string{"instance not found"}},
		{"instance", func(ctx context.Context, i *InstanceClient) error {
			return i.h.client.Account("acc").DeleteInstance(ctx, "support")
		}, "Instance not found", []string{"Not found", "Account not found"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inst, _ := script(t, lost, own(c.done))
				require.NoError(t, c.remove(t.Context(), inst))
				inst, _ = script(t, own(c.done))
				require.ErrorIs(t, c.remove(t.Context(), inst), ErrNotFound, "without a lost reply")
				for _, text := range c.not {
					inst, _ = script(t, lost, own(text))
					require.ErrorIs(t, c.remove(t.Context(), inst), ErrNotFound, text)
				}
			})
		})
	}
}

// Nothing is said to be done by a 200 that says nothing.
func TestEmptySuccessIsNoSuccess(t *testing.T) {
	for _, body := range []string{"{}", `{"other":1}`, `{"success":null}`} {
		_, inst, _ := answering(t, "t0ken", 200, body)
		require.ErrorIs(t, inst.Labels.Delete(t.Context(), "1"), ErrBadResponse, body)
	}
}

// A token that is also a word of the service's changes nothing but what is shown.
func TestWordsThatAreTokensDoNotChangeTheError(t *testing.T) {
	for _, token := range []string{"limit", "error", "Instance", "message", "success", "found", "Rate", "a", "false", "{"} {
		synctest.Test(t, func(t *testing.T) {
			_, inst, _ := answering(t, token, 404, refusal("Instance not found"))
			_, err := inst.Messages.SendText(t.Context(), "5511987654321", "hi")
			require.ErrorIs(t, err, ErrInstanceNotFound, token)
			require.NotErrorIs(t, err, ErrForeignReply, token)

			_, inst, _ = answering(t, token, 429, refusal("Rate limit exceeded. Try again later."))
			_, err = inst.Messages.SendText(t.Context(), "5511987654321", "hi")
			require.ErrorIs(t, err, ErrRateLimited, token)
		})
	}
}

// Whatever a reply repeats, and in whatever form, no secret of the call is in an
// error that is made of it.
func TestSecretsOfTheCallAreNotInItsErrors(t *testing.T) {
	const token, odd = "tok-123/45&6", `pä"ss\w<o>rd /&=+`
	params := CreateInstanceParams{
		Name: "a", Token: "new-token-1", Proxy: &ProxyConfig{Host: "proxy.example", Port: "1080", Protocol: "socks5", Username: "u", Password: odd},
		Webhook:  &WebhookConfig{URL: "https://hooks.example", Authorization: odd},
		Chatwoot: &ChatwootConfig{BaseURL: "https://chat.example", AccountID: 1, APIToken: odd, InboxName: "a"},
		Storage:  &StorageConfig{Region: "r", Bucket: "b", AccessKey: "access-key-1", SecretKey: odd, Endpoint: "https://s3.example"},
	}
	encoded, err := json.Marshal(odd + token)
	require.NoError(t, err)
	forms := []string{
		odd + " " + token, string(encoded), strings.ReplaceAll(string(encoded), "/", `\/`),
		`pä"ss%5Cw%3Co%3Erd+%2F%26%3D%2B tok-123%2f45%266`, `\u0074ok-123\u002f45\u00266`,
	}
	for _, status := range []int{200, 400, 401, 404, 429, 500, 502} {
		for _, form := range forms {
			for _, envelope := range []string{`%s`, `{"success":false,"error":{"message":"bad %s access-key-1 new-token-1"}}`, `<html>%s new-token-1</html>`} {
				body := fmt.Sprintf(envelope, strings.Trim(form, `"`))
				synctest.Test(t, func(t *testing.T) {
					client, inst, _ := answering(t, token, status, body)
					var errs []error
					_, err := client.Account(token).CreateInstance(t.Context(), params)
					errs = append(errs, err)
					_, err = inst.Webhooks.Set(t.Context(), *params.Webhook)
					errs = append(errs, err, inst.Proxy.Set(t.Context(), *params.Proxy))
					_, err = inst.Storage.Set(t.Context(), *params.Storage)
					errs = append(errs, err)
					_, err = inst.Chatwoot.Set(t.Context(), *params.Chatwoot)
					for i, err := range append(errs, err) {
						require.Error(t, err)
						var api *APIError
						var bad *ResponseError
						kept := ""
						switch {
						case errors.As(err, &api):
							kept = api.Message + string(api.Body)
						case errors.As(err, &bad):
							kept = string(bad.Body)
						}
						for _, text := range []string{kept, err.Error(), fmt.Sprintf("%+v %#v", err, err)} {
							for k, secret := range []string{"new-token-1", "tok-123", "ss\\w", "ss%5Cw", `ss\\w`, "ok-123"} {
								if k == 0 && i > 0 {
									continue // only the creation carries it
								}
								assert.NotContains(t, text, secret, "HTTP %d %s", status, body)
							}
						}
					}
				})
			}
		}
	}
}

// The token of an instance that was created, but whose reply cannot be used, is
// nobody's to read in a log.
func TestTokensThatAReplyTellsAreNotKept(t *testing.T) {
	for _, body := range []string{
		`{"success":true,"instance":{"name":"a","Token":"n3w-token"`, `{"success":false,"error":{"message":"x"},"instance":{"token" : "n3w-token"}}`,
		`{"success":false,"error":{"message":"x"},"data":{"codes":["n3w-token","n3w-token"],"qrCode":"n3w-token"}}`,
	} {
		client, _, _ := answering(t, "t0ken", 200, body)
		_, err := client.Account("acc").CreateInstance(t.Context(), CreateInstanceParams{Name: "a"})
		var api *APIError
		var bad *ResponseError
		require.True(t, errors.As(err, &api) || errors.As(err, &bad))
		if api != nil {
			assert.NotContains(t, string(api.Body), "n3w-token")
			assert.Contains(t, string(api.Body), "success")
		} else {
			assert.NotContains(t, string(bad.Body), "n3w-token")
		}
	}
}

func TestErrorTextsStayOnOneLine(t *testing.T) {
	_, inst, _ := answering(t, "t0ken", 400, `{"success":false,"error":{"message":"a\u0085b\u2028c\u202ed\u001b[31m\u009b31m\u2066e\u200f \ud83d\udc68\u200d\ud83d\udcbb"}}`)
	_, err := inst.Messages.SendText(t.Context(), "5511987654321", "hi")
	for _, r := range "\u0085\u2028\u202e\u001b\u009b\u2066\u200f" {
		assert.NotContains(t, err.Error(), string(r))
	}
	assert.Contains(t, err.Error(), "\U0001f468\u200d\U0001f4bb", "a joined emoji is whole")
}

// Whoever quotes a header may leave out its scheme, and a URL may have a password.
func TestPartsOfAWebhooksSecretsAreHidden(t *testing.T) {
	hook := WebhookConfig{URL: "https://user:url%2Fpass@hooks.example", Authorization: "Bearer hook-secret"}
	for _, status := range []int{200, 400, 500} {
		synctest.Test(t, func(t *testing.T) {
			client, inst, _ := answering(t, "t0ken", status, refusal("hook-secret is no Basic; https://user:url%2Fpass@hooks.example"))
			_, set := inst.Webhooks.Set(t.Context(), hook)
			_, ensured := inst.Webhooks.Ensure(t.Context(), hook)
			_, created := client.Account("acc").CreateInstance(t.Context(), CreateInstanceParams{Name: "a", Webhook: &hook})
			for _, err := range []error{set, ensured, created} {
				var e *APIError
				require.ErrorAs(t, err, &e)
				assert.NotContains(t, err.Error()+string(e.Body), "hook-secret")
				assert.NotContains(t, err.Error()+string(e.Body), "pass@")
			}
		})
	}
}

// failing is a reader, a limiter and a value that always fail with the same error.
type failing struct{ error }

func (f failing) Read([]byte) (int, error)     { return 0, f.error }
func (f failing) MarshalJSON() ([]byte, error) { return nil, f.error }
func (f *failing) UnmarshalJSON([]byte) error  { return f.error }
func (f failing) Rate(LimiterKey) RateLimit    { return RateLimit{} }
func (f failing) Acquire(context.Context, LimiterRequest) (Ticket, error) {
	return nil, f.error
}

// So do the texts of what the application brings, which may be a reader of a
// network connection.
func TestErrorTextsOfTheApplicationStayOnOneLine(t *testing.T) {
	cause := failing{errors.New("a\u0085b\u2028c\u202ed\x1b[31me\r\nf\u2066g t0ken")}
	client, _, _ := answering(t, "t0ken", 200, `{"success":true}`)
	inst, _ := script(t)
	send := func(i *InstanceClient, content Content) error {
		return just(i.Messages.Send(t.Context(), "5511987654321", content))
	}
	do := func(in, out any) error { return just(client.Do(t.Context(), http.MethodPost, "/x", "t0ken", in, out)) }
	limited := func(refusal error) error {
		c, err := New(WithLimiter(failing{refusal}))
		require.NoError(t, err)
		return send(c.Instance("a", "t0ken"), Text("hi"))
	}
	for what, err := range map[string]error{
		"reader":             send(inst, Media{Source: MediaReader("a.png", cause), FileName: "a.png"}),
		"reader, on the way": send(inst, Media{Source: MediaReader("a.png", io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<17)), cause)), FileName: "a.png"}),
		"file":               send(inst, Media{Source: MediaFile("no/" + cause.Error())}),
		"value":              do(cause, nil),
		"result":             do(nil, &cause),
		"limiter":            limited(cause.error),
		"limiter, no quota":  limited(&RateLimitError{Err: cause.error}),
	} {
		require.Error(t, err, what)
		for _, r := range "\u0085\u2028\u202e\u001b\r\n\u2066" {
			assert.NotContains(t, fmt.Sprintf("%v%+v%s", err, err, err), string(r), what)
		}
		if what != "file" {
			assert.ErrorIs(t, err, cause.error, what)
		}
	}
	assert.NotContains(t, do(nil, &cause).Error(), "t0ken", "what was read may hold a secret")
}

// Chatwoot's words with a status of a failing server leave the outcome open.
func TestChatwootFailureLeavesTheOutcomeOpen(t *testing.T) {
	for _, status := range []int{500, 502, 503, 504} {
		_, inst, count := answering(t, "t0ken", status, refusal("Chatwoot did not answer in time"))
		_, err := inst.Chatwoot.Set(t.Context(), ChatwootConfig{BaseURL: "https://chat.example", AccountID: 1, APIToken: "x", InboxName: "a"})
		require.ErrorIs(t, err, ErrOutcomeUnknown)
		require.ErrorIs(t, err, ErrChatwoot)
		require.ErrorIs(t, err, ErrServer)
		_, err = inst.Messages.SendText(t.Context(), "5511987654321", "hi")
		require.ErrorIs(t, err, ErrOutcomeUnknown)
		assert.Equal(t, 2, *count)
	}
}

// Statuses that are no HTTP statuses of a reply leave the outcome open.
func TestOddStatusesLeaveTheOutcomeOpen(t *testing.T) {
	for _, status := range []int{0, 100, 101, 199, 600, 999} {
		_, inst, count := answering(t, "t0ken", status, refusal("x"))
		_, err := inst.Messages.SendText(t.Context(), "5511987654321", "hi")
		require.ErrorIs(t, err, ErrOutcomeUnknown, "%d", status)
		assert.Equal(t, 1, *count)
	}
}

func TestDoTakesReplyWithoutBody(t *testing.T) {
	client, _, _ := answering(t, "t0ken", 204, "")
	_, err := client.Do(t.Context(), http.MethodPost, "/api/new/route", "t0ken", nil, nil)
	require.NoError(t, err)
	client, _, _ = answering(t, "t0ken", 200, "")
	_, err = client.Do(t.Context(), http.MethodHead, "/api/new/route", "t0ken", nil, nil)
	require.NoError(t, err)
	_, err = client.Do(t.Context(), http.MethodGet, "/api/new/route", "t0ken", nil, nil)
	require.ErrorIs(t, err, ErrBadResponse)
}

// endless gives so many bytes of a JSON string that does not end.
type endless struct{ left int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), e.left)
	for i := range p[:n] {
		p[i] = 'a'
	}
	e.left -= n
	return int(n), nil
}

// A huge reply costs no more memory than the largest that is accepted, however
// it is framed, and the error keeps a bounded part of it.
func TestHugeRepliesCostWhatIsAccepted(t *testing.T) {
	for _, c := range []struct {
		status   int
		read     bool // a call that may be repeated, whose replies may be long
		declared bool
		most     uint64
	}{
		{200, true, false, maxReply + 6<<20}, {200, true, true, 4 << 20}, {200, false, false, maxReceipt + 6<<20}, {200, false, true, 4 << 20},
		{400, true, false, maxRefusal + 6<<20}, {502, false, false, maxRefusal + 6<<20},
	} {
		client, err := New(WithBaseURL("https://ryze.test"), WithRetry(RetryPolicy{MaxAttempts: 1}), WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			resp := jsonResponse(r, "")
			resp.StatusCode, resp.Body, resp.ContentLength = c.status, io.NopCloser(&endless{200 << 20}), -1
			if c.declared {
				resp.ContentLength = 200 << 20
			}
			return resp, nil
		})}))
		require.NoError(t, err)
		inst := client.Instance("a", "t0ken")
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if c.read {
			_, err = inst.Groups.List(t.Context())
		} else {
			_, err = inst.Messages.SendText(t.Context(), "5511987654321", "hi")
		}
		runtime.ReadMemStats(&after)
		require.Error(t, err)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, c.most, "%+v", c)
		var bad *ResponseError
		var api *APIError
		switch {
		case errors.As(err, &bad):
			assert.Len(t, bad.Body, maxErrorBody)
		case errors.As(err, &api):
			assert.Len(t, api.Body, maxErrorBody)
		default:
			t.Errorf("%v", err)
		}
	}
}

// A route of the table has its properties, however its path is written.
func TestDoKnowsARouteInAnySpelling(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		for _, path := range []string{
			"/api/instance/connect/demo", "/api/instance/%63onnect/demo", "/api/instance/connect/de%6Do", "/api/instance/connect/de%2Fmo",
			"/api/instance/connect/demo/", "/api//instance/connect/demo", "/api/instance/connect/demo?number=1",
		} {
			client, _, count := answering(t, "t0ken", 502, "<html>")
			_, err := client.Do(t.Context(), method, path, "t0ken", nil, nil)
			require.ErrorIs(t, err, ErrOutcomeUnknown, "%s %s", method, path)
			assert.Equal(t, 1, *count, "%s %s", method, path)
		}
	}
}

func TestDoRefusesWhatIsNoMethod(t *testing.T) {
	client, _, count := answering(t, "t0ken", 200, "{}")
	for _, method := range []string{"", "X Y", "POST ", "G\u00c9T", "PO\nST", "get"} {
		_, err := client.Do(t.Context(), method, "/api/x", "t0ken", nil, nil)
		requireInvalid(t, err, "method")
	}
	assert.Zero(t, *count)
}

// A send that was accepted stays in doubt when the reply does not fit.
func TestDoLeavesADoubtWhenTheReplyDoesNotFit(t *testing.T) {
	client, _, _ := answering(t, "t0ken", 200, `{"success":true,"data":{"messageId":"X"}}`)
	var out struct{ Data struct{ MessageID int64 } }
	_, err := client.Do(t.Context(), http.MethodPost, "/api/message/text/demo", "t0ken", map[string]string{}, &out)
	require.ErrorIs(t, err, ErrOutcomeUnknown)
	require.ErrorIs(t, err, ErrBadResponse)
}

// A transport of the user's may break the rules of net/http's.
func TestTransportsThatGiveNothing(t *testing.T) {
	for _, reply := range []*http.Response{nil, {StatusCode: 200}} {
		client, err := New(WithRetry(RetryPolicy{MaxAttempts: 1}), WithHTTPClient(&http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) { return reply, nil })}))
		require.NoError(t, err)
		_, err = client.Instance("a", "t").Messages.SendText(t.Context(), "5511987654321", "hi")
		require.ErrorIs(t, err, ErrOutcomeUnknown)
	}
}

// failingBody ends with an error that repeats what it was told.
type failingBody struct{ text string }

func (b failingBody) Read([]byte) (int, error) { return 0, errors.New(b.text) }

func TestErrorsOfABodyDoNotShowTheToken(t *testing.T) {
	client, err := New(WithRetry(RetryPolicy{MaxAttempts: 1}), WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		resp := jsonResponse(r, "")
		resp.Body, resp.ContentLength = io.NopCloser(failingBody{"bad line tok-S3cr3t"}), -1
		return resp, nil
	})}))
	require.NoError(t, err)
	_, err = client.Instance("a", "tok-S3cr3t").Messages.SendText(t.Context(), "5511987654321", "hi")
	for err != nil {
		assert.NotContains(t, err.Error(), "tok-S3cr3t")
		err = errors.Unwrap(err)
	}
}

// brokenOff is a file that ends before its end.
type brokenOff struct {
	left int
	err  error
}

func (b *brokenOff) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, b.err
	}
	n := min(len(p), b.left)
	b.left -= n
	return n, nil
}

func TestMediaThatBreakOffAreNotSentAsIfWhole(t *testing.T) {
	for _, broken := range []error{io.ErrUnexpectedEOF, fmt.Errorf("read: %w", io.ErrUnexpectedEOF), fmt.Errorf("read: %w", io.EOF)} {
		for _, size := range []int{0, 100, 3000, 100_000, 5 << 20} {
			applied := false
			client, err := New(WithRetry(RetryPolicy{MaxAttempts: 1}), WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				if _, err := io.Copy(io.Discard, r.Body); err != nil {
					return nil, err
				}
				applied = true
				return jsonResponse(r, `{"success":true,"data":{"messageId":"X"}}`), nil
			})}))
			require.NoError(t, err)
			media := Media{Kind: MediaDocument, MIME: "application/pdf", Source: MediaReader("a.pdf", &brokenOff{size, broken})}
			_, err = client.Instance("a", "t").Messages.Send(t.Context(), "5511987654321", media)
			require.ErrorIs(t, err, broken, "%v after %d", broken, size)
			require.NotErrorIs(t, err, ErrOutcomeUnknown)
			assert.False(t, applied)
		}
	}
}
