package ryze

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	news      = JID("120363000000000009@newsletter")
	newsReply = `{"success":true,"message":"ok","channel":{"jid":"120363000000000009@newsletter","state":"active","name":"Acme news",
		"description":"Monthly updates","inviteLink":"https://whatsapp.com/channel/120363000000000009","subscriberCount":42,
		"pictureUrl":"https://pps.example.net/temporary","verified":true}}`
)

func TestNewsletterCreationSendsOnlyWhatWasGiven(t *testing.T) {
	for name, test := range map[string]struct {
		params CreateNewsletterParams
		body   string
	}{
		"picture from a URL": {
			CreateNewsletterParams{Name: "Acme news", Description: "Monthly updates", Image: MediaURL("https://cdn.example.com/acme.png")},
			`{"name":"Acme news","description":"Monthly updates","image":"https://cdn.example.com/acme.png"}`,
		},
		"picture from a stream": {
			CreateNewsletterParams{Name: "Acme news", Image: MediaReader("acme.png", bytes.NewBufferString(png))},
			`{"name":"Acme news","image":"` + pngBase64 + `"}`,
		},
		"the least": {CreateNewsletterParams{Name: "Acme news"}, `{"name":"Acme news"}`},
	} {
		t.Run(name, func(t *testing.T) {
			inst := exchanging(t, exchange{method: "POST", path: "/api/newsletter/create/main", body: test.body, reply: newsReply})
			channel, err := inst.Newsletters.Create(t.Context(), test.params)
			require.NoError(t, err)
			assert.Equal(t, Newsletter{
				Meta: channel.Meta, JID: news, State: NewsletterActive, Name: "Acme news", Description: "Monthly updates",
				InviteLink: "https://whatsapp.com/channel/120363000000000009", Subscribers: 42, PictureURL: "https://pps.example.net/temporary",
			}, *channel)
			assert.Contains(t, string(channel.Raw()), "verified")
		})
	}
}

func TestNewsletterCreationWithoutAChannelIsAnUnknownOutcome(t *testing.T) {
	for _, reply := range []string{`{"success":true}`, `{"channel":null}`, `{"channel":{"name":"Acme news"}}`} {
		inst := exchanging(t, exchange{method: "POST", path: "/api/newsletter/create/main", body: `{"name":"Acme news"}`, reply: reply})
		_, err := inst.Newsletters.Create(t.Context(), CreateNewsletterParams{Name: "Acme news"})
		require.ErrorIs(t, err, ErrOutcomeUnknown)
		assert.ErrorContains(t, err, "list the channels")
	}
}

func TestNewsletterListAcceptsEveryLikelyKey(t *testing.T) {
	const items = `[{"jid":"120363000000000009@newsletter","state":"novel","name":"Acme news","pictureUrl":null,"subscriberCount":null},{"jid":"120363000000000010@newsletter"}]`
	x := exchange{method: "GET", path: "/api/newsletter/list/main"}
	for name, reply := range map[string]string{
		"channels":    `{"success":true,"channels":` + items + `}`,
		"newsletters": `{"success":true,"newsletters":` + items + `}`,
		"data":        `{"success":true,"data":` + items + `}`,
		"below data":  `{"success":true,"data":{"newsletters":` + items + `}}`,
	} {
		t.Run(name, func(t *testing.T) {
			x.reply = reply
			list, err := exchanging(t, x).Newsletters.List(t.Context())
			require.NoError(t, err)
			require.Len(t, list, 2)
			assert.Equal(t, news, list[0].JID)
			assert.Equal(t, NewsletterState("novel"), list[0].State)
			assert.Empty(t, list[0].PictureURL)
			assert.JSONEq(t, `{"jid":"120363000000000010@newsletter"}`, string(list[1].Raw()))
		})
	}
	t.Run("another key", func(t *testing.T) {
		x.reply = `{"success":true,"subscriptions":` + items + `}`
		_, err := exchanging(t, x).Newsletters.List(t.Context())
		require.ErrorIs(t, err, ErrBadResponse)
		var unreadable *ResponseError
		require.ErrorAs(t, err, &unreadable)
		assert.JSONEq(t, x.reply, string(unreadable.Body))
	})
}

func TestNewsletterIsNamedByAddressLinkOrCode(t *testing.T) {
	for ref, sent := range map[string]struct{ plain, query string }{
		string(news):                                        {"120363000000000009@newsletter", "120363000000000009%40newsletter"},
		"https://whatsapp.com/channel/0029VaAbC":            {"https://whatsapp.com/channel/0029VaAbC", "https%3A%2F%2Fwhatsapp.com%2Fchannel%2F0029VaAbC"},
		"https://www.whatsapp.com/channel/0029VaAbC/?utm=x": {"https://whatsapp.com/channel/0029VaAbC", "https%3A%2F%2Fwhatsapp.com%2Fchannel%2F0029VaAbC"},
		"0029VaAbC":          {"0029VaAbC", "0029VaAbC"},
		"120363000000000009": {"120363000000000009", "120363000000000009"}, // a code, not an address
	} {
		t.Run(ref, func(t *testing.T) {
			body := `{"identifier":"` + sent.plain + `"}`
			inst := exchanging(t,
				exchange{method: "GET", path: "/api/newsletter/info/main", query: "identifier=" + sent.query, reply: newsReply},
				exchange{method: "POST", path: "/api/newsletter/join/main", body: body, reply: `{"success":true,"message":"ok","channelJid":"120363000000000009@newsletter"}`},
				exchange{method: "DELETE", path: "/api/newsletter/leave/main", query: "identifier=" + sent.query, reply: `{"success":true,"message":"Successfully left newsletter","channelJid":null}`},
			)
			channel, err := inst.Newsletters.Info(t.Context(), ref)
			require.NoError(t, err)
			assert.Equal(t, news, channel.JID)
			followed, err := inst.Newsletters.Follow(t.Context(), ref)
			require.NoError(t, err)
			assert.Equal(t, news, followed)
			require.NoError(t, inst.Newsletters.Unfollow(t.Context(), ref))
		})
	}
}

func TestUnknownNewsletterIsErrNewsletterNotFoundWhateverTheStatus(t *testing.T) {
	for _, status := range []int{http.StatusBadRequest, http.StatusNotFound} {
		for _, text := range []string{"newsletter not found", "newsletter not found or no metadata returned"} {
			inst := exchanging(t, exchange{method: "POST", path: "/api/newsletter/join/main", body: `{"identifier":"Gone"}`, status: status, reply: refusal(text)})
			_, err := inst.Newsletters.Follow(t.Context(), "Gone")
			require.ErrorIs(t, err, ErrNewsletterNotFound)
			require.ErrorIs(t, err, ErrNotFound)
		}
	}
}

func TestFollowingWithoutAnAddressInTheReplyIsAnError(t *testing.T) {
	inst := exchanging(t, exchange{method: "POST", path: "/api/newsletter/join/main", body: `{"identifier":"AbC"}`, reply: `{"success":true,"channelJid":null}`})
	_, err := inst.Newsletters.Follow(t.Context(), "AbC")
	require.ErrorIs(t, err, ErrBadResponse)
}

func TestNewsletterThatTheServiceCannotLeaveIsNotImplemented(t *testing.T) {
	inst := exchanging(t, exchange{method: "DELETE", path: "/api/newsletter/leave/main", query: "identifier=AbC",
		status: http.StatusNotImplemented, reply: refusal("WhatsApp client does not support UnfollowNewsletter")})
	require.ErrorIs(t, inst.Newsletters.Unfollow(t.Context(), "AbC"), ErrNotImplemented)
}

func TestNewsletterArgumentsAreRefusedBeforeAnyRequest(t *testing.T) {
	ctx := t.Context()
	s := silent(t).Newsletters
	requireInvalid(t, second(s.Create(ctx, CreateNewsletterParams{Name: " "})), "CreateNewsletterParams.Name")
	requireInvalid(t, second(s.Create(ctx, CreateNewsletterParams{Name: "News", Image: MediaURL("data:image/png;base64,AA")})), "CreateNewsletterParams.Image")
	for _, ref := range []string{
		"", " ", "Ab C", "5511987654321@s.whatsapp.net", "120363000000000001@g.us", "AbC@newsletter", "@newsletter",
		"https://chat.whatsapp.com/AbCdEf123", "https://whatsapp.com/AbC", "https://whatsapp.com/channel/", "https://example.com/channel/AbC",
		"https://x@whatsapp.com/channel/AbC", "https://whatsapp.com/channel/a/b",
	} {
		requireInvalid(t, second(s.Info(ctx, ref)), "channel")
		requireInvalid(t, second(s.Follow(ctx, ref)), "channel")
		requireInvalid(t, s.Unfollow(ctx, ref), "channel")
	}
}
