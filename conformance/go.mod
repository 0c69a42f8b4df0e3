module github.com/ryzeapi/ryze-go/conformance

go 1.26.0

require (
	github.com/coder/websocket v1.8.15
	github.com/ryzeapi/ryze-go v0.0.0
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.2
	github.com/stretchr/testify v1.12.1
	go.yaml.in/yaml/v3 v3.0.5
)

require (
	github.com/hashicorp/go-cleanhttp v0.5.2 // indirect
	github.com/hashicorp/go-retryablehttp v0.7.8 // indirect
	golang.org/x/text v0.14.0 // indirect
	rsc.io/qr v0.2.0 // indirect
)

replace github.com/ryzeapi/ryze-go => ../
