package ryze

import (
	"context"
)

// SettingsService reads and changes the settings of an instance.
type SettingsService service

// Settings are the seven settings of an instance. All are off by default,
// except DisableHistorySync.
type Settings struct {
	Meta `json:"-"`

	AutoRejectCalls     bool   `json:"autoRejectCalls"`     // reject incoming calls
	CallRejectMessage   string `json:"callRejectMessage"`   // sent to the caller on rejection
	IgnoreGroupMessages bool   `json:"ignoreGroupMessages"` // group messages are neither stored nor delivered
	KeepOnlineStatus    bool   `json:"keepOnlineStatus"`    // appear as available
	AutoReadMessages    bool   `json:"autoReadMessages"`    // mark incoming messages as read
	DisableHistorySync  bool   `json:"disableHistorySync"`  // do not ask for old messages at the first pairing
	IgnoreStatus        bool   `json:"ignoreStatus"`        // skip status (story) messages
}

// SettingsUpdate changes some settings. A nil field stays unchanged. Fill a
// field with new(v): SettingsUpdate{AutoReadMessages: new(true)}.
type SettingsUpdate struct {
	AutoRejectCalls     *bool   `json:"autoRejectCalls,omitempty"`
	CallRejectMessage   *string `json:"callRejectMessage,omitempty"`
	IgnoreGroupMessages *bool   `json:"ignoreGroupMessages,omitempty"`
	KeepOnlineStatus    *bool   `json:"keepOnlineStatus,omitempty"`
	AutoReadMessages    *bool   `json:"autoReadMessages,omitempty"`
	DisableHistorySync  *bool   `json:"disableHistorySync,omitempty"`
	IgnoreStatus        *bool   `json:"ignoreStatus,omitempty"`
}

// wireSettings are the settings as they travel in a reply.
type wireSettings struct {
	AutoRejectCalls     wireBool    `json:"autoRejectCalls"`
	CallRejectMessage   stringOrInt `json:"callRejectMessage"`
	IgnoreGroupMessages wireBool    `json:"ignoreGroupMessages"`
	KeepOnlineStatus    wireBool    `json:"keepOnlineStatus"`
	AutoReadMessages    wireBool    `json:"autoReadMessages"`
	DisableHistorySync  wireBool    `json:"disableHistorySync"`
	IgnoreStatus        wireBool    `json:"ignoreStatus"`
}

type settingsReply struct {
	envelope
	Settings object[wireSettings] `json:"settings"`
}

func (r *settingsReply) missing() string {
	if r.Settings.value == nil {
		return "the reply has no settings"
	}
	return ""
}

func settings(r *settingsReply, err error) (*Settings, error) {
	if err != nil {
		return nil, err
	}
	w := r.Settings.value
	return &Settings{
		Meta:            r.Meta,
		AutoRejectCalls: w.AutoRejectCalls.on, CallRejectMessage: string(w.CallRejectMessage),
		IgnoreGroupMessages: w.IgnoreGroupMessages.on, KeepOnlineStatus: w.KeepOnlineStatus.on,
		AutoReadMessages: w.AutoReadMessages.on, DisableHistorySync: w.DisableHistorySync.on, IgnoreStatus: w.IgnoreStatus.on,
	}, nil
}

// Get returns the settings.
//
// GET /api/instance/getSettings/:instance. Safe to repeat.
func (s *SettingsService) Get(ctx context.Context) (*Settings, error) {
	return settings(fetchChecked(ctx, s.h, opSettingsGet, input{}, (*settingsReply).missing))
}

// Update changes the settings that are not nil, and returns all of them. At
// least one is required.
//
// POST /api/instance/settings/:instance. Safe to repeat.
func (s *SettingsService) Update(ctx context.Context, update SettingsUpdate) (*Settings, error) {
	if update == (SettingsUpdate{}) {
		return nil, invalid("SettingsUpdate", "changes nothing")
	}
	if err := checkTexts("SettingsUpdate", update); err != nil {
		return nil, err
	}
	return settings(fetchChecked(ctx, s.h, opSettingsUpdate, input{body: update}, (*settingsReply).missing))
}
