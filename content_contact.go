package ryze

// ContactCard is a contact to share. FullName and Phone are required.
// [ReplyPrivate] is refused, because the service ignores it here.
type ContactCard struct {
	FullName     string `json:"fullName"`
	Phone        string `json:"phone"` // 7 to 15 digits with country code, without a plus
	Organization string `json:"organization,omitempty"`
	Email        string `json:"email,omitempty"`
	URL          string `json:"url,omitempty"` // website
}

// ContactCards are several contacts in one message; see [ContactCard].
type ContactCards []ContactCard

type contactBody struct {
	sendCommon
	VCard []ContactCard `json:"vcard"`
}

func (ContactCard) kind() contentKind { return ContactCards{}.kind() }

func (c ContactCard) body(common sendCommon) (any, error) { return ContactCards{c}.body(common) }

func (ContactCards) kind() contentKind {
	return contentKind{"a contact", opSendContact, anyChat, canDelay | canReply}
}

func (cards ContactCards) body(common sendCommon) (any, error) {
	if len(cards) == 0 {
		return nil, invalid("ContactCards", "is empty")
	}
	for i, c := range cards {
		field := "ContactCard"
		if len(cards) > 1 {
			field = at("ContactCards", i)
		}
		if err := checkFilled(filled{field + ".FullName", c.FullName}); err != nil {
			return nil, err
		}
		if err := checkPhoneDigits(field+".Phone", c.Phone); err != nil {
			return nil, err
		}
	}
	return &contactBody{common, cards}, nil
}

func (ContactCard) outline() *outline {
	return &outline{blurred: true}
}

func (ContactCards) outline() *outline {
	return &outline{blurred: true}
}

// storedCards is the stored form of several contacts.
type storedCards struct {
	Cards ContactCards `json:"cards,omitzero"`
}

var (
	storedContactCard  = storedAsIs[ContactCard]("contact")
	storedContactCards = storedAs("contacts",
		func(c ContactCards) (storedCards, error) { return storedCards{c}, nil },
		func(s storedCards) (ContactCards, error) { return s.Cards, nil })
)
