//go:build !js

package js

func dial() {}
