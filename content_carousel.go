package ryze

import "strconv"

// Carousel is a row of cards to swipe, each with its own buttons. At least one
// card is required. Reply buttons need different ids, also across cards.
type Carousel struct {
	Text   string `json:"text,omitzero"`   // above the cards
	Footer string `json:"footer,omitzero"` // below the cards
	Cards  []Card `json:"cards,omitzero"`
}

// Card is a card of a [Carousel]. Title and Text are required. ImageURL and
// VideoURL exclude each other.
type Card struct {
	Title    string   `json:"title,omitzero"`
	Subtitle string   `json:"subtitle,omitzero"`
	ImageURL string   `json:"imageUrl,omitzero"`
	VideoURL string   `json:"videoUrl,omitzero"`
	Text     string   `json:"text,omitzero"`
	Footer   string   `json:"footer,omitzero"`
	Buttons  []Button `json:"buttons,omitzero"`
}

type carouselBody struct {
	sendCommon
	Message string     `json:"message,omitempty"`
	Footer  string     `json:"footer,omitempty"`
	Cards   []wireCard `json:"cards"`
}

type wireCard struct {
	Header  wireCardHeader `json:"header"`
	Body    wireCardBody   `json:"body"`
	Footer  string         `json:"footer,omitempty"`
	Buttons []wireButton   `json:"buttons,omitempty"`
}

type wireCardHeader struct {
	Title    string `json:"title"`
	Subtitle string `json:"subtitle,omitempty"`
	ImageURL string `json:"imageUrl,omitempty"`
	VideoURL string `json:"videoUrl,omitempty"`
}

type wireCardBody struct {
	Text string `json:"text"`
}

func (Carousel) kind() contentKind { return contentKind{"a carousel", opSendCarousel, anyChat, usual} }

func (c Carousel) body(common sendCommon) (any, error) {
	if len(c.Cards) == 0 {
		return nil, invalid("Carousel.Cards", "is empty")
	}
	b := &carouselBody{sendCommon: common, Message: c.Text, Footer: c.Footer}
	replies := distinct{}
	for i, card := range c.Cards {
		w, err := card.wire(at("Carousel.Cards", i), replies)
		if err != nil {
			return nil, err
		}
		b.Cards = append(b.Cards, w)
	}
	return b, nil
}

func (c Card) wire(field string, replies distinct) (wireCard, error) {
	if err := checkFilled(filled{field + ".Title", c.Title}, filled{field + ".Text", c.Text}); err != nil {
		return wireCard{}, err
	}
	if c.ImageURL != "" && c.VideoURL != "" {
		return wireCard{}, invalid(field, "has both ImageURL and VideoURL")
	}
	for _, media := range []filled{{field + ".ImageURL", c.ImageURL}, {field + ".VideoURL", c.VideoURL}} {
		if media.text == "" {
			continue
		}
		if _, err := checkMediaURL(media.field, media.text); err != nil {
			return wireCard{}, err
		}
	}
	buttons, err := wireButtons(field+".Buttons", c.Buttons, replies)
	if err != nil {
		return wireCard{}, err
	}
	return wireCard{
		Header: wireCardHeader{c.Title, c.Subtitle, c.ImageURL, c.VideoURL},
		Body:   wireCardBody{c.Text}, Footer: c.Footer, Buttons: buttons,
	}, nil
}

// outline knows a rendering of the whole carousel that was seen in a history.
func (c Carousel) outline() *outline {
	rendered := c.Text + " - Carousel with " + strconv.Itoa(len(c.Cards)) + " card(s)"
	return &outline{types: []MessageType{MessageInteractive}, loose: true, similar: func(text string) bool {
		return text == rendered || text == c.Text
	}}
}

var storedCarousels = storedAsIs[Carousel]("carousel")
