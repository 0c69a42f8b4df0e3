package ryzetest

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func names(a answer) []string {
	var list []string
	items, _ := a.at("instances").([]any)
	for _, item := range items {
		list = append(list, item.(map[string]any)["name"].(string))
	}
	return list
}

func TestCreateTakesEveryInlineBlock(t *testing.T) {
	s, c := start(t, WithoutChatwoot())
	a := c.do("POST", "/api/instance/new", `{
		"name":"shop","token":"tok-1","disableHistorySync":false,"autoRejectCalls":true,"callRejectMessage":"text only",
		"proxyEnabled":true,"proxyHost":"p.example.net","proxyPort":"1080","proxyProtocol":"socks5","proxyUsername":"u","proxyPassword":"p",
		"webhookEnabled":true,"webhookURL":"https://h.example.net/x","webhookAuthorization":"Bearer q","webhookByEvents":true,"webhookEvents":["call.update"],"webhookMediaBase64":true,
		"websocketEnabled":true,"websocketEvents":["message.exchange"],"websocketMediaBase64":true,
		"chatwootEnabled":true,"chatwootBaseUrl":"https://c.example.net","chatwootAccountId":1,"chatwootApiToken":"t","chatwootInboxName":"i",
		"s3Enabled":true,"s3Region":"r","s3Bucket":"b","s3AccessKey":"AK","s3SecretKey":"SK","s3Endpoint":"","s3PathPrefix":"m/"}`)
	require.Equal(t, 201, a.status, string(a.raw))
	assert.Equal(t, "tok-1", a.at("instance", "token"))
	assert.Empty(t, s.Violations())
	c = c.with("tok-1")

	assert.Equal(t, map[string]any{
		"autoRejectCalls": true, "callRejectMessage": "text only", "ignoreGroupMessages": false, "keepOnlineStatus": false,
		"autoReadMessages": false, "disableHistorySync": false, "ignoreStatus": false,
	}, c.do("GET", "/api/instance/getSettings/shop", "").at("settings"))
	assert.Equal(t, map[string]any{"enabled": true, "host": "p.example.net", "port": "1080", "protocol": "socks5", "username": "u"},
		c.do("GET", "/api/instance/getProxy/shop", "").at("proxy"))
	assert.Equal(t, map[string]any{"enabled": true, "region": "r", "bucket": "b", "accessKey": "AK", "secretKey": nil, "endpoint": "", "pathPrefix": "m/"},
		c.do("GET", "/api/instance/getS3/shop", "").at("s3"))
	assert.Equal(t, map[string]any{"label": "default", "enabled": true, "url": "https://h.example.net/x", "authorization": "Bearer q",
		"byEvents": true, "events": []any{"call.update"}, "mediaBase64": true},
		c.do("GET", "/api/events/getWebhook/shop?label=", "").at("webhook"))
	assert.Equal(t, map[string]any{"enabled": true, "events": []any{"message.exchange"}, "mediaBase64": true},
		c.do("GET", "/api/events/getWebsocket/shop", "").at("websocket"))
	row := c.do("GET", "/api/instance/list", "").at("instances").([]any)[0].(map[string]any)
	assert.Equal(t, "error", row["chatwoot"].(map[string]any)["status"], "a block that fails leaves the creation alone")
	assert.NotContains(t, string(c.do("GET", "/api/instance/list", "").raw), "SK")
}

func TestCreateRefusals(t *testing.T) {
	s, c := start(t)
	s.AddInstance("a")
	tests := []struct {
		body   string
		status int
		text   string
	}{
		{`{"name":"a"}`, 409, "already exists"},
		{`{}`, 400, "Instance name is required"},
		{`{"name":"b"`, 400, "Invalid request body"},
		{`{"name":7}`, 400, "Invalid request body"},
		{`[]`, 400, "Invalid request body"},
		{`{"name":"b"} x`, 400, "Invalid request body"},
		{`{"name":"b","token":"` + s.Instance("a").Token() + `"}`, 409, "already exists"},
	}
	for _, tt := range tests {
		a := c.do("POST", "/api/instance/new", tt.body)
		assert.Equal(t, tt.status, a.status, tt.body)
		assert.Contains(t, a.text(), tt.text, tt.body)
	}
	assert.Nil(t, s.Instance("b"))
}

func TestNewTokenCanBeWhereTheGuideSays(t *testing.T) {
	s, c := start(t, WithTokenInData())
	a := c.do("POST", "/api/instance/new", `{"name":"a"}`)
	assert.Nil(t, a.at("instance", "token"))
	assert.Equal(t, s.Instance("a").Token(), a.at("data", "token"))
}

func TestListFilterIsAsLooseAsTheServices(t *testing.T) {
	s, c := start(t)
	s.AddInstance("a")
	s.AddInstance("b")
	s.AddInstance("c")
	tests := []struct {
		query   string
		message string
		want    []string
	}{
		{"", "3 Instances found", []string{"a", "b", "c"}},
		{"?instanceName=", "3 Instances found", []string{"a", "b", "c"}},
		{"?instanceName=b", "1 Instance found", []string{"b"}},
		{"?instanceName=c,a,nobody", "2 Instances found", []string{"a", "c"}},
		{"?instanceName=nobody,noone", "0 Instances found", nil},
	}
	for _, tt := range tests {
		a := c.do("GET", "/api/instance/list"+tt.query, "")
		assert.Equal(t, 200, a.status)
		assert.Equal(t, tt.want, names(a), tt.query)
		assert.Equal(t, tt.message, a.at("message"))
		assert.EqualValues(t, len(tt.want), a.at("meta", "total"))
	}
	a := c.do("GET", "/api/instance/list?instanceName=nobody", "")
	assert.Equal(t, 404, a.status)
	assert.Equal(t, "Instance not found", a.text())

	mine := c.with(s.Instance("b").Token()).do("GET", "/api/instance/list?instanceName=a", "")
	assert.Equal(t, []string{"b"}, names(mine), "a TokenInstance sees its own instance, whatever it asks for")
}

func TestConnectShowsACodeThatRotates(t *testing.T) {
	bubble(t, func(t *testing.T, s *Server, c client) {
		i := s.AddInstance("a")
		a := c.do("GET", "/api/instance/connect/a", "")
		require.Equal(t, 200, a.status)
		first := a.at("qrCode").(string)
		assert.Equal(t, first, i.QRCode())
		assert.Equal(t, StateConnecting, i.State())

		s.Advance(21 * time.Second)
		second := i.QRCode()
		assert.NotEqual(t, first, second)
		third := c.do("GET", "/api/instance/connect/a", "").at("qrCode")
		assert.NotEqual(t, second, third, "every connect makes a new code")

		s.Advance(10 * time.Minute)
		assert.Empty(t, i.QRCode())
		assert.Equal(t, StateDisconnected, i.State())
		i.Pair("5511900000001")
		assert.Equal(t, StateConnected, i.State())
		again := c.do("GET", "/api/instance/connect/a", "")
		assert.Equal(t, "connected", again.at("status"))
		assert.Nil(t, again.at("qrCode"))
	})
}

func TestConnectVariants(t *testing.T) {
	bubble(t, func(t *testing.T, s *Server, c client) {
		i := s.AddInstance("a")
		began := time.Now()
		a := c.do("GET", "/api/instance/connect/a", "")
		assert.Equal(t, 30*time.Second, time.Since(began), "the call blocks until there is a code")
		assert.True(t, strings.HasPrefix(a.at("qrCodeBase64").(string), "iVBOR"), "no prefix")
		assert.Equal(t, StateQR, i.State())
		s.Advance(10 * time.Minute)
		assert.Equal(t, StateClosed, i.State())

		a = c.do("GET", "/api/instance/connect/a?number=5511900000007", "")
		assert.Regexp(t, "^[0-9A-Z]{8}$", a.at("pairingCode"))
		assert.Equal(t, i.PairingCode(), a.at("pairingCode"))
		i.FailPairing()
		assert.Equal(t, StateDisconnected, i.State())
		c.do("GET", "/api/instance/connect/a?number=5511900000007", "")
		i.Pair("")
		assert.Equal(t, "5511900000007", i.Phone())
		row := c.do("GET", "/api/instance/list", "").at("instances").([]any)[0].(map[string]any)
		assert.Equal(t, "5511900000007:12@s.whatsapp.net", row["connection"].(map[string]any)["numberJid"])
	}, WithoutQRPrefix(), WithCodeDelay(30*time.Second), WithObservedStates(), WithDeviceSuffix("12"))
	bubble(t, func(t *testing.T, s *Server, c client) {
		s.AddInstance("a")
		c.do("GET", "/api/instance/connect/a", "")
		time.Sleep(3*time.Second + time.Millisecond)
		assert.Equal(t, StateConnected, s.Instance("a").State())
	}, WithAutoPair(3*time.Second))
}

func TestReconnectNeedsASession(t *testing.T) {
	bubble(t, func(t *testing.T, s *Server, c client) {
		i := s.AddInstance("a")
		a := c.do("POST", "/api/instance/reconnect/a", "")
		assert.Equal(t, 400, a.status)
		assert.Equal(t, "Instance has no saved session — call /connect first", a.text())

		i.Pair("5511900000001")
		i.Disconnect()
		a = c.do("POST", "/api/instance/reconnect/a", "anything, ignored")
		assert.Equal(t, "connecting", a.at("status"))
		assert.Equal(t, StateConnecting, i.State())
		time.Sleep(time.Second)
		assert.Equal(t, StateConnected, i.State())

		i.LogOutFromPhone()
		assert.Equal(t, StateLoggedOut, i.State())
		assert.Equal(t, 400, c.do("POST", "/api/instance/reconnect/a", "").status)
		assert.Equal(t, 200, c.do("DELETE", "/api/instance/logout/a", "").status, "logging out again does no harm")
		i.Reconnect()
		assert.Equal(t, StateLoggedOut, i.State())
	})
}

func TestDeleteEndsTheTokenAndTheStreams(t *testing.T) {
	s, c := start(t)
	i := s.AddInstance("a")
	c.do("POST", "/api/events/websocket/a", `{"enabled":true}`)
	conn := dial(t, s, "a", i.Token())
	require.Equal(t, 200, c.do("DELETE", "/api/instance/delete/a", "").status)
	_, _, err := conn.Read(t.Context())
	assert.Error(t, err)
	assert.Equal(t, 401, c.with(i.Token()).do("GET", "/api/instance/list", "").status)
	a := c.do("DELETE", "/api/instance/delete/a", "")
	assert.Equal(t, 404, a.status)
	assert.Equal(t, "Instance not found", a.text())
}

func TestSettingsArePatchedProxyAndS3Replaced(t *testing.T) {
	s, c := start(t)
	s.AddInstance("a")
	a := c.do("POST", "/api/instance/settings/a", `{"ignoreStatus":true}`)
	assert.Equal(t, true, a.at("settings", "ignoreStatus"))
	assert.Equal(t, true, a.at("settings", "disableHistorySync"), "the default")
	a = c.do("POST", "/api/instance/settings/a", `{"disableHistorySync":false,"callRejectMessage":""}`)
	assert.Equal(t, true, a.at("settings", "ignoreStatus"), "kept")
	assert.Equal(t, false, a.at("settings", "disableHistorySync"))
	assert.Len(t, a.at("settings"), 7)
	a = c.do("POST", "/api/instance/settings/a", `{}`)
	assert.Equal(t, 400, a.status)
	assert.Equal(t, "At least one setting must be provided", a.text())

	c.do("POST", "/api/instance/proxy/a", `{"enabled":true,"host":"h","port":"1","protocol":"socks5"}`)
	a = c.do("POST", "/api/instance/proxy/a", `{"enabled":false}`)
	assert.Equal(t, map[string]any{"enabled": false, "host": nil, "port": nil, "protocol": nil, "username": nil}, a.at("proxy"))
	c.do("POST", "/api/instance/s3/a", `{"enabled":true,"bucket":"b","secretKey":"SK"}`)
	a = c.do("POST", "/api/instance/s3/a", `{"enabled":true,"region":"r"}`)
	assert.Equal(t, "", a.at("s3", "bucket"), "not a partial update") //nolint:testifylint // null would be empty too
}

func TestMetricsCountAndSum(t *testing.T) {
	bubble(t, func(t *testing.T, s *Server, c client) {
		a, b := s.AddInstance("a"), s.AddInstance("b")
		a.Pair("")
		b.Pair("")
		c.do("POST", "/api/message/text/a", hello)
		a.Receive(Incoming{From: "5511987654321", Text: "x"})
		a.Receive(Incoming{From: "5511987654321", Group: "120363000000000001@g.us", Text: "x"})
		b.Receive(Incoming{From: "5511987654399", Media: &File{Data: []byte("x"), MIME: "image/png"}, At: s.Now().AddDate(0, 0, -10)})
		time.Sleep(time.Second)

		m := c.do("GET", "/api/instance/metrics/a", "")
		assert.EqualValues(t, 3, m.at("metrics", "totalMessages"))
		assert.EqualValues(t, 1, m.at("metrics", "messagesSent"))
		assert.EqualValues(t, 1, m.at("metrics", "groupMessages"))
		assert.EqualValues(t, 1, m.at("metrics", "messagesByStatus", "read"))

		m = c.do("GET", "/api/instance/metrics/a,%20b", "")
		assert.Equal(t, "a, b", m.at("metrics", "instance"))
		assert.EqualValues(t, 4, m.at("metrics", "totalMessages"))
		assert.EqualValues(t, 3, m.at("metrics", "messagesLast7Days"))
		assert.EqualValues(t, 4, m.at("metrics", "messagesLast30Days"))
		assert.EqualValues(t, 1, m.at("metrics", "mediaByType", "image"))

		assert.Equal(t, 404, c.do("GET", "/api/instance/metrics/a,nobody", "").status)
		assert.Equal(t, 403, c.with(a.Token()).do("GET", "/api/instance/metrics/a,b", "").status)
		assert.Equal(t, 400, c.do("GET", "/api/instance/metrics/,,", "").status)
	})
}

func TestHealthHasItsOwnBody(t *testing.T) {
	bubble(t, func(t *testing.T, s *Server, c client) {
		time.Sleep(90 * time.Second)
		a := c.with("").do("GET", "/health", "")
		assert.Equal(t, 200, a.status)
		assert.Equal(t, map[string]any{
			"status": "ok", "service": "RyzeAPI", "uptime": "1m30s",
			"timestamp": time.Now().UTC().Format(time.RFC3339), "checks": map[string]any{"db": "ok"},
		}, a.body)

		s.Degrade("db", "connection refused")
		a = c.with("").do("GET", "/health", "")
		assert.Equal(t, 503, a.status)
		assert.Equal(t, "degraded", a.at("status"))
		assert.Equal(t, "fail: connection refused", a.at("checks", "db"))
		s.Degrade("db", "")
		assert.Equal(t, 200, c.do("GET", "/health", "").status)
	})
}
