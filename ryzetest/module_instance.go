package ryzetest

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"rsc.io/qr"
)

func instanceRoutes() []route {
	create := []field{
		str("name"), str("token"),
		boolean("proxyEnabled"), str("proxyHost"), str("proxyPort"), str("proxyProtocol"), str("proxyUsername"), str("proxyPassword"),
		boolean("webhookEnabled"), str("webhookURL"), str("webhookAuthorization"), boolean("webhookByEvents"),
		list("webhookEvents", str("", eventNames...)), boolean("webhookMediaBase64"),
		boolean("websocketEnabled"), list("websocketEvents", str("", eventNames...)), boolean("websocketMediaBase64"),
		boolean("chatwootEnabled"), str("chatwootBaseUrl"), integer("chatwootAccountId"), str("chatwootApiToken"),
		str("chatwootInboxName"), boolean("chatwootSignMessages"), boolean("chatwootIgnoreGroups"),
		boolean("chatwootStartAsPending"), boolean("chatwootReopenResolved"),
		boolean("s3Enabled"), str("s3Region"), str("s3Bucket"), str("s3AccessKey"), str("s3SecretKey"),
		str("s3Endpoint"), str("s3PathPrefix"),
	}
	create = append(create, settingsFields...)
	return []route{
		{id: "instance.create", method: "POST", path: "/api/instance/new", auth: authAccount, rate: rateCreate, body: create, handle: createInstance},
		{id: "instance.list", method: "GET", path: "/api/instance/list", query: []string{"instanceName"}, handle: listInstances},
		{id: "instance.connect", method: "GET", path: "/api/instance/connect/:instance", query: []string{"number", "history"}, handle: connectInstance},
		{id: "instance.reconnect", method: "POST", path: "/api/instance/reconnect/:instance", handle: reconnectInstance},
		{id: "instance.logout", method: "DELETE", path: "/api/instance/logout/:instance", handle: logoutInstance},
		{id: "instance.delete", method: "DELETE", path: "/api/instance/delete/:instance", auth: authAccount, handle: deleteInstance},
		{id: "instance.metrics", method: "GET", path: "/api/instance/metrics/:instance", several: true, handle: metrics},
	}
}

func createInstance(c *call) reply {
	s, b := c.s, c.body
	name := b.str("name")
	if name == "" {
		return badRequest(textNameRequired)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.acc.find(name) != nil {
		return fail(http.StatusConflict, "Instance name already exists")
	}
	token := b.str("token")
	if acc, _ := s.owner(token); token != "" && acc != nil {
		return fail(http.StatusConflict, "Instance token already exists")
	}
	if len(c.acc.instances) >= c.acc.quota {
		return fail(http.StatusForbidden, textQuota)
	}
	if token == "" {
		token = s.instanceToken(name)
	}
	i := s.newInstance(c.acc, name, token)
	i.settings.update(b)
	i.proxy = proxy{
		enabled: b.bool("proxyEnabled"), host: b.str("proxyHost"), port: b.str("proxyPort"),
		protocol: b.str("proxyProtocol"), username: b.str("proxyUsername"), password: b.str("proxyPassword"),
	}
	if b.bool("s3Enabled") {
		i.s3 = s3{
			enabled: true, region: b.str("s3Region"), bucket: b.str("s3Bucket"), accessKey: b.str("s3AccessKey"),
			secretKey: b.str("s3SecretKey"), endpoint: b.str("s3Endpoint"), pathPrefix: b.str("s3PathPrefix"),
		}
	}
	// A block that fails leaves the creation alone and comes back disabled.
	if b.bool("webhookEnabled") {
		h := &hook{inst: i, label: defaultLabel, enabled: true, url: b.str("webhookURL"),
			byEvents: b.bool("webhookByEvents"), events: b.strings("webhookEvents"), mediaBase64: b.bool("webhookMediaBase64")}
		if b.has("webhookAuthorization") {
			v := b.str("webhookAuthorization")
			h.authorization = &v
		}
		if validURL(h.url) {
			i.hooks = append(i.hooks, h)
		}
	}
	if b.has("websocketEnabled") {
		i.stream = &streamConfig{}
		if b.bool("websocketEnabled") {
			i.stream = &streamConfig{true, b.strings("websocketEvents"), b.bool("websocketMediaBase64")}
		}
	}
	if b.bool("chatwootEnabled") {
		i.activateInline(b)
	}

	instance := obj{
		"id": i.id, "name": i.name, "status": string(i.state), "numberJid": nil,
		"createdAt": utc(i.created), "updatedAt": utc(i.updated),
	}
	if b.bool("chatwootEnabled") {
		instance["chatwoot"] = i.chatwoot
	}
	res := ok(obj{"message": "Instance created successfully", "instance": instance})
	res.status = http.StatusCreated
	if s.cfg.tokenInData {
		res.body.(obj)["data"] = obj{"token": i.token}
	} else {
		instance["token"] = i.token
	}
	return res
}

// listInstances plays the filter as it was observed: a TokenInstance always
// sees its own instance; an empty instanceName lists the whole account.
func listInstances(c *call) reply {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	var found []*Instance
	filter, _ := c.param("instanceName")
	names := splitNames(filter)
	switch {
	case c.byKey != nil:
		found = []*Instance{c.byKey}
	case len(names) == 0:
		found = c.acc.instances
	default:
		for _, i := range c.acc.instances {
			for _, name := range names {
				if i.name == name {
					found = append(found, i)
					break
				}
			}
		}
		if len(names) == 1 && len(found) == 0 {
			return notFound(textNoInstance)
		}
	}
	items := make([]obj, len(found))
	for k, i := range found {
		items[k] = i.row()
	}
	message := fmt.Sprintf("%d Instances found", len(items))
	if len(items) == 1 {
		message = "1 Instance found"
	}
	return ok(obj{"message": message, "instances": items, "meta": obj{"total": len(items)}})
}

// row is an item of the list.
func (i *Instance) row() obj {
	var number any
	if i.phone != "" {
		user := i.phone
		if i.s.cfg.deviceSuffix != "" {
			user += ":" + i.s.cfg.deviceSuffix
		}
		number = user + "@" + serverUser
	}
	presence, display := "unavailable", "Offline"
	if i.state == StateConnected && i.settings.keepOnlineStatus {
		presence, display = "available", "Online"
	}
	webhook := obj{"enabled": false}
	if h := i.hook(defaultLabel); h != nil && h.enabled {
		webhook = h.view()
	}
	websocket := obj{"enabled": false, "events": []string{}, "mediaBase64": false}
	if i.stream != nil {
		websocket = i.stream.view()
	}
	chatwoot := i.chatwoot
	if chatwoot == nil {
		chatwoot = obj{"enabled": false}
	}
	return obj{
		"id": i.id, "name": i.name, "token": i.token, "status": string(i.state), "numberJid": number,
		"connection": obj{
			"state": string(i.state), "numberJid": number, "presenceStatus": presence, "displayStatus": display,
		},
		"profile": obj{
			"name": i.profile.name, "pictureUrl": i.profile.picture,
			"isBusiness": i.profile.business, "businessName": i.profile.businessName,
		},
		"webhook": webhook, "websocket": websocket, "chatwoot": chatwoot,
		"proxy": i.proxy.view(), "settings": i.settings.view(), "s3": i.s3.view(),
		"createdAt": utc(i.created), "updatedAt": utc(i.updated),
	}
}

func connectInstance(c *call) reply {
	s, i := c.s, c.inst
	number, _ := c.param("number")
	if number != "" && !isDigits(number) {
		return badRequest("Number must hold digits only")
	}
	days := -1
	if h, asked := c.param("history"); asked {
		n, err := strconv.Atoi(h)
		if err != nil || n < 0 {
			return badRequest("history must be a number of days")
		}
		days = n
	}
	if err := c.sleep(s.cfg.codeDelay); err != nil {
		return fail(http.StatusInternalServerError, "Failed to connect instance")
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	if i.deleted() {
		return notFound(textNoInstance)
	}
	if i.state == StateConnected {
		return ok(obj{"message": "Instance is already connected", "status": "connected"})
	}
	i.stopReconnect()
	i.startPairing(number, days)
	if number != "" {
		return ok(obj{"message": "Pairing code generated", "pairingCode": i.pairing.code, "status": "connecting"})
	}
	text := i.pairing.codes[0]
	image, err := qrPNG(text)
	if err != nil {
		return fail(http.StatusInternalServerError, "Failed to generate QR code: "+err.Error())
	}
	if !s.cfg.bareQR {
		image = "data:image/png;base64," + image
	}
	return ok(obj{"message": "QR code generated", "qrCode": text, "qrCodeBase64": image, "status": "qr"})
}

func qrPNG(text string) (string, error) {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(code.PNG()), nil
}

func reconnectInstance(c *call) reply {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if !c.inst.session {
		return badRequest("Instance has no saved session — call /connect first")
	}
	c.inst.startReconnect()
	return ok(obj{"message": "Reconnect initiated", "status": "connecting"})
}

func logoutInstance(c *call) reply {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.inst.logOut()
	return ok(obj{"message": "Instance logged out", "instance": obj{"status": "loggedout"}})
}

func deleteInstance(c *call) reply {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.inst.deleted() {
		return notFound(textNoInstance)
	}
	c.inst.remove()
	c.inst.dropSockets(1001)
	return ok(obj{"message": "Instance deleted", "instance": obj{"status": "deleted"}})
}

// metrics counts what is stored, of all instances named together.
func metrics(c *call) reply {
	s := c.s
	now := s.clock.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	var total, received, sent, group, media, week, month int
	byType, mediaByType := obj{}, obj{}
	byStatus := obj{"pending": 0, "sent": 0, "delivered": 0, "read": 0, "played": 0, "failed": 0}
	chats, groups, contacts := map[string]bool{}, map[string]bool{}, map[string]bool{}
	var first, last time.Time
	count := func(in obj, key string) {
		n, _ := in[key].(int)
		in[key] = n + 1
	}
	for _, i := range c.insts {
		for _, m := range i.messages {
			total++
			count(byType, m.Kind)
			if m.FromMe {
				sent++
				status := m.Status
				if status == "error" {
					status = "failed"
				}
				count(byStatus, status)
			} else {
				received++
			}
			chats[m.Chat] = true
			if chatType(m.Chat) == "group" {
				group++
				groups[m.Chat] = true
			} else {
				contacts[m.Chat] = true
			}
			if m.Media != nil {
				media++
				count(mediaByType, m.Media.Kind)
			}
			if m.Timestamp.After(now.AddDate(0, 0, -7)) {
				week++
			}
			if m.Timestamp.After(now.AddDate(0, 0, -30)) {
				month++
			}
			if first.IsZero() || m.Timestamp.Before(first) {
				first = m.Timestamp
			}
			if m.Timestamp.After(last) {
				last = m.Timestamp
			}
		}
	}
	when := func(t time.Time) any {
		if t.IsZero() {
			return nil
		}
		return utc(t)
	}
	return ok(obj{"message": "Metrics retrieved successfully", "metrics": obj{
		"instance": c.params["instance"], "totalMessages": total, "messagesReceived": received, "messagesSent": sent,
		"messagesByType": byType, "groupMessages": group, "individualMessages": total - group,
		"messagesWithMedia": media, "mediaByType": mediaByType, "messagesByStatus": byStatus,
		"uniqueChats": len(chats), "uniqueGroups": len(groups), "uniqueContacts": len(contacts),
		"messagesLast7Days": week, "messagesLast30Days": month,
		"firstMessageAt": when(first), "lastMessageAt": when(last),
	}})
}
