package ryze

import "fmt"

// List is a text with a button that opens a menu. Text, Label and Sections are
// required. The choice arrives as an event, see [Selection].
type List struct {
	Text     string        `json:"text,omitzero"`
	Label    string        `json:"label,omitzero"` // of the button; WhatsApp has room for a few characters only
	Header   string        `json:"header,omitzero"`
	Footer   string        `json:"footer,omitzero"`
	Sections []ListSection `json:"sections,omitzero"`
}

// ListSection is a part of a [List] with one to ten rows.
type ListSection struct {
	Title string    `json:"title,omitzero"`
	Rows  []ListRow `json:"rows,omitzero"`
}

// ListRow is a choice of a [List]. ID and Title are required. An answer returns
// the ID and does not name its list: make IDs unique within the list and among
// open lists.
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

func (l List) outline() *outline {
	return &outline{types: []MessageType{"list"}, text: l.Text, loose: true}
}

var storedLists = storedAsIs[List]("list")
