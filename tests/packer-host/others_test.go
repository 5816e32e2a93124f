package host

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hcldec"
	packersdk "github.com/hashicorp/packer-plugin-sdk/packer"
	"github.com/zclconf/go-cty/cty"
)

func itoa(number int) string { return strconv.Itoa(number) }

// machine is a communicator as another builder would offer it.
type machine struct {
	packersdk.MockCommunicator
	files map[string]string
	lost  bool
}

func (m *machine) Start(_ context.Context, command *packersdk.RemoteCmd) error {
	if m.lost {
		return errors.New("the machine is gone")
	}
	// Answers first and ends later, as SSH does.
	go func() {
		input := ""
		if command.Stdin != nil {
			all, _ := io.ReadAll(command.Stdin)
			input = string(all)
		}
		_, _ = io.WriteString(command.Stdout, command.Command+" "+input)
		command.SetExited(259)
	}()
	return nil
}

func (m *machine) Upload(path string, from io.Reader, _ *os.FileInfo) error {
	all, err := io.ReadAll(from)
	m.files[path] = string(all)
	return err
}

func (m *machine) Download(path string, to io.Writer) error {
	_, err := io.WriteString(to, m.files[path])
	return err
}

func TestProvisioner(t *testing.T) {
	hello(t)
	generations(t, func(t *testing.T, protobuf bool) {
		p := start(t, "provisioner", "shout", protobuf)
		shout := p.client.Provisioner()
		ui := &screen{}
		within(t, "Provision", func() {
			spec := shout.ConfigSpec()
			given := options(spec, map[string]cty.Value{"command": cty.StringVal("HEY")})
			if err := shout.Prepare(core(), given, nil); err != nil {
				t.Fatal(err)
			}
			data := map[string]interface{}{"ID": "i-1", "Nested": []string{"x"}, "Nil": nil}
			if err := shout.Provision(context.Background(), ui, &machine{files: map[string]string{}}, data); err != nil {
				t.Fatal(err)
			}
		})
		ui.sees(t, "say: shouting at i-1\nmessage: 259: HEY typed\nmessage: shouted")
	})
}

func TestProvisionerFails(t *testing.T) {
	hello(t)
	p := start(t, "provisioner", "shout", true)
	shout := p.client.Provisioner()
	within(t, "Provision", func() {
		spec := shout.ConfigSpec()
		err := shout.Prepare(core(), options(spec, map[string]cty.Value{"command": cty.StringVal("")}))
		if err == nil || err.Error() != "`command` must not be empty" {
			t.Errorf("%v", err)
		}
		if err := shout.Prepare(core(), options(spec, map[string]cty.Value{"command": cty.StringVal("HEY")})); err != nil {
			t.Error(err)
		}
		err = shout.Provision(context.Background(), &screen{}, &machine{lost: true}, nil)
		if err == nil || err.Error() != "the machine is gone" {
			t.Errorf("%v", err)
		}
	})
}

func TestPostProcessor(t *testing.T) {
	hello(t)
	p := start(t, "post-processor", "note", true)
	note := p.client.PostProcessor()
	ui := &screen{}
	within(t, "PostProcess", func() {
		spec := note.ConfigSpec()
		if err := note.Configure(core(), options(spec, map[string]cty.Value{"text": cty.StringVal("nice")})); err != nil {
			t.Fatal(err)
		}
		input := &packersdk.MockArtifact{IdValue: "card-1", FilesValue: []string{"a", "b"}}
		output, keep, force, err := note.PostProcess(context.Background(), ui, input)
		if err != nil || !keep || !force {
			t.Fatalf("%v %v %v", keep, force, err)
		}
		if output.Id() != "card-1" || strings.Join(output.Files(), ",") != "a,b" {
			t.Errorf("passed on %s %v", output.Id(), output.Files())
		}
		if err := output.Destroy(); err != nil || !input.DestroyCalled {
			t.Errorf("destroy: %v %v", err, input.DestroyCalled)
		}
	})
	ui.sees(t, "say: noted card-1 with 2 files: nice")
}

func TestPostProcessorFails(t *testing.T) {
	hello(t)
	p := start(t, "post-processor", "note", true)
	note := p.client.PostProcessor()
	within(t, "PostProcess", func() {
		if err := note.Configure(core(), options(note.ConfigSpec(), map[string]cty.Value{"text": cty.StringVal("fail")})); err != nil {
			t.Fatal(err)
		}
		_, _, _, err := note.PostProcess(context.Background(), &screen{}, &packersdk.MockArtifact{})
		if err == nil || err.Error() != "the pencil is broken" {
			t.Errorf("%v", err)
		}
	})
}

func TestDatasource(t *testing.T) {
	hello(t)
	generations(t, func(t *testing.T, protobuf bool) {
		p := start(t, "datasource", "greeting", protobuf)
		greeting := p.client.Datasource()
		within(t, "Execute", func() {
			given := options(greeting.ConfigSpec(), map[string]cty.Value{"name": cty.StringVal("World")})
			if err := greeting.Configure(given); err != nil {
				t.Fatal(err)
			}
			value, err := greeting.Execute()
			if err != nil {
				t.Fatal(err)
			}
			want := cty.ObjectVal(map[string]cty.Value{
				"text":    cty.StringVal("Hello, World!"),
				"length":  cty.NumberIntVal(-12),
				"ratio":   cty.NumberFloatVal(2.75),
				"loud":    cty.True,
				"words":   cty.ListVal([]cty.Value{cty.StringVal("Hello"), cty.StringVal("World")}),
				"counts":  cty.MapVal(map[string]cty.Value{"zero": cty.NumberIntVal(0), "big": cty.NumberIntVal(1 << 40)}),
				"missing": cty.NullVal(cty.String),
				"parts": cty.ListVal([]cty.Value{
					cty.ObjectVal(map[string]cty.Value{"part": cty.StringVal("a")}),
					cty.ObjectVal(map[string]cty.Value{"part": cty.NullVal(cty.String)}),
				}),
			})
			if !value.RawEquals(want) {
				t.Errorf("got %#v", value)
			}
			if kind := hcldec.ImpliedType(greeting.OutputSpec()); !kind.Equals(value.Type()) {
				t.Errorf("said %#v, gave %#v", kind, value.Type())
			}
		})
	})
}

func TestDatasourceFails(t *testing.T) {
	hello(t)
	generations(t, func(t *testing.T, protobuf bool) {
		p := start(t, "datasource", "greeting", protobuf)
		greeting := p.client.Datasource()
		within(t, "Execute", func() {
			spec := greeting.ConfigSpec()
			err := greeting.Configure(options(spec, map[string]cty.Value{"name": cty.StringVal("")}))
			if err == nil || err.Error() != "`name` must not be empty" {
				t.Errorf("%v", err)
			}
			if err := greeting.Configure(options(spec, map[string]cty.Value{"name": cty.StringVal("fail")})); err != nil {
				t.Error(err)
			}
			if _, err := greeting.Execute(); err == nil || !strings.Contains(err.Error(), "no greeting was found") {
				t.Errorf("%v", err)
			}
		})
	})
}
