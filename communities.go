package ryze

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// CommunitiesService creates communities and links groups to them. WhatsApp
// adds a parent group and an announcements group. [GroupsService] reads,
// changes and leaves communities by their address. The service cannot delete a
// community.
type CommunitiesService service

// Limits of communities.
const (
	maxCommunityName      = 25 // characters
	maxCommunitySubgroups = 50 // the service drops what is beyond without an error of its own
)

// CreateCommunityParams describes a new community. Name is required.
type CreateCommunityParams struct {
	Name        string // at most 25 characters
	Description string
	// Image is the picture: a URL, or a file, which is streamed. The service
	// makes a JPEG of it.
	Image MediaSource
	// Groups are existing groups to link at once, at most 50.
	Groups []JID
	// RequireAdminApproval makes people wait for an admin when they join a
	// subgroup. A subgroup can have its own rule.
	RequireAdminApproval bool
}

// CreatedCommunity is a community after its creation.
type CreatedCommunity struct {
	Meta `json:"-"`

	JID JID // of the parent group: what other calls want as the community
	// IsCommunity is false when WhatsApp refused the community and the service
	// made a plain group.
	IsCommunity bool
	Linked      []JID // groups that are now part of it
	Failed      []JID // groups that are not
	ImageError  string
	Message     string // the service's text
}

type createCommunityBody struct {
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Image       string   `json:"image,omitempty"`
	Groups      []string `json:"groupJid,omitempty"`
	Approval    string   `json:"membershipApprovalMode,omitempty"` // empty: open
}

// communityOutcome lies at the top of the reply, in its data or in its group: the
// documentation leaves that open.
type communityOutcome struct {
	IsCommunity  wireBool    `json:"isCommunity"`
	LinkedGroups jidList     `json:"linkedGroups"`
	FailedGroups jidList     `json:"failedGroups"`
	ImageError   stringOrInt `json:"imageError"`
}

type createCommunityReply struct {
	partialReply
	communityOutcome
	Group *wireCommunity           `json:"group"`
	Data  object[communityOutcome] `json:"data"`
}

type wireCommunity struct {
	JID      JID `json:"jid"`
	GroupJID JID `json:"groupJid"` // as in the list of groups
	communityOutcome
}

func (r *createCommunityReply) missing() string {
	r.Group = resourceIn(r.Raw(), func(w *wireCommunity) bool {
		w.JID = cmp.Or(w.JID, w.GroupJID)
		return names(string(w.JID))
	}, "group", "community")
	if r.Group == nil {
		return "the reply has no group"
	}
	if r.Data.value != nil {
		r.fill(r.Data.value)
	}
	r.fill(&r.Group.communityOutcome)
	return r.unproven(opCommunityCreate, true, true)
}

// fill takes from another place what is not known yet.
func (o *communityOutcome) fill(inner *communityOutcome) {
	if !o.IsCommunity.known {
		o.IsCommunity = inner.IsCommunity
	}
	if o.LinkedGroups == nil {
		o.LinkedGroups = inner.LinkedGroups
	}
	if o.FailedGroups == nil {
		o.FailedGroups = inner.FailedGroups
	}
	o.ImageError = cmp.Or(o.ImageError, inner.ImageError)
}

// jidList is a list of addresses. That of failed groups is documented as
// strings only by its wording, so objects with an address in them will do.
type jidList []JID

// UnmarshalJSON never fails.
func (l *jidList) UnmarshalJSON(b []byte) error {
	*l = nil
	var items []json.RawMessage
	_ = json.Unmarshal(b, &items)
	for _, raw := range items {
		var jid JID
		var object struct {
			JID      JID `json:"jid"`
			GroupJID JID `json:"groupJid"`
		}
		if json.Unmarshal(raw, &jid) != nil && json.Unmarshal(raw, &object) == nil {
			jid = object.JID
			if jid == "" {
				jid = object.GroupJID
			}
		}
		if jid != "" {
			*l = append(*l, jid)
		}
	}
	return nil
}

// Create creates a community and links the groups given. Its time limit grows
// by a second for each group.
//
// The result comes with [ErrPartial] when a group or the picture failed, or the
// service made a plain group. Do not create it again:
//
//	hub, err := inst.Communities.Create(ctx, params)
//	if err != nil && !errors.Is(err, ryze.ErrPartial) {
//		return err
//	}
//	use(hub.JID) // err may still name what was not done
//
// Errors: [ErrOutcomeUnknown]: list the groups first; [ErrNotConnected].
//
// POST /api/community/create/:instance. Not safe to repeat.
func (s *CommunitiesService) Create(ctx context.Context, params CreateCommunityParams) (*CreatedCommunity, error) {
	if err := checkTexts("CreateCommunityParams", params); err != nil {
		return nil, err
	}
	body := createCommunityBody{Name: params.Name, Description: params.Description}
	if params.RequireAdminApproval {
		body.Approval = "request_required"
	}
	switch n := utf8.RuneCountInString(params.Name); {
	case strings.TrimSpace(params.Name) == "":
		return nil, invalid("CreateCommunityParams.Name", "is empty")
	case n > maxCommunityName:
		return nil, invalid("CreateCommunityParams.Name", fmt.Sprintf("has %d characters; at most %d are allowed", n, maxCommunityName))
	}
	if len(params.Groups) > 0 {
		var err error
		if body.Groups, err = subgroups("CreateCommunityParams.Groups", params.Groups); err != nil {
			return nil, err
		}
	}
	image, err := params.Image.picture(ctx, "CreateCommunityParams.Image")
	if err != nil {
		return nil, err
	}
	body.Image = image.url
	in, err := image.into(body, "image")
	if err != nil {
		return nil, err
	}
	defer in.close()
	in.patient = pauses(params.Groups)
	in.hint = "the community may exist: list the groups before creating it again"
	r, err := fetchChecked(ctx, s.h, opCommunityCreate, in, (*createCommunityReply).missing)
	if err != nil {
		return nil, err
	}
	failed := partsOf(s.h, opCommunityCreate)
	failed.failed.Group = r.Group.JID
	failed.addComplaint(&r.partialReply)
	switch {
	case !r.IsCommunity.known:
		failed.add(string(r.Group.JID), "the reply does not say whether it is a community or a plain group")
	case !r.IsCommunity.on:
		failed.add(string(r.Group.JID), "is a plain group, not a community: "+r.Text)
	}
	failed.unlinked(params.Groups, r.LinkedGroups, r.FailedGroups, "linked")
	if r.ImageError != "" {
		failed.add("Image", string(r.ImageError))
	}
	return &CreatedCommunity{
		Meta: r.Meta, JID: r.Group.JID, IsCommunity: r.IsCommunity.on,
		Linked: r.LinkedGroups, Failed: r.FailedGroups, ImageError: string(r.ImageError), Message: r.Text,
	}, failed.err()
}

// subgroups checks a list of groups of a community.
func subgroups(field string, groups []JID) ([]string, error) {
	if len(groups) > maxCommunitySubgroups {
		return nil, invalid(field, fmt.Sprintf("names %d groups; a community has at most %d", len(groups), maxCommunitySubgroups))
	}
	return addresses(field, groups, groupsOnly)
}

// pauses is how long the service pauses on its way through the groups.
func pauses(groups []JID) time.Duration { return time.Duration(len(groups)) * time.Second }

// unlinked adds the groups that were not done: those that the reply lists as
// failed, and those that it does not list at all.
func (p *parts) unlinked(asked []JID, done, failed jidList, verb string) {
	for _, j := range failed {
		p.add(string(j), "was not "+verb+", and the service gives no reason")
	}
	for _, j := range asked {
		if !done.has(j) && !failed.has(j) {
			p.add(string(j), "the reply does not say whether it was "+verb)
		}
	}
}

func (l jidList) has(j JID) bool {
	for _, other := range l {
		if other.Same(j) {
			return true
		}
	}
	return false
}

// LinkResult says which groups were linked to a community, or unlinked from it.
type LinkResult struct {
	Meta `json:"-"`

	Done    []JID
	Failed  []JID  // such as one in another community, or where the account has no rights
	Message string // the service's text, such as "Linked 1 of 2 groups to community"
}

type linkBody struct {
	Community string   `json:"communityJid"`
	Groups    []string `json:"groupJid"`
}

// linkReply is that of both ways: groups that were detached are "linked" too.
type linkReply struct {
	partialReply
	Linked jidList `json:"linked"`
	Failed jidList `json:"failed"`
}

// Link links groups to a community: at most 50, each in one community only. The
// account must be an admin of all. Its time limit grows by a second for each
// group. When a group was not linked, the result comes with [ErrPartial],
// without reasons:
//
//	linked, err := inst.Communities.Link(ctx, community, groups...)
//	if errors.Is(err, ryze.ErrPartial) {
//		log.Print("not linked: ", linked.Failed)
//	}
//
// Errors: [ErrOutcomeUnknown]: see [CommunitiesService.Subgroups] first; the
// result is nil, unless the reply contradicts itself. [ErrNotConnected].
//
// POST /api/community/link/:instance. Not safe to repeat.
func (s *CommunitiesService) Link(ctx context.Context, community JID, groups ...JID) (*LinkResult, error) {
	return s.link(ctx, opCommunityLink, community, groups, "linked")
}

// Unlink takes groups out of a community. The groups stay. The announcements
// group cannot be unlinked. It works like [CommunitiesService.Link].
//
// POST /api/community/unlink/:instance. Not safe to repeat.
func (s *CommunitiesService) Unlink(ctx context.Context, community JID, groups ...JID) (*LinkResult, error) {
	return s.link(ctx, opCommunityUnlink, community, groups, "unlinked")
}

func (s *CommunitiesService) link(ctx context.Context, op *Operation, community JID, groups []JID, verb string) (*LinkResult, error) {
	if err := community.check("community", groupsOnly); err != nil {
		return nil, err
	}
	list, err := subgroups("groups", groups)
	if err != nil {
		return nil, err
	}
	in := input{
		body:    linkBody{community.wire(), list},
		patient: pauses(groups),
		hint:    "some may be done: look at the subgroups",
	}
	r, err := fetchChecked(ctx, s.h, op, in, func(r *linkReply) string {
		readInData(r, r.base())
		return r.unproven(op, len(r.Linked)+len(r.Failed) > 0, len(r.Linked) > 0)
	})
	if r == nil {
		return nil, err
	}
	failed := partsOf(s.h, op)
	failed.failed.Group = community
	failed.unlinked(groups, r.Linked, r.Failed, verb)
	failed.addComplaint(&r.partialReply)
	return &LinkResult{Meta: r.Meta, Done: r.Linked, Failed: r.Failed, Message: r.Text}, cmp.Or(err, failed.err())
}

// Subgroups returns the groups of a community that the account is in: JID, Name
// and IsAnnouncements. A new link may show some seconds later.
//
// GET /api/community/listSubGroups/:instance. Safe to repeat.
func (s *CommunitiesService) Subgroups(ctx context.Context, community JID) ([]Group, error) {
	if err := community.check("community", groupsOnly); err != nil {
		return nil, err
	}
	in := input{query: url.Values{"communityJid": {community.wire()}}.Encode()}
	type wireSubgroup struct {
		JID               JID         `json:"jid"`
		Name              stringOrInt `json:"name"`
		IsDefaultSubGroup wireBool    `json:"isDefaultSubGroup"`
	}
	return fetchList(ctx, s.h, opCommunitySubgroups, in, []string{"subgroups"}, func(w *wireSubgroup, meta Meta) Group {
		return Group{Meta: meta, JID: w.JID, Name: string(w.Name), IsAnnouncements: w.IsDefaultSubGroup.on}
	})
}
