package four

// A names b's type only in an embedded field.
type A struct{ B }
