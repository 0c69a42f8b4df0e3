package ryzetest

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

func profileRoutes() []route {
	account := route{
		id: "profile.update_account", method: "POST", path: "/api/profile/account/:instance", handle: updateAccount,
		body: []field{str("profilePicture"), str("profileName"), str("profileStatus")}, stream: []string{"profilePicture"},
	}
	privacy := make([]field, len(privacySections))
	for k, section := range privacySections {
		privacy[k] = object(section.name, section.fields...)
	}
	return []route{
		account,
		{id: "profile.get_account", method: "GET", path: "/api/profile/getAccount/:instance", query: []string{"number"}, handle: getAccount},
		{id: "profile.get_privacy", method: "GET", path: "/api/profile/getPrivacy/:instance", handle: getPrivacy},
		{id: "profile.get_privacy_alias", method: "GET", path: "/api/profile/privacy/:instance", handle: getPrivacy},
		{id: "profile.update_privacy", method: "POST", path: "/api/profile/privacy/:instance", body: privacy, handle: updatePrivacy},
	}
}

// privacySections are the seven settings in their three groups, in the order
// in which they are written.
var privacySections = []struct {
	name   string
	fields []field
}{
	{"visibility", []field{
		str("lastSeen", "all", "contacts", "contact_blacklist", "none"),
		str("status", "all", "contacts", "contact_blacklist", "none"),
		str("profile", "all", "contacts", "contact_blacklist", "none"),
		str("online", "all", "match_last_seen"),
	}},
	{"privacy", []field{str("readReceipts", "all", "none")}},
	{"permissions", []field{
		str("callAdd", "all", "known"),
		str("groupAdd", "all", "contacts", "contact_blacklist"),
	}},
}

// SetProfile sets what WhatsApp knows about the account of the instance: push
// name, about text, address of the picture.
func (i *Instance) SetProfile(name, about, picture string) {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	i.profile.name, i.about, i.profile.picture = name, about, picture
}

// FailPrivacyAfter makes the next privacy update fail after that many settings.
// Those stay written.
func (i *Instance) FailPrivacyAfter(written int) {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	i.privacyFault = &written
}

// updateAccount tells absent from empty: an empty picture or about text is
// taken away, an empty name is ignored. Its error texts are not documented.
func updateAccount(c *call) reply {
	b, i := c.body, c.inst
	if !b.has("profilePicture") && !b.has("profileName") && !b.has("profileStatus") {
		return badRequest("At least one field must be provided")
	}
	picture, _, err := c.picture("profilePicture")
	if err != nil {
		return badRequest(err.Error())
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if res, stop := c.offline(); stop {
		return res
	}
	updated := []string{}
	if b.has("profilePicture") {
		i.profile.picture = picture
		updated = append(updated, "profilePicture")
	}
	if b.str("profileName") != "" {
		i.profile.name = b.str("profileName")
		updated = append(updated, "profileName")
	}
	if b.has("profileStatus") {
		i.about = b.str("profileStatus")
		updated = append(updated, "profileStatus")
	}
	return ok(obj{"message": "Profile updated successfully", "updatedFields": updated})
}

// getAccount looks somebody up: the account itself, another instance, a known
// contact, or anybody whom the server was not told to be without WhatsApp. The
// error texts are not documented.
func getAccount(c *call) reply {
	number, _ := c.param("number")
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if res, stop := c.offline(); stop {
		return res
	}
	if number == "" {
		return ok(obj{"profile": c.inst.profileView()})
	}
	jid, valid := parseNumber(strings.NewReplacer("+", "", "-", "", "(", "", ")", "", " ", "").Replace(number))
	if _, server := splitJID(jid); !valid || server != serverUser && server != serverLID {
		return badNumber(number)
	}
	if server := "@" + serverUser; strings.HasSuffix(jid, server) {
		if _, there := c.s.world.resolve(jid); !there {
			return notFound("Number " + strings.TrimSuffix(jid, server) + " is not on WhatsApp")
		}
	}
	jid = c.s.world.canonical(jid)
	for i := range c.s.instances() {
		if i.session && i.jid() == jid {
			return ok(obj{"profile": i.profileView()})
		}
	}
	known := c.s.world.contact(jid)
	return ok(obj{"profile": profileOf(jid, known.LID, known.Name, known.About, known.Picture)})
}

func (i *Instance) profileView() obj {
	name := i.profile.name
	if i.profile.business && i.profile.businessName != "" {
		name = i.profile.businessName
	}
	return profileOf(i.jid(), i.s.world.contact(i.jid()).LID, name, i.about, i.profile.picture)
}

// profileOf shows what is known; only the picture is always there.
func profileOf(jid, lid, name, about, picture string) obj {
	view := obj{"profilePicture": nil}
	set := func(key, value string) {
		if value != "" {
			view[key] = value
		}
	}
	set("profilePicture", picture)
	set("profileName", name)
	set("profileStatus", about)
	set("lid", lid)
	user, server := splitJID(jid)
	if server == serverLID {
		view["lid"] = jid
		return view
	}
	view["phoneNumber"], view["jid"] = user, jid
	return view
}

// privacyView shows all settings; those never written have WhatsApp's usual
// values.
func (i *Instance) privacyView() obj {
	view := obj{}
	for _, section := range privacySections {
		part := obj{}
		for _, f := range section.fields {
			part[f.name] = cmp.Or(i.privacy[section.name+"."+f.name], "all")
		}
		view[section.name] = part
	}
	return view
}

func getPrivacy(c *call) reply {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if res, stop := c.offline(); stop {
		return res
	}
	return ok(obj{"message": "Privacy settings retrieved successfully", "settings": c.inst.privacyView()})
}

// updatePrivacy writes one setting after the other, and is not undone when one
// fails. Its error texts are not documented.
func updatePrivacy(c *call) reply {
	b, i := c.body, c.inst
	type write struct{ key, value string }
	var writes []write
	sections := 0
	for _, section := range privacySections {
		if !b.has(section.name) {
			continue
		}
		sections++
		for _, f := range section.fields {
			value := b.object(section.name).str(f.name)
			if value == "" {
				continue
			}
			if !slices.Contains(f.enum, value) {
				return badRequest("Invalid value for " + section.name + "." + f.name)
			}
			writes = append(writes, write{section.name + "." + f.name, value})
		}
	}
	if sections == 0 {
		return badRequest("At least one setting must be provided")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if res, stop := c.offline(); stop {
		return res
	}
	fault := i.privacyFault
	i.privacyFault = nil
	for k, w := range writes {
		if fault != nil && k == *fault {
			return fail(http.StatusInternalServerError, "Failed to update privacy settings")
		}
		if i.privacy == nil {
			i.privacy = map[string]string{}
		}
		i.privacy[w.key] = w.value
	}
	return ok(obj{"settings": i.privacyView()})
}
