package ryze

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go/internal/upload"
)

const (
	hub     = JID("120363000000000001@g.us")
	general = JID("120363000000000002@g.us")
	sales   = JID("120363000000000003@g.us")
)

// png is the beginning of a picture, enough to tell its type.
const png = "\x89PNG\r\n\x1a\n0000"

var pngBase64 = base64.StdEncoding.EncodeToString([]byte(png))

func TestCommunityCreationSendsOnlyWhatWasGiven(t *testing.T) {
	const reply = `{"success":true,"message":"Community created","group":{"jid":"120363000000000001@g.us"},"isCommunity":true,
		"linkedGroups":["120363000000000002@g.us","120363000000000003@g.us"],"failedGroups":[]}`
	for name, test := range map[string]struct {
		params CreateCommunityParams
		body   string
	}{
		"picture from a URL": {
			CreateCommunityParams{
				Name: "Acme hub", Description: "Everything Acme", Image: MediaURL("https://cdn.example.com/acme.png"),
				Groups: []JID{general, sales}, RequireAdminApproval: true,
			},
			`{"name":"Acme hub","description":"Everything Acme","image":"https://cdn.example.com/acme.png",
			 "groupJid":["120363000000000002@g.us","120363000000000003@g.us"],"membershipApprovalMode":"request_required"}`,
		},
		"picture from a file": {
			CreateCommunityParams{Name: "Acme hub", Image: MediaBytes("acme.png", []byte(png))},
			`{"name":"Acme hub","image":"` + pngBase64 + `"}`,
		},
		"the least, at its longest": {
			CreateCommunityParams{Name: strings.Repeat("ç", 25)},
			`{"name":"` + strings.Repeat("ç", 25) + `"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			inst := exchanging(t, exchange{method: "POST", path: "/api/community/create/main", body: test.body, reply: reply})
			community, err := inst.Communities.Create(t.Context(), test.params)
			require.NoError(t, err)
			assert.Equal(t, hub, community.JID)
			assert.True(t, community.IsCommunity)
			assert.Equal(t, []JID{general, sales}, community.Linked)
			assert.Empty(t, community.Failed)
			assert.Equal(t, "Community created", community.Message)
		})
	}
}

func TestCommunityThatBecameLessSaysSo(t *testing.T) {
	for name, test := range map[string]struct {
		reply   string
		targets []string
		says    string
		failed  []JID
	}{
		"a plain group":          {`{"success":true,"message":"created as a group","group":{"jid":"120363000000000001@g.us"},"isCommunity":false,"linkedGroups":["120363000000000002@g.us","120363000000000003@g.us"]}`, []string{string(hub)}, "plain group, not a community: created as a group", nil},
		"a plain group, nested":  {`{"success":true,"group":{"jid":"120363000000000001@g.us","isCommunity":false,"linkedGroups":["120363000000000002@g.us"],"failedGroups":["120363000000000003@g.us"],"imageError":"not a picture"}}`, []string{string(hub), string(sales), "Image"}, "not a picture", []JID{sales}},
		"not said":               {`{"success":true,"group":{"jid":"120363000000000001@g.us"},"isCommunity":null,"linkedGroups":["120363000000000002@g.us","120363000000000003@g.us"]}`, []string{string(hub)}, "does not say whether it is a community", nil},
		"one failed":             {`{"group":{"jid":"120363000000000001@g.us"},"isCommunity":true,"linkedGroups":["120363000000000002@g.us"],"failedGroups":["120363000000000003@g.us"]}`, []string{string(sales)}, "was not linked", []JID{sales}},
		"failed ones as objects": {`{"group":{"jid":"120363000000000001@g.us"},"isCommunity":true,"linkedGroups":["120363000000000002@g.us",null,7],"failedGroups":[{"groupJid":"120363000000000003@g.us","why":1}]}`, []string{string(sales)}, "was not linked", []JID{sales}},
		"one not mentioned":      {`{"group":{"jid":"120363000000000001@g.us"},"isCommunity":true,"linkedGroups":["120363000000000002@g.us"],"failedGroups":null}`, []string{string(sales)}, "does not say whether it was linked", nil},
		"no picture":             {`{"group":{"jid":"120363000000000001@g.us"},"isCommunity":true,"linkedGroups":["120363000000000002@g.us","120363000000000003@g.us"],"imageError":"could not\nfetch"}`, []string{"Image"}, "could not fetch", nil},
	} {
		t.Run(name, func(t *testing.T) {
			inst := exchanging(t, exchange{
				method: "POST", path: "/api/community/create/main", reply: test.reply,
				body: `{"name":"Acme hub","groupJid":["120363000000000002@g.us","120363000000000003@g.us"]}`,
			})
			community, err := inst.Communities.Create(t.Context(), CreateCommunityParams{Name: "Acme hub", Groups: []JID{general, sales}})
			require.ErrorIs(t, err, ErrPartial)
			require.ErrorContains(t, err, test.says)
			assert.Equal(t, test.targets, targets(err))
			assert.Equal(t, test.failed, community.Failed)
		})
	}
}

func TestCommunityWithoutAGroupInTheReplyIsAnUnknownOutcome(t *testing.T) {
	for _, reply := range []string{`{"success":true}`, `{"group":null,"isCommunity":true}`, `{"group":{"jid":""}}`, ``} {
		inst := exchanging(t, exchange{method: "POST", path: "/api/community/create/main", body: `{"name":"Acme hub"}`, reply: reply})
		_, err := inst.Communities.Create(t.Context(), CreateCommunityParams{Name: "Acme hub"})
		require.ErrorIs(t, err, ErrOutcomeUnknown)
		require.ErrorIs(t, err, ErrBadResponse)
	}
}

func TestLinkingReportsEachGroupThatFailed(t *testing.T) {
	x := exchange{method: "POST", path: "/api/community/link/main",
		body: `{"communityJid":"120363000000000001@g.us","groupJid":["120363000000000002@g.us","120363000000000003@g.us"]}`}

	x.reply = `{"success":true,"message":"Linked 1 of 2 groups to community","linked":["120363000000000002@g.us"],"failed":["120363000000000003@g.us"]}`
	result, err := exchanging(t, x).Communities.Link(t.Context(), hub, general, sales)
	require.ErrorIs(t, err, ErrPartial)
	require.EqualError(t, err, "ryze: communities.link: not all of it was done: 120363000000000003@g.us: was not linked, and the service gives no reason")
	assert.Equal(t, []JID{general}, result.Done)
	assert.Equal(t, []JID{sales}, result.Failed)
	assert.Equal(t, "Linked 1 of 2 groups to community", result.Message)

	x.reply = `{"success":true,"linked":["120363000000000003@g.us","120363000000000002@g.us"],"failed":null}`
	_, err = exchanging(t, x).Communities.Link(t.Context(), hub, general, sales)
	require.NoError(t, err)

	x.reply = `{"success":true}`
	_, err = exchanging(t, x).Communities.Link(t.Context(), hub, general, sales)
	assert.Equal(t, []string{string(general), string(sales)}, targets(err))
}

func TestUnlinkedGroupsAreNotCalledLinked(t *testing.T) {
	x := exchange{method: "POST", path: "/api/community/unlink/main",
		body: `{"communityJid":"120363000000000001@g.us","groupJid":["120363000000000002@g.us"]}`}

	x.reply = `{"success":true,"message":"Unlinked 1 of 1 groups from community","linked":["120363000000000002@g.us"],"failed":[]}`
	result, err := exchanging(t, x).Communities.Unlink(t.Context(), hub, general)
	require.NoError(t, err)
	assert.Equal(t, []JID{general}, result.Done)

	x.reply = `{"success":true,"message":"Unlinked 0 of 1 groups from community","linked":[],"failed":["120363000000000002@g.us"]}`
	_, err = exchanging(t, x).Communities.Unlink(t.Context(), hub, general)
	require.EqualError(t, err, "ryze: communities.unlink: not all of it was done: 120363000000000002@g.us: was not unlinked, and the service gives no reason")
}

func TestMalformedCommunityIsAnArgumentErrorAlthoughItIsA500(t *testing.T) {
	inst := exchanging(t, exchange{
		method: "POST", path: "/api/community/link/main", status: http.StatusInternalServerError, reply: refusal("error parse community jid: no"),
		body: `{"communityJid":"120363000000000001@g.us","groupJid":["120363000000000002@g.us"]}`,
	})
	_, err := inst.Communities.Link(t.Context(), hub, general)
	require.ErrorIs(t, err, ErrInvalidArgument)
	require.NotErrorIs(t, err, ErrOutcomeUnknown)
}

// slowTransport answers after a while, in virtual time.
type slowTransport struct {
	next  http.RoundTripper
	after time.Duration
}

func (s slowTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := s.next.RoundTrip(req)
	select {
	case <-req.Context().Done():
		return nil, req.Context().Err()
	case <-time.After(s.after):
		return resp, err
	}
}

func TestTimeLimitGrowsByASecondForEachGroup(t *testing.T) {
	groups, list := make([]JID, 40), make([]string, 40)
	for i := range groups {
		groups[i], list[i] = general, `"120363000000000002@g.us"`
	}
	all := strings.Join(list, ",")
	for _, test := range []struct {
		op   *Operation
		x    exchange
		call func(context.Context, *CommunitiesService) error
	}{
		{
			opCommunityCreate,
			exchange{path: "/api/community/create/main", body: `{"name":"Hub","groupJid":[` + all + `]}`, reply: `{"group":{"jid":"120363000000000001@g.us"}}`},
			func(ctx context.Context, s *CommunitiesService) error {
				return second(s.Create(ctx, CreateCommunityParams{Name: "Hub", Groups: groups}))
			},
		},
		{
			opCommunityLink,
			exchange{path: "/api/community/link/main", body: `{"communityJid":"120363000000000001@g.us","groupJid":[` + all + `]}`, reply: `{"success":true}`},
			func(ctx context.Context, s *CommunitiesService) error { return second(s.Link(ctx, hub, groups...)) },
		},
		{
			opCommunityUnlink,
			exchange{path: "/api/community/unlink/main", body: `{"communityJid":"120363000000000001@g.us","groupJid":[` + all + `]}`, reply: `{"success":true}`},
			func(ctx context.Context, s *CommunitiesService) error { return second(s.Unlink(ctx, hub, groups...)) },
		},
	} {
		answeredAfter := func(t *testing.T, after time.Duration) error {
			t.Helper()
			test.x.method = http.MethodPost
			script := &exchangeTransport{t: t, left: []exchange{test.x}}
			inst, err := NewInstanceClient("main", "instance-token", WithHTTPClient(&http.Client{Transport: slowTransport{script, after}}))
			require.NoError(t, err)
			return test.call(t.Context(), inst.Communities)
		}
		t.Run(test.op.ID, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				limit := test.op.Timeout + 40*time.Second
				require.ErrorIs(t, answeredAfter(t, limit-time.Second), ErrPartial, "the answer came")
				require.ErrorIs(t, answeredAfter(t, limit+time.Second), ErrOutcomeUnknown)
			})
		})
	}
}

func TestSubgroupsMarkTheAnnouncements(t *testing.T) {
	x := exchange{method: "GET", path: "/api/community/listSubGroups/main", query: "communityJid=120363000000000001%40g.us"}

	x.reply = `{"success":true,"message":"2 subgroup(s) found","communityJid":"120363000000000001@g.us","subgroups":[
		{"jid":"120363000000000002@g.us","name":"Announcements","isDefaultSubGroup":true,"k":1},{"jid":"120363000000000003@g.us","name":null}]}`
	list, err := exchanging(t, x).Communities.Subgroups(t.Context(), hub)
	require.NoError(t, err)
	require.Len(t, list, 2)
	assert.Equal(t, general, list[0].JID)
	assert.Equal(t, "Announcements", list[0].Name)
	assert.True(t, list[0].IsAnnouncements)
	assert.Contains(t, string(list[0].Raw()), `"k":1`)
	assert.Equal(t, sales, list[1].JID)
	assert.False(t, list[1].IsAnnouncements)

	x.reply = `{"success":true,"message":"0 subgroup(s) found","subgroups":[]}`
	list, err = exchanging(t, x).Communities.Subgroups(t.Context(), hub)
	require.NoError(t, err)
	assert.Empty(t, list)
}

func TestCommunityArgumentsAreRefusedBeforeAnyRequest(t *testing.T) {
	ctx := t.Context()
	s := silent(t).Communities
	create := func(params CreateCommunityParams) error { return second(s.Create(ctx, params)) }
	tooMany := make([]JID, 51)
	for i := range tooMany {
		tooMany[i] = general
	}
	for name, test := range map[string]struct {
		err   error
		field string
	}{
		"no name":           {create(CreateCommunityParams{Name: " "}), "CreateCommunityParams.Name"},
		"name of 26":        {create(CreateCommunityParams{Name: strings.Repeat("ç", 26)}), "CreateCommunityParams.Name"},
		"a person to link":  {create(CreateCommunityParams{Name: "Hub", Groups: []JID{"5511987654321"}}), "CreateCommunityParams.Groups"},
		"51 groups":         {create(CreateCommunityParams{Name: "Hub", Groups: tooMany}), "CreateCommunityParams.Groups"},
		"picture no URL":    {create(CreateCommunityParams{Name: "Hub", Image: MediaURL("acme.png")}), "CreateCommunityParams.Image"},
		"picture empty":     {create(CreateCommunityParams{Name: "Hub", Image: MediaBytes("acme.png", nil)}), "CreateCommunityParams.Image"},
		"picture of no one": {create(CreateCommunityParams{Name: "Hub", Image: MediaReader("acme.png", nil)}), "CreateCommunityParams.Image"},
		"picture missing":   {create(CreateCommunityParams{Name: "Hub", Image: MediaFile("testdata/no such file.png")}), "CreateCommunityParams.Image"},
		"picture a PDF":     {create(CreateCommunityParams{Name: "Hub", Image: MediaBytes("acme.pdf", []byte("%PDF-1.7"))}), "CreateCommunityParams.Image"},
		"link to no one":    {second(s.Link(ctx, "", general)), "community"},
		"link nothing":      {second(s.Link(ctx, hub)), "groups"},
		"link 51":           {second(s.Link(ctx, hub, tooMany...)), "groups"},
		"unlink a person":   {second(s.Unlink(ctx, hub, "5511987654321")), "groups"},
		"subgroups of none": {second(s.Subgroups(ctx, "https://chat.whatsapp.com/AbC")), "community"},
	} {
		t.Run(name, func(t *testing.T) { requireInvalid(t, test.err, test.field) })
	}
}

func TestPictureThatBreaksOnTheWayIsNoUnknownOutcome(t *testing.T) {
	broken := io.MultiReader(strings.NewReader(png+strings.Repeat("0", 2*upload.HeadSize)), stuckReader{})
	inst := silent(t)
	_, err := inst.Communities.Create(t.Context(), CreateCommunityParams{Name: "Hub", Image: MediaReader("acme.png", broken)})
	require.ErrorIs(t, err, errStuck)
	require.NotErrorIs(t, err, ErrOutcomeUnknown)
}

var errStuck = io.ErrNoProgress

type stuckReader struct{}

func (stuckReader) Read([]byte) (int, error) { return 0, errStuck }
