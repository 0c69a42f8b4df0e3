package ryze

import "encoding/json"

// FormKind is a kind of [Form].
type FormKind string

// Kinds of forms.
const (
	FormContactDetails    FormKind = "contact_details"    // data of a customer
	FormRegistrationOffer FormKind = "registration_offer" // an offer to sign up for
)

// Form is a text with a button that opens a form. Text is required. The button
// shows only on Android and iOS. For the answer see [Selection].
type Form struct {
	Text   string   `json:"text,omitzero"`
	Kind   FormKind `json:"kind,omitzero"`
	Button string   `json:"button,omitzero"` // label of the button

	// FlowToken comes back with the answer. When it is empty the service makes
	// one.
	FlowToken          string `json:"flowToken,omitzero"`
	FlowID             string `json:"flowId,omitzero"`
	FlowMessageVersion string `json:"flowMessageVersion,omitzero"`
	MessageVersion     int    `json:"messageVersion,omitzero"`

	// Fields of the form. They are shown unless set to new(false).
	FullName        *bool `json:"fullName,omitzero"`
	Phone           *bool `json:"phone,omitzero"`
	Email           *bool `json:"email,omitzero"`
	CPFOrCNPJ       *bool `json:"cpfOrCnpj,omitzero"`
	DeliveryAddress *bool `json:"deliveryAddress,omitzero"`

	OfferName        string `json:"offerName,omitzero"`        // for FormRegistrationOffer
	OfferDescription string `json:"offerDescription,omitzero"` // for FormRegistrationOffer

	// ButtonParams is the button's literal JSON. With it the service ignores
	// all fields above except Text and Button.
	ButtonParams json.RawMessage `json:"-"`
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

func (f Form) outline() *outline {
	return &outline{types: []MessageType{MessageInteractive}, text: f.Text, loose: true}
}

// storedForm is the stored form of a form. The literal JSON is kept as a text,
// because encoding/json would change its blanks and escapes.
type storedForm struct {
	Form
	ButtonParams *string `json:"buttonParams,omitzero"`
}

var storedForms = storedAs("form",
	func(f Form) (storedForm, error) {
		s := storedForm{Form: f}
		if f.ButtonParams != nil {
			s.ButtonParams = new(string(f.ButtonParams))
		}
		return s, nil
	},
	func(s storedForm) (Form, error) {
		if s.ButtonParams != nil {
			s.Form.ButtonParams = json.RawMessage(*s.ButtonParams)
		}
		return s.Form, nil
	})
