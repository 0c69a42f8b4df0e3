// Pictures are a module of their own so that users of the SDK do not download them.
module github.com/ryzeapi/ryze-go/docs/img

go 1.26.0
