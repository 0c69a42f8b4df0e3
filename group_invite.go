package ryze

import (
	"context"
	"net/url"
	"strings"
)

// Preview returns the group behind an invite, with its members: a link such as
// "https://chat.whatsapp.com/AbCdEf123", or only its code. The account need
// not be in the group. [ErrInviteRevoked] when the link is no longer good; the
// service documents that text for joining.
//
// GET /api/group/info/:instance. Safe to repeat.
func (s *GroupsService) Preview(ctx context.Context, invite string) (*Group, error) {
	return s.preview(ctx, invite, true)
}

// PreviewWithoutMembers is [GroupsService.Preview] without the list of members.
//
// GET /api/group/info/:instance. Safe to repeat.
func (s *GroupsService) PreviewWithoutMembers(ctx context.Context, invite string) (*Group, error) {
	return s.preview(ctx, invite, false)
}

func (s *GroupsService) preview(ctx context.Context, invite string, members bool) (*Group, error) {
	identifier, err := groupInvite(invite)
	if err != nil {
		return nil, err
	}
	return s.info(ctx, identifier, members)
}

// GroupInvite is a group's invite link.
type GroupInvite struct {
	Meta `json:"-"`

	Group JID
	Code  string
	Link  string // https://chat.whatsapp.com/ and the code
}

const groupInviteHost = "chat.whatsapp.com"

// groupInvite checks an invite of a group.
func groupInvite(invite string) (string, error) {
	if strings.Contains(invite, "@") {
		return "", invalid("invite", "is an address; a link such as https://"+groupInviteHost+"/AbCdEf123 or its code is wanted")
	}
	return parseInvite("invite", invite, groupInviteHost, "/")
}

// InviteLink returns the current invite link, without making a new one. The
// service has no route for it: this is [GroupsService.Info], and an error that
// matches [ErrBadResponse] when the reply shows no link.
//
// GET /api/group/info/:instance. Safe to repeat.
func (s *GroupsService) InviteLink(ctx context.Context, group JID) (*GroupInvite, error) {
	if err := group.check("group", groupsOnly); err != nil {
		return nil, err
	}
	in := input{query: url.Values{"identifier": {group.wire()}, "participants": {"false"}}.Encode()}
	r, err := fetchChecked(ctx, s.h, opGroupInfo, in, func(r *groupReply) string {
		if r.missing() != "" || r.Group.InviteLink == "" {
			return "the reply shows no invite link of the group"
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	g := r.Group
	return &GroupInvite{Meta: r.Meta, Group: g.jid(), Code: g.InviteCode, Link: g.InviteLink}, nil
}

type resetLinkReply struct {
	envelope
	GroupJID   JID    `json:"groupJid"`
	InviteCode string `json:"inviteCode"`
	InviteLink string `json:"inviteLink"`
}

// ResetInviteLink makes a new invite link; the former one is dead at once. For
// admins only: [ErrNotAdmin].
//
// Errors: [ErrGroupNotFound]; [ErrOutcomeUnknown] when the link may have been
// reset, in which case [GroupsService.InviteLink] tells the current one.
//
// POST /api/group/resetLink/:instance. Not safe to repeat: each call makes
// another link.
func (s *GroupsService) ResetInviteLink(ctx context.Context, group JID) (*GroupInvite, error) {
	if err := group.check("group", groupsOnly); err != nil {
		return nil, err
	}
	in := input{body: identified{group.wire()}, hint: "the link may have been reset: read the current one"}
	r, err := fetchChecked(ctx, s.h, opGroupResetLink, in, func(r *resetLinkReply) string {
		if r.InviteLink == "" {
			return "the reply has no invite link"
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	return &GroupInvite{Meta: r.Meta, Group: r.GroupJID, Code: r.InviteCode, Link: r.InviteLink}, nil
}

// JoinedGroup is the reply to joining a group.
type JoinedGroup struct {
	Meta `json:"-"`

	Group JID
	// Pending means that an admin has to approve first: the account is not a
	// member yet.
	Pending bool
}

type joinReply struct {
	envelope
	GroupJID         JID  `json:"groupJid"`
	RequiresApproval bool `json:"requiresApproval"`
}

// Join joins a group by an invite: a link such as
// "https://chat.whatsapp.com/AbCdEf123", or only its code. An address is
// refused. [ErrInviteRevoked] when the link was revoked or has expired. Joining
// an open group again returns the same group.
//
// POST /api/group/join/:instance. Safe to repeat.
func (s *GroupsService) Join(ctx context.Context, invite string) (*JoinedGroup, error) {
	identifier, err := groupInvite(invite)
	if err != nil {
		return nil, err
	}
	r, err := fetchChecked(ctx, s.h, opGroupJoin, input{body: identified{identifier}}, func(r *joinReply) string {
		if r.GroupJID == "" {
			return "the reply names no group"
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	return &JoinedGroup{Meta: r.Meta, Group: r.GroupJID, Pending: r.RequiresApproval}, nil
}
