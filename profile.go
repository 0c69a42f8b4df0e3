package ryze

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// ProfileService reads and changes the account's profile and privacy, and looks
// up other profiles.
type ProfileService service

// Profile is a WhatsApp profile. A field that is not set, or hidden from this
// account, is empty.
type Profile struct {
	Meta `json:"-"`

	JID   JID
	LID   JID
	Phone string // digits only
	Name  string // the name that its owner chose, or that of a business
	About string
	// PictureURL is on WhatsApp's host and valid for a short time. It is empty
	// without a picture, or when the fetch took too long.
	PictureURL string
}

// Exists reports whether the account exists: the reply has an address. For
// numbers that are not on WhatsApp see docs/service-notes.md.
func (p *Profile) Exists() bool { return p.JID != "" || p.LID != "" }

type profileReply struct {
	envelope
	Profile object[struct {
		Picture string      `json:"profilePicture"`
		Name    string      `json:"profileName"`
		Status  string      `json:"profileStatus"`
		Phone   stringOrInt `json:"phoneNumber"`
		JID     stringOrInt `json:"jid"`
		LID     stringOrInt `json:"lid"`
	}] `json:"profile"`
}

// Get returns the account's own profile.
//
// GET /api/profile/getAccount/:instance. Safe to repeat.
func (s *ProfileService) Get(ctx context.Context) (*Profile, error) {
	return s.get(ctx, input{})
}

// Lookup returns somebody's profile, by phone or LID: [Profile.Exists], LID,
// picture. The service tries both forms of a Brazilian mobile number.
//
// GET /api/profile/getAccount/:instance. Safe to repeat.
func (s *ProfileService) Lookup(ctx context.Context, person JID) (*Profile, error) {
	if err := person.check("person", people); err != nil {
		return nil, err
	}
	return s.get(ctx, input{query: url.Values{"number": {person.wire()}}.Encode()})
}

func (s *ProfileService) get(ctx context.Context, in input) (*Profile, error) {
	r, err := fetchChecked(ctx, s.h, opProfileGet, in, func(r *profileReply) string {
		if r.Profile.value == nil {
			return "the reply has no profile"
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	p := r.Profile.value
	return &Profile{Meta: r.Meta, JID: JID(p.JID), LID: JID(p.LID), Phone: string(p.Phone), Name: p.Name, About: p.Status, PictureURL: p.Picture}, nil
}

// ProfileUpdate changes the account's own profile. A nil or empty field stays
// unchanged. Fill a pointer with new(v).
type ProfileUpdate struct {
	Name  *string // cannot be cleared: the service ignores an empty name
	About *string // new("") clears it
	// Picture is the new picture: a URL, or a file, which is streamed. The
	// service makes it a JPEG of at most 640 by 640 pixels.
	Picture MediaSource
	// RemovePicture deletes the picture. Do not set Picture with it.
	RemovePicture bool
}

type updateProfileBody struct {
	Picture *string `json:"profilePicture,omitempty"`
	Name    *string `json:"profileName,omitempty"`
	About   *string `json:"profileStatus,omitempty"`
}

// UpdatedProfile says what was changed.
type UpdatedProfile struct {
	Meta `json:"-"`

	// Updated has the names of the [ProfileUpdate] fields that the service
	// changed.
	Updated []string
}

type updateProfileReply struct {
	envelope
	Updated stringOrList `json:"updatedFields"`
}

// Update changes the account's profile. At least one field is required. When
// the service does not confirm a field, the result comes with [ErrPartial]: it
// was ignored, or had this value before.
//
//	updated, err := inst.Profile.Update(ctx, update)
//	if errors.Is(err, ryze.ErrPartial) {
//		log.Print(err) // updated.Updated has what was changed
//	}
//
// For pictures that can be read once see [MediaReader].
//
// POST /api/profile/account/:instance. Safe to repeat.
func (s *ProfileService) Update(ctx context.Context, update ProfileUpdate) (*UpdatedProfile, error) {
	if err := checkTexts("ProfileUpdate", update); err != nil {
		return nil, err
	}
	switch {
	case update == (ProfileUpdate{}):
		return nil, invalid("ProfileUpdate", "changes nothing")
	case update.Name != nil && strings.TrimSpace(*update.Name) == "":
		return nil, invalid("ProfileUpdate.Name", "is empty, which the service would ignore")
	case update.RemovePicture && update.Picture != MediaSource{}:
		return nil, invalid("ProfileUpdate.Picture", "is given together with RemovePicture: the service can do only one of them")
	}
	image, err := update.Picture.picture(ctx, "ProfileUpdate.Picture")
	if err != nil {
		return nil, err
	}
	body := updateProfileBody{Name: update.Name, About: update.About}
	if update.RemovePicture || image.url != "" {
		body.Picture = &image.url // empty to remove it
	}
	in, err := image.into(body, "profilePicture")
	if err != nil {
		return nil, err
	}
	defer in.close()
	r, err := fetch[updateProfileReply](ctx, s.h, opProfileUpdate, in)
	if err != nil {
		return nil, err
	}
	result, failed := &UpdatedProfile{Meta: r.Meta}, partsOf(s.h, opProfileUpdate)
	for _, f := range []struct {
		asked      bool
		name, wire string
	}{
		{update.Name != nil, "Name", "profileName"},
		{update.About != nil, "About", "profileStatus"},
		{update.RemovePicture, "RemovePicture", "profilePicture"},
		{update.Picture != MediaSource{}, "Picture", "profilePicture"},
	} {
		switch {
		case !f.asked:
		case slices.Contains(r.Updated, f.wire):
			result.Updated = append(result.Updated, f.name)
		default:
			failed.add(f.name, "is not among what the service says it has changed: it was ignored, or had this value before")
		}
	}
	return result, failed.err()
}

// PrivacyValue says who may do something. [PrivacySettings] lists the values of
// each setting. Other values can come.
type PrivacyValue string

// Values of privacy settings.
const (
	PrivacyAll              PrivacyValue = "all"
	PrivacyContacts         PrivacyValue = "contacts"
	PrivacyContactBlacklist PrivacyValue = "contact_blacklist" // contacts but for some
	PrivacyNone             PrivacyValue = "none"
	PrivacyKnown            PrivacyValue = "known"           // calls only
	PrivacyMatchLastSeen    PrivacyValue = "match_last_seen" // online only: as LastSeen
)

// PrivacySettings are privacy settings. In an update an empty one stays
// unchanged.
type PrivacySettings struct {
	// All, contacts, contact blacklist or none:
	LastSeen       PrivacyValue
	Status         PrivacyValue // named so by the service; WhatsApp names the about text so
	ProfilePicture PrivacyValue

	Online       PrivacyValue // all or match last seen
	ReadReceipts PrivacyValue // all or none; none also hides the receipts of others
	Calls        PrivacyValue // who may call: all or known
	GroupAdd     PrivacyValue // who may add the account to groups: all, contacts or contact blacklist, not none
}

// Privacy is an account's privacy settings as WhatsApp has them.
type Privacy struct {
	Meta `json:"-"`
	PrivacySettings
}

// privacySetting is one setting: its field, and what the documentation allows.
type privacySetting struct {
	name    string
	value   func(*PrivacySettings) *PrivacyValue
	allowed []PrivacyValue
}

var (
	visibilities = []PrivacyValue{PrivacyAll, PrivacyContacts, PrivacyContactBlacklist, PrivacyNone}

	privacySettings = []privacySetting{
		{"LastSeen", func(p *PrivacySettings) *PrivacyValue { return &p.LastSeen }, visibilities},
		{"Status", func(p *PrivacySettings) *PrivacyValue { return &p.Status }, visibilities},
		{"ProfilePicture", func(p *PrivacySettings) *PrivacyValue { return &p.ProfilePicture }, visibilities},
		{"Online", func(p *PrivacySettings) *PrivacyValue { return &p.Online }, []PrivacyValue{PrivacyAll, PrivacyMatchLastSeen}},
		{"ReadReceipts", func(p *PrivacySettings) *PrivacyValue { return &p.ReadReceipts }, []PrivacyValue{PrivacyAll, PrivacyNone}},
		{"Calls", func(p *PrivacySettings) *PrivacyValue { return &p.Calls }, []PrivacyValue{PrivacyAll, PrivacyKnown}},
		{"GroupAdd", func(p *PrivacySettings) *PrivacyValue { return &p.GroupAdd }, visibilities[:3]},
	}
)

// check refuses what the service would refuse half-way through.
func (p *PrivacySettings) check() error {
	empty := true
	for _, s := range privacySettings {
		value := *s.value(p)
		if value == "" {
			continue
		}
		empty = false
		if !slices.Contains(s.allowed, value) {
			return invalid("Privacy."+s.name, fmt.Sprintf("is %q; the documented values are %q", string(value), s.allowed))
		}
	}
	if empty {
		return invalid("Privacy", "changes nothing")
	}
	return nil
}

// Pending returns the settings of want that p does not have yet, for another
// update.
func (p *PrivacySettings) Pending(want PrivacySettings) PrivacySettings {
	var rest PrivacySettings
	for _, s := range privacySettings {
		if asked := *s.value(&want); asked != "" && asked != *s.value(p) {
			*s.value(&rest) = asked
		}
	}
	return rest
}

type wirePrivacy struct {
	Visibility struct {
		LastSeen PrivacyValue `json:"lastSeen,omitempty"`
		Status   PrivacyValue `json:"status,omitempty"`
		Profile  PrivacyValue `json:"profile,omitempty"`
		Online   PrivacyValue `json:"online,omitempty"`
	} `json:"visibility,omitzero"`
	Privacy struct {
		ReadReceipts PrivacyValue `json:"readReceipts,omitempty"`
	} `json:"privacy,omitzero"`
	Permissions struct {
		CallAdd  PrivacyValue `json:"callAdd,omitempty"`
		GroupAdd PrivacyValue `json:"groupAdd,omitempty"`
	} `json:"permissions,omitzero"`
}

func (p *PrivacySettings) wire() *wirePrivacy {
	var w wirePrivacy
	w.Visibility.LastSeen, w.Visibility.Status = p.LastSeen, p.Status
	w.Visibility.Profile, w.Visibility.Online = p.ProfilePicture, p.Online
	w.Privacy.ReadReceipts = p.ReadReceipts
	w.Permissions.CallAdd, w.Permissions.GroupAdd = p.Calls, p.GroupAdd
	return &w
}

func (w *wirePrivacy) privacy(meta Meta) Privacy {
	return Privacy{Meta: meta, PrivacySettings: PrivacySettings{
		LastSeen: w.Visibility.LastSeen, Status: w.Visibility.Status,
		ProfilePicture: w.Visibility.Profile, Online: w.Visibility.Online,
		ReadReceipts: w.Privacy.ReadReceipts, Calls: w.Permissions.CallAdd, GroupAdd: w.Permissions.GroupAdd,
	}}
}

type privacyReply struct {
	envelope
	Settings object[wirePrivacy] `json:"settings"`
}

func (r *privacyReply) missing() string {
	if r.Settings.value == nil {
		return "the reply has no settings"
	}
	return ""
}

// Privacy returns the account's privacy settings. A change on the phone may
// show some seconds later.
//
// GET /api/profile/getPrivacy/:instance. Safe to repeat.
func (s *ProfileService) Privacy(ctx context.Context) (*Privacy, error) {
	r, err := fetchChecked(ctx, s.h, opPrivacyGet, input{}, (*privacyReply).missing)
	if err != nil {
		return nil, err
	}
	p := r.Settings.value.privacy(r.Meta)
	return &p, nil
}

// UpdatePrivacy changes the settings that are not empty, at least one, and
// returns all as they are then. When one was not applied, the result comes with
// [ErrPartial]:
//
//	now, err := inst.Profile.UpdatePrivacy(ctx, want)
//	if errors.Is(err, ryze.ErrPartial) {
//		rest := now.Pending(want) // what was not applied
//	}
//
// Each setting is a request to WhatsApp, so give only changes. After another
// error some may be applied: repeat the call.
//
// POST /api/profile/privacy/:instance. Safe to repeat.
func (s *ProfileService) UpdatePrivacy(ctx context.Context, update PrivacySettings) (*Privacy, error) {
	if err := update.check(); err != nil {
		return nil, err
	}
	r, err := fetchChecked(ctx, s.h, opPrivacyUpdate, input{body: update.wire()}, (*privacyReply).missing)
	if err != nil {
		if mayHaveBegun(err) {
			err = fmt.Errorf("%w; some of the privacy settings may have been applied: read them back", err)
		}
		return nil, err
	}
	now := r.Settings.value.privacy(r.Meta)
	rest := now.Pending(update)
	failed := partsOf(s.h, opPrivacyUpdate)
	for _, setting := range privacySettings {
		if asked := *setting.value(&rest); asked != "" {
			shown := *setting.value(&now.PrivacySettings)
			reason := fmt.Sprintf("is %q, not %q", string(shown), string(asked))
			if shown == "" {
				reason = fmt.Sprintf("is not shown in the reply; asked for was %q", string(asked))
			}
			failed.add(setting.name, reason)
		}
	}
	return &now, failed.err()
}

// mayHaveBegun reports whether the service may have begun to carry out a call
// that failed.
func mayHaveBegun(err error) bool {
	var api *APIError
	if errors.As(err, &api) {
		return api.Is(ErrServer) || api.Is(ErrThrottled) || api.StatusCode == http.StatusRequestTimeout
	}
	return !errors.Is(err, ErrInvalidArgument) && !errors.Is(err, ErrRateLimited) && !errors.Is(err, ErrRedirect) && !errors.Is(err, ErrClosed)
}
