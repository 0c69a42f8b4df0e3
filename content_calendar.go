package ryze

import "time"

// CalendarEvent is an event that people accept or decline. It works best in
// groups. Name and StartAt are required. The form of the answers is not known;
// see docs/service-notes.md.
type CalendarEvent struct {
	Name        string    `json:"name,omitzero"`
	Description string    `json:"description,omitzero"`
	StartAt     time.Time `json:"startAt,omitzero"` // sent with its own time zone
	EndAt       time.Time `json:"endAt,omitzero"`   // not before StartAt; none when zero
	// Place is where it happens. All its fields are optional here: coordinates
	// that are both zero are left out.
	Place         *Location `json:"place,omitzero"`
	JoinLink      string    `json:"joinLink,omitzero"`      // for a call
	ScheduledCall bool      `json:"scheduledCall,omitzero"` // marks the event as a call
	// Reminder turns the reminder on. So does ReminderBefore, which also says
	// how long before StartAt, in whole seconds.
	Reminder       bool          `json:"reminder,omitzero"`
	ReminderBefore time.Duration `json:"reminderBefore,omitzero"`
	GuestsMayBring bool          `json:"guestsMayBring,omitzero"` // guests may bring others
	Canceled       bool          `json:"canceled,omitzero"`       // marks the event as canceled
}

type calendarBody struct {
	sendCommon
	Name               string         `json:"name"`
	StartAt            string         `json:"startAt"`
	EndAt              string         `json:"endAt,omitempty"`
	Description        string         `json:"description,omitempty"`
	Location           *calendarPlace `json:"location,omitempty"`
	JoinLink           string         `json:"joinLink,omitempty"`
	IsScheduleCall     bool           `json:"isScheduleCall,omitempty"`
	HasReminder        bool           `json:"hasReminder,omitempty"`
	ReminderOffsetSec  int64          `json:"reminderOffsetSec,omitempty"`
	ExtraGuestsAllowed bool           `json:"extraGuestsAllowed,omitempty"`
	IsCanceled         bool           `json:"isCanceled,omitempty"`
}

type calendarPlace struct {
	Name      string   `json:"name,omitempty"`
	Address   string   `json:"address,omitempty"`
	Latitude  *float64 `json:"latitude,omitempty"`
	Longitude *float64 `json:"longitude,omitempty"`
}

func (CalendarEvent) kind() contentKind {
	return contentKind{"a calendar event", opSendEvent, anyChat, usual}
}

func (e CalendarEvent) body(common sendCommon) (any, error) {
	if err := checkFilled(filled{"CalendarEvent.Name", e.Name}); err != nil {
		return nil, err
	}
	switch {
	case e.StartAt.IsZero():
		return nil, invalid("CalendarEvent.StartAt", "is missing")
	case !e.EndAt.IsZero() && e.EndAt.Before(e.StartAt):
		return nil, invalid("CalendarEvent.EndAt", "is before StartAt")
	case e.ReminderBefore < 0:
		return nil, invalid("CalendarEvent.ReminderBefore", "is negative")
	}
	start, err := rfc3339("CalendarEvent.StartAt", time.RFC3339, e.StartAt)
	if err != nil {
		return nil, err
	}
	b := &calendarBody{
		sendCommon: common, Name: e.Name, StartAt: start, Description: e.Description,
		JoinLink: e.JoinLink, IsScheduleCall: e.ScheduledCall,
		HasReminder: e.Reminder || e.ReminderBefore > 0, ReminderOffsetSec: wholeSeconds(e.ReminderBefore),
		ExtraGuestsAllowed: e.GuestsMayBring, IsCanceled: e.Canceled,
	}
	if !e.EndAt.IsZero() {
		if b.EndAt, err = rfc3339("CalendarEvent.EndAt", time.RFC3339, e.EndAt); err != nil {
			return nil, err
		}
	}
	if p := e.Place; p != nil {
		if err := p.checkDegrees("CalendarEvent.Place"); err != nil {
			return nil, err
		}
		b.Location = &calendarPlace{Name: p.Name, Address: p.Address}
		if p.Latitude != 0 || p.Longitude != 0 {
			b.Location.Latitude, b.Location.Longitude = &p.Latitude, &p.Longitude
		}
	}
	return b, nil
}

func (e CalendarEvent) outline() *outline {
	return &outline{text: e.Name, loose: true}
}

var storedCalendarEvents = storedAsIs[CalendarEvent]("calendar_event")
