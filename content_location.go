package ryze

import "math"

// Location is a place on the map. A message needs the coordinates.
type Location struct {
	// Latitude and Longitude are decimal degrees. Use four to six decimals. The
	// service takes (0, 0) for a missing value and refuses it.
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Name      string  `json:"name,omitzero"`    // the main label of the card
	Address   string  `json:"address,omitzero"` // the line below it
}

type locationBody struct {
	sendCommon
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Name      string  `json:"name,omitempty"`
	Address   string  `json:"address,omitempty"`
}

func (Location) kind() contentKind { return contentKind{"a location", opSendLocation, anyChat, usual} }

func (l Location) body(common sendCommon) (any, error) {
	if err := l.checkDegrees("Location"); err != nil {
		return nil, err
	}
	if l.Latitude == 0 && l.Longitude == 0 {
		return nil, invalid("Location", "is (0, 0), which the service takes for a missing value")
	}
	return &locationBody{common, l.Latitude, l.Longitude, l.Name, l.Address}, nil
}

func (l Location) checkDegrees(field string) error {
	if !(math.Abs(l.Latitude) <= 90) { // not a number counts as well
		return invalid(field+".Latitude", "is not between -90 and 90 degrees")
	}
	if !(math.Abs(l.Longitude) <= 180) {
		return invalid(field+".Longitude", "is not between -180 and 180 degrees")
	}
	return nil
}

func (l Location) outline() *outline {
	return &outline{types: []MessageType{MessageLocation}, similar: inOrder(l.Name, l.Address), loose: true}
}

var storedLocations = storedAsIs[Location]("location")
