package ryze

import (
	"context"
	"net/url"
	"strings"
)

// Preview returns the group behind an invite link or its code, with members.
// The account need not be a member. It returns [ErrInviteRevoked] for an old
// link.
//
// GET /api/group/info/:instance. Safe to repeat.
func (s *GroupsService) Preview(ctx context.Context, invite string) (*Group, error) {
	return s.preview(ctx, invite, true)
}

// PreviewWithoutMembers is [GroupsService.Preview] without members.
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

// InviteLink returns the current invite link, read with [GroupsService.Info].
// It returns [ErrBadResponse] when the reply has no link.
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

// ResetInviteLink makes a new invite link. The old one ends at once. Only
// admins may.
//
// Errors: [ErrNotAdmin]; [ErrGroupNotFound]; [ErrOutcomeUnknown]:
// [GroupsService.InviteLink] tells the current link.
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
	// Pending means that an admin must approve first. The account is not a
	// member yet.
	Pending bool
}

type joinReply struct {
	envelope
	GroupJID         JID      `json:"groupJid"`
	RequiresApproval wireBool `json:"requiresApproval"`
}

// Join joins a group by an invite link or its code, not by an address. Joining
// an open group again returns the same group. It returns [ErrInviteRevoked] for
// an old link.
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
	return &JoinedGroup{Meta: r.Meta, Group: r.GroupJID, Pending: r.RequiresApproval.on}, nil
}
