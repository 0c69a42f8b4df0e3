package ryze

import (
	"encoding/json"
	"fmt"
)

// List is a text with a button that opens a menu. Text, Label and Sections are
// required. The choice arrives as an event, see [Selection].
type List struct {
	Text     string
	Label    string // of the button; WhatsApp has room for a few characters only
	Header   string
	Footer   string
	Sections []ListSection
}

// ListSection is a part of a [List] with one to ten rows.
type ListSection struct {
	Title string
	Rows  []ListRow
}

// ListRow is a choice of a [List]. ID and Title are required. ID is handed back
// when the row is picked. Two rows of one list must not have the same. It should
// be unique among all lists whose answers are still awaited, because an answer
// does not tell which list it belongs to.
type ListRow struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
}

type listBody struct {
	sendCommon
	ContentText string        `json:"contentText"`
	ButtonText  string        `json:"buttonText"`
	Sections    []wireSection `json:"sections"`
	HeaderText  string        `json:"headerText,omitempty"`
	FooterText  string        `json:"footerText,omitempty"`
}

type wireSection struct {
	Title string    `json:"title"`
	Rows  []ListRow `json:"rows"`
}

const (
	maxSections    = 10
	maxSectionRows = 10 // and so a hundred rows in all, which is the limit too
)

func (List) kind() contentKind { return contentKind{"a list", opSendList, anyChat, usual} }

func (l List) body(common sendCommon) (any, error) {
	if err := checkFilled(filled{"List.Text", l.Text}, filled{"List.Label", l.Label}); err != nil {
		return nil, err
	}
	if n := len(l.Sections); n < 1 || n > maxSections {
		return nil, invalid("List.Sections", fmt.Sprintf("has %d sections; a list has 1 to %d", n, maxSections))
	}
	ids := distinct{}
	b := &listBody{sendCommon: common, ContentText: l.Text, ButtonText: l.Label, HeaderText: l.Header, FooterText: l.Footer}
	for i, s := range l.Sections {
		if err := s.check(at("List.Sections", i), ids); err != nil {
			return nil, err
		}
		b.Sections = append(b.Sections, wireSection(s))
	}
	return b, nil
}

func (s ListSection) check(field string, ids distinct) error {
	if err := checkFilled(filled{field + ".Title", s.Title}); err != nil {
		return err
	}
	if n := len(s.Rows); n < 1 || n > maxSectionRows {
		return invalid(field+".Rows", fmt.Sprintf("has %d rows; a section has 1 to %d", n, maxSectionRows))
	}
	for i, r := range s.Rows {
		row := at(field+".Rows", i)
		if err := checkFilled(filled{row + ".ID", r.ID}, filled{row + ".Title", r.Title}); err != nil {
			return err
		}
		if err := ids.add(row+".ID", r.ID); err != nil {
			return err
		}
	}
	return nil
}

// Poll asks a question with 2 to 12 options, no two of them the same. Votes are read with
// [MessagesService.PollVotes]. What works in channels is not documented.
type Poll struct {
	Question string
	Options  []string
	// MaxAnswers is how many options one voter may pick: one when it is zero.
	MaxAnswers int
}

type pollBody struct {
	sendCommon
	Question  string   `json:"question"`
	Options   []string `json:"options"`
	MaxAnswer int      `json:"maxAnswer,omitempty"`
}

const (
	minPollOptions = 2
	maxPollOptions = 12
)

func (Poll) kind() contentKind { return contentKind{"a poll", opSendPoll, anyChat, usual} }

func (p Poll) body(common sendCommon) (any, error) {
	if err := checkFilled(filled{"Poll.Question", p.Question}); err != nil {
		return nil, err
	}
	n := len(p.Options)
	if n < minPollOptions || n > maxPollOptions {
		return nil, invalid("Poll.Options", fmt.Sprintf("has %d options; a poll has %d to %d", n, minPollOptions, maxPollOptions))
	}
	options := distinct{}
	for i, option := range p.Options {
		field := at("Poll.Options", i)
		if err := checkFilled(filled{field, option}); err != nil {
			return nil, err
		}
		if err := options.add(field, option); err != nil {
			return nil, err
		}
	}
	if p.MaxAnswers < 0 || p.MaxAnswers > n {
		return nil, invalid("Poll.MaxAnswers", fmt.Sprintf("is %d of %d options: the service would change it without a word", p.MaxAnswers, n))
	}
	return &pollBody{common, p.Question, p.Options, p.MaxAnswers}, nil
}

// FormKind is a kind of [Form].
type FormKind string

// Kinds of forms.
const (
	FormContactDetails    FormKind = "contact_details"    // data of a customer
	FormRegistrationOffer FormKind = "registration_offer" // an offer to sign up for
)

// Form is a text with a button that opens a form. It can be filled in only on
// WhatsApp for Android and iOS; elsewhere the button is missing. Text is
// required. Defaults of the other fields are not documented, nor is how the
// answer of a filled form looks: see [Selection] and [Event.Lookup].
type Form struct {
	Text   string
	Kind   FormKind
	Button string // label of the button

	// FlowToken comes back with the answer; the service makes one when it is
	// empty, and does not document where it tells it.
	FlowToken          string
	FlowID             string
	FlowMessageVersion string
	MessageVersion     int

	// Fields of the form. They are shown unless set to ryze.Ptr(false).
	FullName        *bool
	Phone           *bool
	Email           *bool
	CPFOrCNPJ       *bool
	DeliveryAddress *bool

	OfferName        string // for FormRegistrationOffer
	OfferDescription string // for FormRegistrationOffer

	// ButtonParams is the literal JSON of the button, instead of all the fields
	// above but Text and Button, which the service ignores when it is given.
	ButtonParams json.RawMessage
}

type formBody struct {
	sendCommon
	Message                string   `json:"message"`
	FormType               FormKind `json:"formType,omitempty"`
	ButtonLabel            string   `json:"buttonLabel,omitempty"`
	FlowToken              string   `json:"flowToken,omitempty"`
	FlowID                 string   `json:"flowId,omitempty"`
	FlowMessageVersion     string   `json:"flowMessageVersion,omitempty"`
	MessageVersion         int      `json:"messageVersion,omitempty"`
	ButtonParamsJSON       string   `json:"buttonParamsJSON,omitempty"`
	FullNameVisible        *bool    `json:"fullNameVisible,omitempty"`
	PhoneNumberVisible     *bool    `json:"phoneNumberVisible,omitempty"`
	EmailVisible           *bool    `json:"emailVisible,omitempty"`
	CPFOrCNPJVisible       *bool    `json:"cpfOrCnpjVisible,omitempty"`
	DeliveryAddressVisible *bool    `json:"deliveryAddressVisible,omitempty"`
	OfferName              string   `json:"offerName,omitempty"`
	OfferDescription       string   `json:"offerDescription,omitempty"`
}

func (Form) kind() contentKind { return contentKind{"a form", opSendForm, anyChat, usual} }

func (f Form) body(common sendCommon) (any, error) {
	if err := checkFilled(filled{"Form.Text", f.Text}); err != nil {
		return nil, err
	}
	if f.ButtonParams != nil {
		if !json.Valid(f.ButtonParams) {
			return nil, invalid("Form.ButtonParams", "is not JSON")
		}
		if f.hasFlowFields() {
			return nil, invalid("Form.ButtonParams", "is set together with other fields of the form: the service would ignore those")
		}
	}
	return &formBody{
		sendCommon: common, Message: f.Text, FormType: f.Kind, ButtonLabel: f.Button,
		FlowToken: f.FlowToken, FlowID: f.FlowID, FlowMessageVersion: f.FlowMessageVersion, MessageVersion: f.MessageVersion,
		ButtonParamsJSON: string(f.ButtonParams),
		FullNameVisible:  f.FullName, PhoneNumberVisible: f.Phone, EmailVisible: f.Email,
		CPFOrCNPJVisible: f.CPFOrCNPJ, DeliveryAddressVisible: f.DeliveryAddress,
		OfferName: f.OfferName, OfferDescription: f.OfferDescription,
	}, nil
}

func (f Form) hasFlowFields() bool {
	return f.Kind != "" || f.FlowToken != "" || f.FlowID != "" || f.FlowMessageVersion != "" || f.MessageVersion != 0 ||
		f.FullName != nil || f.Phone != nil || f.Email != nil || f.CPFOrCNPJ != nil || f.DeliveryAddress != nil ||
		f.OfferName != "" || f.OfferDescription != ""
}
