package ryzetest

import "strings"

var settingsFields = []field{
	boolean("autoRejectCalls"), str("callRejectMessage"), boolean("ignoreGroupMessages"), boolean("keepOnlineStatus"),
	boolean("autoReadMessages"), boolean("disableHistorySync"), boolean("ignoreStatus"),
}

func settingsRoutes() []route {
	proxyFields := []field{boolean("enabled"), str("host"), str("port"), str("protocol"), str("username"), str("password")}
	s3Fields := []field{boolean("enabled"), str("region"), str("bucket"), str("accessKey"), str("secretKey"), str("endpoint"), str("pathPrefix")}
	return []route{
		{id: "instance.settings.update", method: "POST", path: "/api/instance/settings/:instance", body: settingsFields, handle: updateSettings},
		{id: "instance.settings.get", method: "GET", path: "/api/instance/getSettings/:instance", handle: getSettings},
		{id: "instance.proxy.update", method: "POST", path: "/api/instance/proxy/:instance", body: proxyFields, handle: updateProxy},
		{id: "instance.proxy.get", method: "GET", path: "/api/instance/getProxy/:instance", handle: getProxy},
		{id: "instance.s3.update", method: "POST", path: "/api/instance/s3/:instance", body: s3Fields, handle: updateS3},
		{id: "instance.s3.get", method: "GET", path: "/api/instance/getS3/:instance", handle: getS3},
	}
}

// update sets the flags that the body holds, and reports whether there was one.
func (st *settings) update(b values) bool {
	flags := map[string]*bool{
		"autoRejectCalls": &st.autoRejectCalls, "ignoreGroupMessages": &st.ignoreGroupMessages,
		"keepOnlineStatus": &st.keepOnlineStatus, "autoReadMessages": &st.autoReadMessages,
		"disableHistorySync": &st.disableHistorySync, "ignoreStatus": &st.ignoreStatus,
	}
	found := false
	for name, flag := range flags {
		if b.has(name) {
			*flag, found = b.bool(name), true
		}
	}
	if b.has("callRejectMessage") {
		st.callRejectMessage, found = b.str("callRejectMessage"), true
	}
	return found
}

func (st settings) view() obj {
	return obj{
		"autoRejectCalls": st.autoRejectCalls, "callRejectMessage": st.callRejectMessage,
		"ignoreGroupMessages": st.ignoreGroupMessages, "keepOnlineStatus": st.keepOnlineStatus,
		"autoReadMessages": st.autoReadMessages, "disableHistorySync": st.disableHistorySync,
		"ignoreStatus": st.ignoreStatus,
	}
}

func updateSettings(c *call) reply {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if !c.inst.settings.update(c.body) {
		return badRequest("At least one setting must be provided")
	}
	return ok(obj{"message": "Settings updated successfully", "settings": c.inst.settings.view()})
}

func getSettings(c *call) reply {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return ok(obj{"message": "Settings retrieved successfully", "settings": c.inst.settings.view()})
}

func (p proxy) view() obj {
	if !p.enabled {
		return obj{"enabled": false, "host": nil, "port": nil, "protocol": nil, "username": nil}
	}
	return obj{"enabled": true, "host": p.host, "port": p.port, "protocol": p.protocol, "username": p.username}
}

func updateProxy(c *call) reply {
	b := c.body
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.inst.proxy = proxy{}
	if b.bool("enabled") {
		c.inst.proxy = proxy{
			enabled: true, host: b.str("host"), port: b.str("port"), protocol: b.str("protocol"),
			username: b.str("username"), password: b.str("password"),
		}
	}
	return ok(obj{"message": "Proxy configuration updated", "proxy": c.inst.proxy.view()})
}

func getProxy(c *call) reply {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return ok(obj{"message": "Proxy configuration retrieved successfully", "proxy": c.inst.proxy.view()})
}

func (x s3) view() obj {
	return obj{
		"enabled": x.enabled, "region": x.region, "bucket": x.bucket, "accessKey": x.accessKey,
		"endpoint": x.endpoint, "pathPrefix": x.pathPrefix,
	}
}

// object is the address of a stored media.
func (x s3) object(messageID string) string {
	base := "https://" + x.bucket + ".s3." + x.region + ".amazonaws.com/"
	if x.endpoint != "" {
		base = strings.TrimSuffix(x.endpoint, "/") + "/" + x.bucket + "/"
	}
	return base + x.pathPrefix + messageID
}

func updateS3(c *call) reply {
	b := c.body
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.inst.s3 = s3{}
	if b.bool("enabled") {
		c.inst.s3 = s3{
			enabled: true, region: b.str("region"), bucket: b.str("bucket"), accessKey: b.str("accessKey"),
			secretKey: b.str("secretKey"), endpoint: b.str("endpoint"), pathPrefix: b.str("pathPrefix"),
		}
	}
	return ok(obj{"message": "S3 configuration updated", "s3": c.inst.s3.view()})
}

// getS3 has no message, and secretKey is always null.
func getS3(c *call) reply {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	view := c.inst.s3.view()
	view["secretKey"] = nil
	return ok(obj{"s3": view})
}
