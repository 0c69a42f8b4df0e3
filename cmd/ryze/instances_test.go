package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

func TestInstancesAreListed(t *testing.T) {
	s := newShell(t)
	s.srv.AddInstance("other")
	s.inst.SetProfile("Shop", "", "")
	assert.Equal(t, [][]string{
		{"NAME", "STATE", "NUMBER", "PROFILE", "WEBHOOK", "STREAM"},
		{"demo", "connected", "5511900000001", "Shop", "off", "off"},
		{"other", "disconnected", "-", "-", "off", "off"},
	}, fields(s.ok("instances")))

	all := objects(t, s.ok("instances", "--json"))
	assert.Len(t, all, 2)
	assert.Equal(t, "demo", all[0]["name"])
	assert.Equal(t, "5511900000001", all[0]["number"])
	assert.Equal(t, s.ok("instances", "-o", "json"), s.ok("instances", "--json"))
}

func TestNoInstancesIsNoError(t *testing.T) {
	s := newShell(t)
	s.srv.AddAccount("empty", 1)
	s.vars[envAccountToken] = "empty"
	assert.Empty(t, s.ok("instances"))
	assert.Empty(t, s.ok("instances", "--json"))
}

func TestANewInstanceIsThereWithItsStream(t *testing.T) {
	s := newShell(t)
	assert.Equal(t, "Created the instance \"second\".\n", s.ok("new", "second"))
	assert.Equal(t, []string{"second", "disconnected", "-", "-", "off", "on"}, fields(s.ok("instances"))[2])
	assert.Equal(t, "third", object(t, s.ok("new", "third", "--json"))["name"])
}

func TestACreationWithoutAReplyIsNotRepeated(t *testing.T) {
	s := newShell(t)
	s.srv.Fault("instance.create", ryzetest.Fault{Drop: ryzetest.DropAfterProcess})
	r := s.run("new", "second")
	assert.Equal(t, exitUnknown, r.code)
	assert.Contains(t, r.err, `an instance "second" exists now`)
	assert.Equal(t, 1, s.srv.Count("instance.create"))

	s.srv.Fault("instance.create", ryzetest.Fault{Drop: ryzetest.DropAfterRead})
	r = s.run("new", "third")
	assert.Equal(t, exitUnknown, r.code)
	assert.Contains(t, r.err, `there is no instance "third" now`)
}
