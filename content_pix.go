package ryze

import (
	"math"
	"net/mail"
)

// Pix is a card with a PIX key to copy. It makes no charge and no QR code, and
// nothing tells whether it was paid. Channels do not accept it. MerchantName,
// Key and KeyType are required.
type Pix struct {
	MerchantName string     `json:"merchantName,omitzero"` // the beneficiary, shown above the key
	Key          string     `json:"key,omitzero"`
	KeyType      PixKeyType `json:"keyType,omitzero"`
	// Message and Items may be ignored by the service; see
	// docs/service-notes.md. With items WhatsApp adds up the prices. Without
	// them the payer types the amount.
	Message string    `json:"message,omitzero"`
	Items   []PixItem `json:"items,omitzero"`
}

// PixItem is a line of a [Pix]. Name, Quantity and UnitPrice are required.
type PixItem struct {
	Name        string `json:"name,omitzero"`
	Description string `json:"description,omitzero"`
	Quantity    int    `json:"quantity,omitzero"` // 1 or more
	// UnitPrice is the price of one. Its unit is not known: reais or centavos;
	// see docs/service-notes.md.
	UnitPrice float64 `json:"unitPrice"`
}

// PixKeyType is the type of a PIX key.
type PixKeyType string

// Types of PIX keys, with the form of each.
const (
	PixCPF    PixKeyType = "CPF"    // 11 digits, without punctuation
	PixCNPJ   PixKeyType = "CNPJ"   // 14 digits, without punctuation
	PixEmail  PixKeyType = "EMAIL"  // an e-mail address
	PixPhone  PixKeyType = "PHONE"  // digits with country code, without a plus
	PixRandom PixKeyType = "RANDOM" // the UUID that the bank gave
)

type pixBody struct {
	sendCommon
	MerchantName string     `json:"merchantName"`
	PixKey       string     `json:"pixKey"`
	PixKeyType   PixKeyType `json:"pixKeyType"`
	Message      string     `json:"message,omitempty"`
	Items        []wireItem `json:"items,omitempty"`
}

type wireItem struct {
	Name        string  `json:"name"`
	Description string  `json:"description,omitempty"`
	Quantity    int     `json:"quantity"`
	UnitPrice   float64 `json:"unitPrice"`
}

func (Pix) kind() contentKind { return contentKind{"a PIX card", opSendPix, peopleGroups, usual} }

func (p Pix) body(common sendCommon) (any, error) {
	if err := checkFilled(filled{"Pix.MerchantName", p.MerchantName}, filled{"Pix.Key", p.Key}); err != nil {
		return nil, err
	}
	if err := p.checkKey(); err != nil {
		return nil, err
	}
	b := &pixBody{sendCommon: common, MerchantName: p.MerchantName, PixKey: p.Key, PixKeyType: p.KeyType, Message: p.Message}
	for i, item := range p.Items {
		if err := item.check(at("Pix.Items", i)); err != nil {
			return nil, err
		}
		b.Items = append(b.Items, wireItem(item))
	}
	return b, nil
}

func (i PixItem) check(field string) error {
	if err := checkFilled(filled{field + ".Name", i.Name}); err != nil {
		return err
	}
	if i.Quantity < 1 {
		return invalid(field+".Quantity", "is less than 1")
	}
	if !(i.UnitPrice >= 0) || math.IsInf(i.UnitPrice, 1) { // not a number counts as well
		return invalid(field+".UnitPrice", "is negative or not a number")
	}
	return nil
}

func (p Pix) checkKey() error {
	const field = "Pix.Key"
	switch p.KeyType {
	case PixCPF:
		return checkDigitCount(field, p.Key, 11, "a CPF")
	case PixCNPJ:
		return checkDigitCount(field, p.Key, 14, "a CNPJ")
	case PixPhone:
		return checkPhoneDigits(field, p.Key)
	case PixEmail:
		if a, err := mail.ParseAddress(p.Key); err != nil || a.Address != p.Key {
			return invalid(field, "is not an e-mail address")
		}
	case PixRandom:
		if !isUUID(p.Key) {
			return invalid(field, "is not a UUID, such as 123e4567-e89b-12d3-a456-426614174000")
		}
	default:
		return invalid("Pix.KeyType", "is not one of CPF, CNPJ, EMAIL, PHONE, RANDOM")
	}
	return nil
}

func (Pix) outline() *outline {
	return &outline{blurred: true}
}

var storedPixes = storedAsIs[Pix]("pix")
