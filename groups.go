package ryze

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// GroupsService creates, reads and changes groups and their members. It cannot
// delete a group or set its disappearing-message timer.
// [Settings.IgnoreGroupMessages] stops their messages as events.
type GroupsService service

// Group is a group as a reply shows it. Each call fills other fields; the rest
// is zero.
type Group struct {
	Meta `json:"-"`

	JID         JID
	Name        string
	Description string
	// ImageURL is the picture on WhatsApp's host. It is valid for a short time:
	// fetch it, do not store it. [GroupsService.Info] fills it.
	ImageURL string
	// InviteCode and InviteLink let anyone who has them join or ask to.
	InviteCode string
	InviteLink string
	CreatedBy  JID
	// CreatedAt comes from [GroupsService.Info], in RFC 3339. Another form
	// leaves it zero.
	CreatedAt   time.Time
	MemberCount int
	Members     []GroupMember // when they were asked for
	// Permissions are nil when the reply does not show them.
	Permissions *GroupPermissions
	// Metadata tells who last changed name and description, as received.
	Metadata    json.RawMessage
	IsEphemeral bool // messages disappear
	IsIncognito bool
	IsSuspended bool
	// IsAnnouncements marks the announcements group of a community.
	IsAnnouncements bool
	// Message is the service's text after [GroupsService.Create] and
	// [GroupsService.Update]. After an update it names the changed fields.
	Message string
}

// GroupMember is a member of a group.
type GroupMember struct {
	JID          JID
	LID          JID // [GroupsService.Info] only
	IsAdmin      bool
	IsSuperAdmin bool
}

// GroupPermissions say what members may do.
type GroupPermissions struct {
	MembersCanEditInfo     bool // change name, description and picture
	MembersCanSendMessages bool // false: only admins write
	MembersCanAddOthers    bool
	RequireAdminApproval   bool // whoever wants to join waits for an admin
}

// GroupPermissionsUpdate sets some permissions. A nil field stays unchanged; at
// creation WhatsApp chooses. Fill a field with new(true).
type GroupPermissionsUpdate struct {
	MembersCanEditInfo     *bool `json:"membersCanEditInfo,omitempty"`
	MembersCanSendMessages *bool `json:"membersCanSendMessages,omitempty"`
	MembersCanAddOthers    *bool `json:"membersCanAddOthers,omitempty"`
	RequireAdminApproval   *bool `json:"requireAdminApproval,omitempty"`
}

// wireGroup is a group as it travels. The list spells two of its keys
// differently from the other routes.
type wireGroup struct {
	JID              JID                     `json:"jid"`
	GroupJID         JID                     `json:"groupJid"`
	Name             *string                 `json:"name"`
	Description      *string                 `json:"description"`
	Image            string                  `json:"image"`
	InviteCode       string                  `json:"inviteCode"`
	InviteLink       string                  `json:"inviteLink"`
	CreatedBy        JID                     `json:"createdBy"`
	CreatedAt        string                  `json:"createdAt"`
	ParticipantCount *wireInt                `json:"participantCount"`
	MemberCount      *wireInt                `json:"memberCount"`
	Participants     []wireMember            `json:"participants"`
	Members          []wireMember            `json:"members"`
	Permissions      object[wirePermissions] `json:"groupSettings"`
	Metadata         json.RawMessage         `json:"metadata"`

	IsEphemeral       wireBool `json:"isEphemeral"`
	IsIncognito       wireBool `json:"isIncognito"`
	IsSuspended       wireBool `json:"isSuspended"`
	IsDefaultSubGroup wireBool `json:"isDefaultSubGroup"`
}

// wirePermissions are the permissions that a reply shows.
type wirePermissions struct {
	MembersCanEditInfo     wireBool `json:"membersCanEditInfo"`
	MembersCanSendMessages wireBool `json:"membersCanSendMessages"`
	MembersCanAddOthers    wireBool `json:"membersCanAddOthers"`
	RequireAdminApproval   wireBool `json:"requireAdminApproval"`
}

// wireMember is an object, or perhaps only an address: what members look like
// in the list of groups is not documented.
type wireMember GroupMember

// UnmarshalJSON never fails.
func (m *wireMember) UnmarshalJSON(b []byte) error {
	var object struct {
		JID          stringOrInt `json:"jid"`
		LID          stringOrInt `json:"lid"`
		IsAdmin      wireBool    `json:"isAdmin"`
		IsSuperAdmin wireBool    `json:"isSuperAdmin"`
	}
	if json.Unmarshal(b, &m.JID) == nil {
		return nil
	}
	_ = json.Unmarshal(b, &object) // what could be read, counts
	*m = wireMember{JID(object.JID), JID(object.LID), object.IsAdmin.on, object.IsSuperAdmin.on}
	return nil
}

func (w *wireGroup) jid() JID {
	if w.JID == "" {
		return w.GroupJID
	}
	return w.JID
}

func (w *wireGroup) group(meta Meta) *Group {
	g := &Group{
		Meta: meta, JID: w.jid(), Name: deref(w.Name), Description: deref(w.Description), ImageURL: w.Image,
		InviteCode: w.InviteCode, InviteLink: w.InviteLink,
		CreatedBy: w.CreatedBy, CreatedAt: parseTime(w.CreatedAt), Metadata: w.Metadata,
		IsEphemeral: w.IsEphemeral.on, IsIncognito: w.IsIncognito.on, IsSuspended: w.IsSuspended.on,
		IsAnnouncements: w.IsDefaultSubGroup.on,
	}
	members := w.Participants
	if members == nil {
		members = w.Members
	}
	for _, m := range members {
		g.Members = append(g.Members, GroupMember(m))
	}
	switch {
	case w.ParticipantCount != nil:
		g.MemberCount = int(*w.ParticipantCount)
	case w.MemberCount != nil:
		g.MemberCount = int(*w.MemberCount)
	default:
		g.MemberCount = len(members)
	}
	if p := w.Permissions.value; p != nil {
		g.Permissions = &GroupPermissions{
			MembersCanEditInfo: p.MembersCanEditInfo.on, MembersCanSendMessages: p.MembersCanSendMessages.on,
			MembersCanAddOthers: p.MembersCanAddOthers.on, RequireAdminApproval: p.RequireAdminApproval.on,
		}
	}
	return g
}

// groupReply has the group below a key that is documented only by the way.
type groupReply struct {
	partialReply
	Group *wireGroup `json:"group"`
}

func (r *groupReply) missing() string {
	r.Group = resourceIn(r.Raw(), func(w *wireGroup) bool { return names(string(w.jid())) }, "group")
	if r.Group == nil {
		return "the reply has no group"
	}
	return ""
}

// created is missing for a new group.
func (r *groupReply) created() string {
	if missing := r.missing(); missing != "" {
		return missing
	}
	return r.unproven(opGroupCreate, true, true)
}

// shown returns the group of a reply, and what of it differs from what
// was asked for, as far as the reply shows it.
func (r *groupReply) shown(failed *parts, name, description *string, permissions GroupPermissionsUpdate) (*Group, error) {
	shown := r.Group
	failed.failed.Group = shown.jid()
	failed.addComplaint(&r.partialReply)
	differsText(failed, "Name", name, shown.Name)
	differsText(failed, "Description", description, shown.Description)
	if p := shown.Permissions.value; p != nil {
		differs(failed, "Permissions.MembersCanEditInfo", permissions.MembersCanEditInfo, p.MembersCanEditInfo.pointer())
		differs(failed, "Permissions.MembersCanSendMessages", permissions.MembersCanSendMessages, p.MembersCanSendMessages.pointer())
		differs(failed, "Permissions.MembersCanAddOthers", permissions.MembersCanAddOthers, p.MembersCanAddOthers.pointer())
		differs(failed, "Permissions.RequireAdminApproval", permissions.RequireAdminApproval, p.RequireAdminApproval.pointer())
	}
	group := shown.group(r.Meta)
	group.Message = r.Text
	return group, failed.err()
}

// CreateGroupParams describes a new group. Name and Members are required.
type CreateGroupParams struct {
	Name string
	// Members are the first members, at least one, by phone number. For LIDs
	// see docs/service-notes.md.
	Members     []JID
	Description string
	// ImageURL is a public http or https URL of the picture.
	ImageURL    string
	Community   JID // attach the group to this community
	Permissions GroupPermissionsUpdate
}

type createGroupBody struct {
	Name         string                 `json:"name"`
	Participants []string               `json:"participants"`
	Description  string                 `json:"description,omitempty"`
	Image        string                 `json:"image,omitempty"`
	CommunityJID string                 `json:"communityJid,omitempty"`
	Permissions  GroupPermissionsUpdate `json:"groupSettings,omitzero"`
}

// Create creates a group, in steps. When the reply lacks something, the group
// comes with [ErrPartial]. Do not create it again: use [GroupsService.Update]
// for the rest.
//
//	crew, err := inst.Groups.Create(ctx, params)
//	if err != nil && !errors.Is(err, ryze.ErrPartial) {
//		return err
//	}
//	use(crew.JID) // err may still name what the group lacks
//
// The reply does not show picture and community: check with
// [GroupsService.Info].
//
// Errors: [ErrNotConnected]; [ErrOutcomeUnknown]: list the groups first.
//
// POST /api/group/create/:instance. Not safe to repeat.
func (s *GroupsService) Create(ctx context.Context, params CreateGroupParams) (*Group, error) {
	if err := checkTexts("CreateGroupParams", params); err != nil {
		return nil, err
	}
	members, err := addresses("CreateGroupParams.Members", params.Members, people)
	if err != nil {
		return nil, err
	}
	body := createGroupBody{
		Name: params.Name, Participants: members, Description: params.Description,
		Image: params.ImageURL, Permissions: params.Permissions,
	}
	if strings.TrimSpace(params.Name) == "" {
		return nil, invalid("CreateGroupParams.Name", "is empty")
	}
	if err := checkImageURL("CreateGroupParams.ImageURL", params.ImageURL); err != nil {
		return nil, err
	}
	if params.Community != "" {
		if err := params.Community.check("CreateGroupParams.Community", groupsOnly); err != nil {
			return nil, err
		}
		body.CommunityJID = params.Community.wire()
	}
	in := input{body: body, hint: "the group may exist: list the groups before creating it again"}
	r, err := fetchChecked(ctx, s.h, opGroupCreate, in, (*groupReply).created)
	if err != nil {
		return nil, err
	}
	var description *string
	if params.Description != "" {
		description = &params.Description
	}
	return r.shown(partsOf(s.h, opGroupCreate), &params.Name, description, params.Permissions)
}

// List returns the groups of the account, without members. It can take a
// minute. For the fields that come see docs/service-notes.md.
//
// GET /api/group/list/:instance. Safe to repeat.
func (s *GroupsService) List(ctx context.Context) ([]Group, error) {
	return s.list(ctx, false)
}

// ListWithMembers is [GroupsService.List] with the members of each group.
//
// GET /api/group/list/:instance. Safe to repeat.
func (s *GroupsService) ListWithMembers(ctx context.Context) ([]Group, error) {
	return s.list(ctx, true)
}

func (s *GroupsService) list(ctx context.Context, members bool) ([]Group, error) {
	in := input{query: "includeMembers=" + strconv.FormatBool(members)}
	return fetchList(ctx, s.h, opGroupsList, in, []string{"groups"}, func(w *wireGroup, meta Meta) Group { return *w.group(meta) })
}

// Info returns a group of the account, with members. It returns
// [ErrGroupNotFound] when the account is not in it.
//
// GET /api/group/info/:instance. Safe to repeat.
func (s *GroupsService) Info(ctx context.Context, group JID) (*Group, error) {
	return s.infoOf(ctx, group, true)
}

// InfoWithoutMembers is [GroupsService.Info] without members, so the reply is
// much smaller. MemberCount is set if the service tells it.
//
// GET /api/group/info/:instance. Safe to repeat.
func (s *GroupsService) InfoWithoutMembers(ctx context.Context, group JID) (*Group, error) {
	return s.infoOf(ctx, group, false)
}

func (s *GroupsService) infoOf(ctx context.Context, group JID, members bool) (*Group, error) {
	if err := group.check("group", groupsOnly); err != nil {
		return nil, err
	}
	return s.info(ctx, group.wire(), members)
}

func (s *GroupsService) info(ctx context.Context, identifier string, members bool) (*Group, error) {
	query := url.Values{"identifier": {identifier}}
	if !members { // the service's default is to include them
		query.Set("participants", "false")
	}
	r, err := fetchChecked(ctx, s.h, opGroupInfo, input{query: query.Encode()}, (*groupReply).missing)
	if err != nil {
		return nil, err
	}
	return r.Group.group(r.Meta), nil
}

// GroupUpdate changes some properties of a group. A nil or empty field stays
// unchanged. Fill a pointer with new(v).
type GroupUpdate struct {
	Name        *string
	Description *string // new("") clears it
	ImageURL    string  // public http or https URL of a new picture
	// RemoveImage deletes the picture. Do not set ImageURL with it.
	RemoveImage bool
	Permissions GroupPermissionsUpdate
}

type updateGroupBody struct {
	Identifier  string                 `json:"identifier"`
	Name        *string                `json:"name,omitempty"`
	Description *string                `json:"description,omitempty"`
	Image       string                 `json:"image,omitempty"`
	RemoveImage bool                   `json:"removeImage,omitempty"`
	Permissions GroupPermissionsUpdate `json:"groupSettings,omitzero"`
}

// Update changes a group. At least one field is required. When the reply shows
// another value, or an error, the group comes with [ErrPartial], which names them:
//
//	updated, err := inst.Groups.Update(ctx, group, update)
//	if errors.Is(err, ryze.ErrPartial) {
//		log.Print(err) // updated is the group as it is now
//	}
//
// PUT /api/group/update/:instance. Safe to repeat.
func (s *GroupsService) Update(ctx context.Context, group JID, update GroupUpdate) (*Group, error) {
	if err := group.check("group", groupsOnly); err != nil {
		return nil, err
	}
	if err := checkTexts("GroupUpdate", update); err != nil {
		return nil, err
	}
	switch {
	case update == (GroupUpdate{}):
		return nil, invalid("GroupUpdate", "changes nothing")
	case update.Name != nil && strings.TrimSpace(*update.Name) == "":
		return nil, invalid("GroupUpdate.Name", "is empty")
	case update.RemoveImage && update.ImageURL != "":
		return nil, invalid("GroupUpdate.ImageURL", "is given together with RemoveImage: the service would only remove the picture")
	}
	if err := checkImageURL("GroupUpdate.ImageURL", update.ImageURL); err != nil {
		return nil, err
	}
	in := input{body: updateGroupBody{
		Identifier: group.wire(), Name: update.Name, Description: update.Description,
		Image: update.ImageURL, RemoveImage: update.RemoveImage, Permissions: update.Permissions,
	}}
	r, err := fetchChecked(ctx, s.h, opGroupUpdate, in, func(r *groupReply) string {
		shows := func(w *wireGroup) bool {
			return w.jid() != "" || w.Name != nil || w.Description != nil || w.Permissions.value != nil
		}
		r.Group = resourceIn(r.Raw(), shows, "group")
		if r.Group == nil {
			r.Group = new(wireGroup)
		}
		shown := r.Group.jid() != "" // a name alone may be anybody's
		if !shown {
			r.Group.JID = group
		}
		return r.unproven(opGroupUpdate, shown, false)
	})
	if err != nil {
		return nil, err
	}
	return r.shown(partsOf(s.h, opGroupUpdate), update.Name, update.Description, update.Permissions)
}

// Leave takes the account out of a group. To leave a community's parent group
// leaves its subgroups too. It returns [ErrNotFound] for a group without the
// account, except after a lost reply.
//
// DELETE /api/group/leave/:instance. Safe to repeat.
func (s *GroupsService) Leave(ctx context.Context, group JID) error {
	if err := group.check("group", groupsOnly); err != nil {
		return err
	}
	return run(ctx, s.h, opGroupLeave, input{query: identifiedQuery(group.wire())})
}
