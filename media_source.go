package ryze

// head returns the first bytes of a file, or the *ValidationError of a source
// that is missing, empty or cannot be read.
func (s MediaSource) head(field string) ([]byte, error) {
	if s.file == nil {
		return nil, invalid(field, "is missing; use MediaFile, MediaBytes, MediaReader, MediaFS or MediaURL")
	}
	head, err := s.file.head()
	if err != nil {
		return nil, &ValidationError{Field: field, Reason: "cannot be read: " + err.Error(), err: err}
	}
	if len(head) == 0 {
		return nil, invalid(field, "is empty")
	}
	return head, nil
}
