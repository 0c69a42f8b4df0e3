package ryze

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProfilesMayLackEverything(t *testing.T) {
	const path = "/api/profile/getAccount/main"
	full := Profile{
		JID: "5511987654321@s.whatsapp.net", LID: "11122233344455@lid", Phone: "5511987654321",
		Name: "Support Line", About: "Weekdays 9-18", PictureURL: "https://pps.whatsapp.net/v/t61/example.jpg",
	}
	for name, test := range map[string]struct {
		reply  string
		want   Profile
		exists bool
	}{
		"full": {`{"success":true,"profile":{"profilePicture":"https://pps.whatsapp.net/v/t61/example.jpg","profileName":"Support Line","profileStatus":"Weekdays 9-18",
			"phoneNumber":"5511987654321","jid":"5511987654321@s.whatsapp.net","lid":"11122233344455@lid","isBusiness":true}}`, full, true},
		"nulls":      {`{"success":true,"profile":{"profilePicture":null,"profileName":null,"jid":null,"lid":"11122233344455@lid"}}`, Profile{LID: "11122233344455@lid"}, true},
		"no picture": {`{"success":true,"profile":{"profilePicture":null}}`, Profile{}, false},
		"other type": {`{"profile":{"phoneNumber":5511987654321,"profilePicture":{"url":"x"},"jid":"5511987654321@s.whatsapp.net"}}`, Profile{JID: "5511987654321@s.whatsapp.net", Phone: "5511987654321"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := exchanging(t, exchange{method: "GET", path: path, reply: test.reply}).Profile.Get(t.Context())
			require.NoError(t, err)
			test.want.Meta = p.Meta
			assert.Equal(t, test.want, *p)
			assert.Equal(t, test.exists, p.Exists())
			assert.JSONEq(t, test.reply, string(p.Raw()))
		})
	}
	for _, reply := range []string{`{"success":true}`, `{"profile":null}`, `{"data":{"profilePicture":"x"}}`} {
		_, err := exchanging(t, exchange{method: "GET", path: path, reply: reply}).Profile.Get(t.Context())
		require.ErrorIs(t, err, ErrBadResponse)
	}
}

func TestLookupTakesPhonesAndLIDs(t *testing.T) {
	for person, query := range map[JID]string{
		"5511987654321":                "number=5511987654321",
		"5511987654321@s.whatsapp.net": "number=5511987654321",
		"11122233344455@lid":           "number=11122233344455%40lid",
	} {
		inst := exchanging(t, exchange{method: "GET", path: "/api/profile/getAccount/main", query: query, reply: `{"profile":{"lid":"11122233344455@lid"}}`})
		p, err := inst.Profile.Lookup(t.Context(), person)
		require.NoError(t, err)
		assert.True(t, p.Exists())
	}
}

func TestProfileUpdateTellsAbsentFromEmpty(t *testing.T) {
	file := filepath.Join(t.TempDir(), "avatar.png")
	require.NoError(t, os.WriteFile(file, []byte(png), 0o600))
	open, err := os.Open(file)
	require.NoError(t, err)
	defer func() { assert.NoError(t, open.Close()) }()

	for name, test := range map[string]struct {
		update  ProfileUpdate
		body    string
		updated string
		want    []string
	}{
		"all":             {ProfileUpdate{Name: new("Support"), About: new("9-18"), Picture: MediaURL("https://cdn.example.com/a.jpg")}, `{"profileName":"Support","profileStatus":"9-18","profilePicture":"https://cdn.example.com/a.jpg"}`, `["profilePicture","profileName","profileStatus"]`, []string{"Name", "About", "Picture"}},
		"about cleared":   {ProfileUpdate{About: new("")}, `{"profileStatus":""}`, `["profileStatus"]`, []string{"About"}},
		"picture removed": {ProfileUpdate{RemovePicture: true}, `{"profilePicture":""}`, `["profilePicture"]`, []string{"RemovePicture"}},
		"only a file":     {ProfileUpdate{Picture: MediaFile(file)}, `{"profilePicture":"` + pngBase64 + `"}`, `["profilePicture"]`, []string{"Picture"}},
		"bytes and name":  {ProfileUpdate{Name: new("Support"), Picture: MediaBytes("a.png", []byte(png))}, `{"profileName":"Support","profilePicture":"` + pngBase64 + `"}`, `["profileName","profilePicture"]`, []string{"Name", "Picture"}},
		"a reader":        {ProfileUpdate{Picture: MediaReader("a.png", bytes.NewBufferString(png))}, `{"profilePicture":"` + pngBase64 + `"}`, `["profilePicture"]`, []string{"Picture"}},
		"an fs.File":      {ProfileUpdate{Picture: MediaFS(open)}, `{"profilePicture":"` + pngBase64 + `"}`, `["profilePicture"]`, []string{"Picture"}},
	} {
		t.Run(name, func(t *testing.T) {
			inst := exchanging(t, exchange{method: "POST", path: "/api/profile/account/main", body: test.body,
				reply: `{"success":true,"message":"Profile updated successfully","updatedFields":` + test.updated + `}`})
			result, err := inst.Profile.Update(t.Context(), test.update)
			require.NoError(t, err)
			assert.Equal(t, test.want, result.Updated)
		})
	}
}

func TestIgnoredProfileFieldsAreReported(t *testing.T) {
	for name, test := range map[string]struct {
		reply   string
		ignored []string
	}{
		"one":     {`{"success":true,"updatedFields":["profileName","novelty"]}`, []string{"About"}},
		"null":    {`{"success":true,"updatedFields":null}`, []string{"Name", "About"}},
		"missing": {`{"success":true}`, []string{"Name", "About"}},
	} {
		t.Run(name, func(t *testing.T) {
			inst := exchanging(t, exchange{method: "POST", path: "/api/profile/account/main", body: `{"profileName":"Support","profileStatus":"9-18"}`, reply: test.reply})
			result, err := inst.Profile.Update(t.Context(), ProfileUpdate{Name: new("Support"), About: new("9-18")})
			require.ErrorIs(t, err, ErrPartial)
			assert.Equal(t, test.ignored, targets(err))
			assert.Len(t, result.Updated, 2-len(test.ignored))
		})
	}
}

func TestProfilePictureFromAFileIsSentAgainAfterAServerError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := exchange{method: "POST", path: "/api/profile/account/main", body: `{"profilePicture":"` + pngBase64 + `"}`}
		failed, done := x, x
		failed.status, failed.reply = http.StatusBadGateway, refusal("down")
		done.reply = `{"success":true,"updatedFields":["profilePicture"]}`
		script := &exchangeTransport{t: t, left: []exchange{failed, done}}
		inst, err := NewInstanceClient("main", "instance-token", WithHTTPClient(&http.Client{Transport: script}))
		require.NoError(t, err)
		_, err = inst.Profile.Update(t.Context(), ProfileUpdate{Picture: MediaBytes("a.png", []byte(png))})
		require.NoError(t, err)
		assert.Empty(t, script.left)
	})
}

const (
	privacyPath  = "/api/profile/privacy/main"
	privacyShown = `{"success":true,"message":"Privacy settings retrieved successfully","settings":{
		"visibility":{"lastSeen":"contacts","status":"all","profile":"from_next_year","online":"match_last_seen","new":"x"},
		"privacy":{"readReceipts":"all"},"permissions":{"callAdd":"all","groupAdd":"contacts"},"more":{}}}`
)

func TestUnknownPrivacyValuesAreRead(t *testing.T) {
	p, err := exchanging(t, exchange{method: "GET", path: "/api/profile/getPrivacy/main", reply: privacyShown}).Profile.Privacy(t.Context())
	require.NoError(t, err)
	assert.Equal(t, PrivacySettings{
		LastSeen: PrivacyContacts, Status: PrivacyAll, ProfilePicture: "from_next_year", Online: PrivacyMatchLastSeen,
		ReadReceipts: PrivacyAll, Calls: PrivacyAll, GroupAdd: PrivacyContacts,
	}, p.PrivacySettings)

	p, err = exchanging(t, exchange{method: "GET", path: "/api/profile/getPrivacy/main", reply: `{"settings":{"visibility":null,"permissions":{"callAdd":7,"groupAdd":"all"}}}`}).Profile.Privacy(t.Context())
	require.NoError(t, err)
	assert.Equal(t, PrivacySettings{GroupAdd: PrivacyAll}, p.PrivacySettings)

	_, err = exchanging(t, exchange{method: "GET", path: "/api/profile/getPrivacy/main", reply: `{"success":true,"settings":null}`}).Profile.Privacy(t.Context())
	require.ErrorIs(t, err, ErrBadResponse)
}

func TestPrivacyUpdateSendsOnlyWhatWasGiven(t *testing.T) {
	for name, test := range map[string]struct {
		update PrivacySettings
		body   string
	}{
		"one": {PrivacySettings{ReadReceipts: PrivacyNone}, `{"privacy":{"readReceipts":"none"}}`},
		"two": {PrivacySettings{Online: PrivacyMatchLastSeen, Calls: PrivacyKnown}, `{"visibility":{"online":"match_last_seen"},"permissions":{"callAdd":"known"}}`},
		"all": {
			PrivacySettings{LastSeen: PrivacyNone, Status: PrivacyContactBlacklist, ProfilePicture: PrivacyContacts, Online: PrivacyAll, ReadReceipts: PrivacyAll, Calls: PrivacyAll, GroupAdd: PrivacyContactBlacklist},
			`{"visibility":{"lastSeen":"none","status":"contact_blacklist","profile":"contacts","online":"all"},"privacy":{"readReceipts":"all"},"permissions":{"callAdd":"all","groupAdd":"contact_blacklist"}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			inst := exchanging(t, exchange{method: "POST", path: privacyPath, body: test.body, reply: `{"success":true,"settings":` + test.body + `}`})
			result, err := inst.Profile.UpdatePrivacy(t.Context(), test.update)
			require.NoError(t, err)
			assert.Equal(t, PrivacySettings{}, result.Pending(test.update))
		})
	}
}

func TestPrivacySettingsThatWereNotAppliedAreReported(t *testing.T) {
	inst := exchanging(t, exchange{method: "POST", path: privacyPath, reply: privacyShown,
		body: `{"visibility":{"lastSeen":"contacts","profile":"none"},"permissions":{"callAdd":"known"}}`})
	asked := PrivacySettings{LastSeen: PrivacyContacts, ProfilePicture: PrivacyNone, Calls: PrivacyKnown}
	result, err := inst.Profile.UpdatePrivacy(t.Context(), asked)
	require.ErrorIs(t, err, ErrPartial)
	require.ErrorContains(t, err, `ProfilePicture: is "from_next_year", not "none"`)
	assert.Equal(t, []string{"ProfilePicture", "Calls"}, targets(err))
	assert.Equal(t, PrivacyContacts, result.LastSeen)
	assert.Equal(t, PrivacySettings{ProfilePicture: PrivacyNone, Calls: PrivacyKnown}, result.Pending(asked))
}

func TestHalfAppliedPrivacyUpdateTellsWhatToDo(t *testing.T) {
	asked := PrivacySettings{LastSeen: PrivacyNone, GroupAdd: PrivacyContacts}
	const body = `{"visibility":{"lastSeen":"none"},"permissions":{"groupAdd":"contacts"}}`
	inst := exchanging(t,
		exchange{method: "POST", path: privacyPath, body: body, status: http.StatusInternalServerError, reply: refusal("it broke")},
		exchange{method: "GET", path: "/api/profile/getPrivacy/main", reply: privacyShown},
	)
	_, err := inst.Profile.UpdatePrivacy(t.Context(), asked)
	require.ErrorIs(t, err, ErrServer)
	require.NotErrorIs(t, err, ErrPartial, "there is no result")
	require.ErrorContains(t, err, "read them back")

	now, err := inst.Profile.Privacy(t.Context())
	require.NoError(t, err)
	assert.Equal(t, PrivacySettings{LastSeen: PrivacyNone}, now.Pending(asked))
}

func TestOnlyAnUpdateThatMayHaveBegunIsCalledHalfApplied(t *testing.T) {
	const body = `{"privacy":{"readReceipts":"none"}}`
	for name, test := range map[string]struct {
		x     exchange
		begun bool
	}{
		"500":            {exchange{status: 500, reply: refusal("x")}, true},
		"408":            {exchange{status: 408, reply: refusal("x")}, true},
		"throttled":      {exchange{status: 429, reply: refusal("too many stanzas")}, true},
		"lost":           {exchange{err: io.ErrUnexpectedEOF}, true},
		"no settings":    {exchange{reply: `{"success":true}`}, true},
		"bad request":    {exchange{status: 400, reply: refusal("x")}, false},
		"not connected":  {exchange{status: 503, reply: refusal("Instance is not connected to WhatsApp")}, false},
		"unauthorized":   {exchange{status: 401, reply: refusal("Invalid token")}, false},
		"redirect":       {exchange{status: 307}, false},
		"said to fail":   {exchange{reply: refusal("x")}, true},
		"not understood": {exchange{status: 501, reply: refusal("x")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			test.x.method, test.x.path, test.x.body = "POST", privacyPath, body
			_, err := exchanging(t, test.x).Profile.UpdatePrivacy(t.Context(), PrivacySettings{ReadReceipts: PrivacyNone})
			require.Error(t, err)
			assert.Equal(t, test.begun, strings.Contains(err.Error(), "read them back"))
		})
	}
}

func TestProfileArgumentsAreRefusedBeforeAnyRequest(t *testing.T) {
	s := silent(t).Profile
	ctx := t.Context()
	privacy := func(p PrivacySettings) error { return second(s.UpdatePrivacy(ctx, p)) }
	for name, test := range map[string]struct {
		err   error
		field string
	}{
		"look up a group":      {second(s.Lookup(ctx, crew)), "person"},
		"look up a bare LID":   {second(s.Lookup(ctx, "11122233344455")), "person"},
		"update nothing":       {second(s.Update(ctx, ProfileUpdate{})), "ProfileUpdate"},
		"update to no name":    {second(s.Update(ctx, ProfileUpdate{Name: new(" ")})), "ProfileUpdate.Name"},
		"picture no URL":       {second(s.Update(ctx, ProfileUpdate{Picture: MediaURL("ftp://example.com/a.png")})), "ProfileUpdate.Picture"},
		"picture with secrets": {second(s.Update(ctx, ProfileUpdate{Picture: MediaURL("https://a:b@example.com/a.png")})), "ProfileUpdate.Picture"},
		"picture a PDF":        {second(s.Update(ctx, ProfileUpdate{Picture: MediaBytes("a.png", []byte("%PDF-1.7"))})), "ProfileUpdate.Picture"},
		"no privacy":           {privacy(PrivacySettings{}), "Privacy"},
		"nobody adds":          {privacy(PrivacySettings{GroupAdd: PrivacyNone}), "Privacy.GroupAdd"},
		"known last seen":      {privacy(PrivacySettings{LastSeen: PrivacyKnown}), "Privacy.LastSeen"},
		"online contacts":      {privacy(PrivacySettings{Online: PrivacyContacts}), "Privacy.Online"},
		"receipts contacts":    {privacy(PrivacySettings{ReadReceipts: PrivacyContacts}), "Privacy.ReadReceipts"},
		"calls from nobody":    {privacy(PrivacySettings{Calls: PrivacyNone}), "Privacy.Calls"},
		"one bad of two":       {privacy(PrivacySettings{LastSeen: PrivacyAll, Status: "friends"}), "Privacy.Status"},
	} {
		t.Run(name, func(t *testing.T) { requireInvalid(t, test.err, test.field) })
	}
}

func TestCancelledProfileCallEndsAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := silent(t).Profile.Get(ctx)
	require.ErrorIs(t, err, context.Canceled)
}
