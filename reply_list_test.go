package ryze

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// replying returns a client whose every request is answered with this body.
func replying(t *testing.T, body string) *Client {
	t.Helper()
	client, err := New(WithBaseURL("https://ryze.test"), WithRetry(RetryPolicy{MaxAttempts: 1}),
		WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			return jsonResponse(r, body), nil
		})}))
	require.NoError(t, err)
	return client
}

// lists are all calls that return a list, by the key under which it comes.
var lists = map[string]struct {
	key  string
	call func(context.Context, *Client) (any, error)
}{
	"instances": {"instances", func(ctx context.Context, c *Client) (any, error) { return c.Account("a").ListInstances(ctx) }},
	"contacts":  {"contacts", func(ctx context.Context, c *Client) (any, error) { return c.Instance("i", "t").Contacts.List(ctx) }},
	"labelled chats": {"chats", func(ctx context.Context, c *Client) (any, error) {
		chats, err := c.Instance("i", "t").Contacts.ByLabel(ctx, LabelFilter{})
		if err != nil {
			return nil, err
		}
		return chats.Chats, nil
	}},
	"history": {"messages", func(ctx context.Context, c *Client) (any, error) {
		page, err := c.Instance("i", "t").Chats.HistoryPage(ctx, ana, HistoryQuery{})
		if err != nil {
			return nil, err
		}
		return page.Messages, nil
	}},
	"labels":   {"tags", func(ctx context.Context, c *Client) (any, error) { return c.Instance("i", "t").Labels.List(ctx) }},
	"webhooks": {"webhooks", func(ctx context.Context, c *Client) (any, error) { return c.Instance("i", "t").Webhooks.List(ctx) }},
	"groups":   {"groups", func(ctx context.Context, c *Client) (any, error) { return c.Instance("i", "t").Groups.List(ctx) }},
	"requests": {"requests", func(ctx context.Context, c *Client) (any, error) {
		return c.Instance("i", "t").Groups.Requests(ctx, crew)
	}},
	"subgroups": {"subgroups", func(ctx context.Context, c *Client) (any, error) {
		return c.Instance("i", "t").Communities.Subgroups(ctx, crew)
	}},
	"channels": {"channels", func(ctx context.Context, c *Client) (any, error) { return c.Instance("i", "t").Newsletters.List(ctx) }},
}

// A list that is empty and a reply that has no list are two things: who takes
// the second for the first creates again what exists.
func TestEveryListTellsEmptyFromMissing(t *testing.T) {
	for name, l := range lists {
		t.Run(name, func(t *testing.T) {
			for _, c := range []struct {
				body string
				n    int // -1: an error
			}{
				{`{"success":true,%q:[]}`, 0},
				{`{"success":true,%q:null}`, 0},
				{`{"success":true,"total":0,%q : null }`, 0},
				{`{"success":true,"data":{%q:null}}`, 0},
				{`{"success":true,"data":{%q:[{}]}}`, 1},
				{`{"success":true,"data":[{"k":%q}]}`, 1},
				{`{"success":true,%q:"x","data":[{}]}`, 1},
				{`{"success":true,%q:[{}, {"id":{},"jid":[],"name":{},"timestamp":{}}]}`, 2},
				{`{"success":true,%q:["x", 7, true, []]}`, 4},
				{`{"success":true,"k":%q}`, -1},
				{`{"success":true,"data":null,"k":%q}`, -1},
				{`{"success":true,"data":{"k":%q}}`, -1},
				{`{"success":true,"other":{%q:[]}}`, -1},
				{`{"success":true,%q:{}}`, -1},
				{`{"success":true,%q:"[]"}`, -1},
				{`{"success":true,%q:0}`, -1},
				{`{"success":true,%q:false}`, -1},
			} {
				body := fmt.Sprintf(c.body, l.key)
				got, err := l.call(t.Context(), replying(t, body))
				if c.n < 0 {
					require.ErrorIs(t, err, ErrBadResponse, body)
					require.NotErrorIs(t, err, ErrNotFound, body)
					continue
				}
				require.NoError(t, err, body)
				assert.Equal(t, c.n, reflect.ValueOf(got).Len(), body)
			}
			// Items that are null take nothing along.
			_, err := l.call(t.Context(), replying(t, fmt.Sprintf(`{"success":true,%q:[null,null]}`, l.key)))
			require.NoError(t, err)
			got, err := l.call(t.Context(), replying(t, fmt.Sprintf(`{"success":true,%q:[null,{"id":"1","name":"kept"},null]}`, l.key)))
			require.NoError(t, err)
			assert.NotZero(t, reflect.ValueOf(got).Len())
		})
	}
}

// Each item keeps its own JSON, which the caller can hold on to without the
// rest of the reply.
func TestItemsOfAListKeepTheirOwnJSON(t *testing.T) {
	body := `{"success":true,"instances":[{"name":"a","x":1},{"name":"b"}],"filler":"` + strings.Repeat("x", 1<<10) + `"}`
	list, err := replying(t, body).Account("a").ListInstances(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 2)
	assert.Equal(t, `{"name":"a","x":1}`, string(list[0].Raw())) //nolint:testifylint // to the letter
	assert.Less(t, cap(list[1].Raw()), 100)
}

func TestLabelsOfEveryType(t *testing.T) {
	want := Label{ID: "7", Name: "Lead", Color: 5, Type: "CUSTOM"}
	for _, item := range []string{
		`{"id":"7","name":"Lead","color":5,"type":"CUSTOM","deleted":false}`,
		`{"id":7,"name":"Lead","color":"5","type":"CUSTOM","deleted":"false"}`,
		`{"id":7,"name":"Lead","color":5.0,"type":"CUSTOM","deleted":0}`,
		`{"deleted":null,"color":" 5 ","id":"7","name":"Lead","type":"CUSTOM"}`,
	} {
		list, err := replying(t, `{"tags":[`+item+`,{"id":8,"deleted":"true"},{"id":9,"deleted":1}]}`).Instance("i", "t").Labels.List(t.Context())
		require.NoError(t, err)
		require.Len(t, list, 1, item)
		list[0].Meta = Meta{}
		assert.Equal(t, want, list[0], item)
		created, err := replying(t, `{"success":true,"tag":`+item+`}`).Instance("i", "t").Labels.Create(t.Context(), "Lead", 5)
		require.NoError(t, err, item)
		created.Meta = Meta{}
		assert.Equal(t, &want, created, item)
	}
	odd, err := replying(t, `{"tags":[{"color":"red","id":[],"name":{},"deleted":[],"type":"CUSTOM"}]}`).Instance("i", "t").Labels.List(t.Context())
	require.NoError(t, err)
	require.Len(t, odd, 1)
	assert.Equal(t, "CUSTOM", odd[0].Type, "what follows a field of another type is read all the same")
}

func TestMetricsNameTheInstancesHoweverTheyCome(t *testing.T) {
	for reply, want := range map[string][]string{
		`"a,b"`:         {"a", "b"},
		`" a , b ,"`:    {"a", "b"},
		`["a","b"]`:     {"a", "b"},
		`["a,b",7]`:     {"a", "b", "7"},
		`"a"`:           {"a"},
		`null`:          {"a", "b"}, // those that were asked for
		`{}`:            {"a", "b"},
		`""`:            {"a", "b"},
		`[null,"b",{}]`: {"b"},
	} {
		m, err := replying(t, `{"success":true,"metrics":{"instance":`+reply+`,"totalMessages":"12","messagesSent":5.0,"messagesReceived":"x",
			"messagesByType":{"text":1,"image":"2","odd":{},"video":3},"mediaByType":"none","uniqueChats":[],"uniqueGroups":4,
			"firstMessageAt":1777372200,"lastMessageAt":"2026-04-28T07:30:00-03:00"}}`).Account("t").Metrics(t.Context(), "a", "b")
		require.NoError(t, err, reply)
		assert.Equal(t, want, m.Instances, reply)
		assert.Equal(t, []int{12, 5, 0, 4}, []int{m.TotalMessages, m.MessagesSent, m.MessagesReceived, m.UniqueGroups})
		assert.Equal(t, map[string]int{"text": 1, "image": 2, "video": 3}, m.MessagesByType)
		assert.Equal(t, aSpring, m.FirstMessageAt)
		assert.Equal(t, aSpring, m.LastMessageAt)
	}
	for _, reply := range []string{`{"success":true}`, `{"success":true,"metrics":null}`, `{"success":true,"metrics":"busy"}`, `{"success":true,"metrics":[]}`} {
		_, err := replying(t, reply).Account("t").Metrics(t.Context(), "a")
		require.ErrorIs(t, err, ErrBadResponse, reply)
	}
}

var aSpring = time.Date(2026, 4, 28, 10, 30, 0, 0, time.UTC)

// One moment in every form, on every route that tells a time.
func TestTimesOfRepliesInEveryForm(t *testing.T) {
	for _, at := range []string{`"2026-04-28T10:30:00Z"`, `"2026-04-28T07:30:00-03:00"`, `1777372200`, `1777372200000`, `"1777372200"`, `"1777372200000"`, `1.7773722e9`} {
		page, err := replying(t, `{"success":true,"messages":[{"id":"m","fromMe":"true","timestamp":`+at+`,"content":{"text":"hi"}}]}`).Instance("i", "t").Chats.HistoryPage(t.Context(), ana, HistoryQuery{})
		require.NoError(t, err)
		require.Len(t, page.Messages, 1)
		assert.Equal(t, aSpring, page.Messages[0].Timestamp, at)
		assert.True(t, page.Messages[0].FromMe)
		assert.Equal(t, "hi", page.Messages[0].Text)

		list, err := replying(t, `{"instances":[{"name":"a","createdAt":`+at+`,"updatedAt":`+at+`}]}`).Account("a").ListInstances(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []time.Time{aSpring, aSpring}, []time.Time{list[0].CreatedAt, list[0].UpdatedAt}, at)

		requests, err := replying(t, `{"requests":[{"jid":"1@lid","requestedAt":`+at+`}]}`).Instance("i", "t").Groups.Requests(t.Context(), crew)
		require.NoError(t, err)
		assert.Equal(t, aSpring, requests[0].RequestedAt, at)

		sent, err := replying(t, `{"success":true,"data":{"messageId":"X","timestamp":`+at+`}}`).Instance("i", "t").Messages.SendText(t.Context(), ana, "hi")
		require.NoError(t, err)
		assert.Equal(t, aSpring, sent.Timestamp, at)

		status, err := replying(t, `{"success":true,"message_id":"X","status":"read","timestamp":`+at+`}`).Instance("i", "t").Messages.DeliveryStatus(t.Context(), "X")
		require.NoError(t, err)
		assert.Equal(t, aSpring, status.Timestamp, at)

		stored, err := replying(t, `{"success":true,"messageId":"X","data":{"content":"hi","timestamp":`+at+`}}`).Instance("i", "t").Messages.Get(t.Context(), "X")
		require.NoError(t, err)
		assert.Equal(t, aSpring, stored.Timestamp, at)

		votes, err := replying(t, `{"success":true,"data":{"voteDetails":[{"createdAt":`+at+`}]}}`).Instance("i", "t").Messages.PollVotes(t.Context(), "X")
		require.NoError(t, err)
		assert.Equal(t, aSpring, votes.Votes[0].At, at)
	}
}

// Pages are asked for by the time of the oldest message, whatever form it has.
func TestHistoryPagesByUnixTimes(t *testing.T) {
	inst, s := script(t,
		scriptedReply{body: `{"success":true,"messages":[{"id":"b","timestamp":1777372201}],"hasMore":true}`},
		scriptedReply{body: `{"success":true,"messages":[{"id":"a","timestamp":"1777372200000"}],"hasMore":"false"}`},
		scriptedReply{body: `{"success":true,"messages":null}`})
	var ids []string
	for m, err := range inst.Chats.History(t.Context(), ana, HistoryQuery{PageSize: 1}) {
		require.NoError(t, err)
		ids = append(ids, m.ID)
	}
	assert.Equal(t, []string{"b", "a"}, ids)
	require.Len(t, s.requests(), 3)
	assert.Contains(t, s.requests()[1].Body, `"to":"2026-04-28T10:30:01Z"`)
	assert.Contains(t, s.requests()[2].Body, `"to":"2026-04-28T10:30:00Z"`)
}

// An instance that is connected has nothing to pair, which is certain.
func TestConnectOfAConnectedInstanceIsNoUnknownOutcome(t *testing.T) {
	for _, reply := range []string{
		`{"success":true,"status":"open"}`,
		`{"success":true,"status":"connected","message":"Already connected"}`,
		`{"success":true,"state":"open"}`,
		`{"success":true,"status":"Open","qrCode":null,"qrCodeBase64":"","pairingCode":null}`,
		`{"success":true,"status":"success","instance":{"status":"open"}}`,
		`{"success":true,"instance":{"connection":{"state":"connected"},"status":"closed"}}`,
		`{"success":true,"connection":{"state":"open"}}`,
		`{"success":true,"data":{"status":"open"}}`,
		`{"success":true,"data":{"state":"open"},"instance":null}`,
		`{"success":true,"data":{"instance":{"state":"open","name":"main"}}}`,
		`{"status":"open","data":[],"instance":"main","connection":7}`,
	} {
		p, err := replying(t, reply).Instance("main", "t").Connect(t.Context(), ConnectParams{})
		require.NoError(t, err, reply)
		assert.True(t, p.AlreadyConnected(), reply)
	}
	for _, reply := range []string{
		`{"success":true}`, `{"success":true,"status":"qr"}`, `{"success":true,"status":"connecting"}`, `{"success":true,"data":{"status":"closed"}}`,
	} {
		_, err := replying(t, reply).Instance("main", "t").Connect(t.Context(), ConnectParams{})
		require.ErrorIs(t, err, ErrOutcomeUnknown, reply)
	}
	for _, reply := range []string{
		`{"success":true,"status":"qr","qrCode":"1@a","qrCodeBase64":"DATA:image/png;name=a;BASE64,aGk"}`,
		`{"success":true,"data":{"status":"qr","qrCode":"1@a","qrCodeBase64":"aGk="}}`,
		`{"success":true,"status":"open","instance":{"qrCode":"1@a","qrCodeBase64":"aG\nk="}}`,
	} {
		p, err := replying(t, reply).Instance("main", "t").Connect(t.Context(), ConnectParams{})
		require.NoError(t, err, reply)
		assert.False(t, p.AlreadyConnected(), reply)
		assert.Equal(t, "1@a", p.QRCode.Reveal(), reply)
		assert.Equal(t, "hi", string(p.PNG()), reply)
	}
}

// A contact whose addresses are the other way round is mended as people in
// events are.
func TestContactsHaveTheirAddressesTheRightWayRound(t *testing.T) {
	contact, err := replying(t, `{"contact":{"jid":"123456789012345@lid","lid":"5511987654321@s.whatsapp.net","found":"true","push_name":7}}`).
		Instance("i", "t").Contacts.Get(t.Context(), "123456789012345@lid")
	require.NoError(t, err)
	assert.Equal(t, []JID{"5511987654321@s.whatsapp.net", "123456789012345@lid"}, []JID{contact.JID, contact.LID})
	assert.Equal(t, "7", contact.PushName)
	assert.True(t, contact.Found)
	for found, want := range map[string]bool{`false`: false, `"false"`: false, `0`: false, `null`: true, `{}`: true, `true`: true, `1`: true} {
		contact, err := replying(t, `{"contact":{"found":`+found+`,"jid":"5511987654321"}}`).Instance("i", "t").Contacts.Get(t.Context(), ana)
		require.NoError(t, err)
		assert.Equal(t, want, contact.Found, found)
		assert.NotEmpty(t, contact.JID)
	}
}
