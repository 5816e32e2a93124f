package host

import (
	"context"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	packersdk "github.com/hashicorp/packer-plugin-sdk/packer"
	"github.com/hashicorp/packer-plugin-sdk/template/config"
	"github.com/hashicorp/packer-plugin-sdk/template/interpolate"
	"github.com/zclconf/go-cty/cty"
)

// rendering is one line of the table: a template, and what becomes of it.
type rendering struct {
	Template string `json:"template"`
	Text     string `json:"text,omitempty"`
	Error    string `json:"error,omitempty"`
}

const renderings = "../data/packer-templates.json"

// The table from which the plugin's own library is tested says what HashiCorp's engine does. With RESEAL_PACKER_RECORD it
// is written anew for the templates that are in it.
func TestTheTableOfTemplatesIsTrue(t *testing.T) {
	text, err := os.ReadFile(renderings)
	if err != nil {
		t.Fatal(err)
	}
	var table []rendering
	if err := json.Unmarshal(text, &table); err != nil {
		t.Fatal(err)
	}
	before := interpolate.InitTime
	defer func() { interpolate.InitTime = before }()
	interpolate.InitTime = time.Date(2026, 3, 7, 4, 5, 9, 120345678, time.UTC)
	engine := &interpolate.Context{
		BuildName: "web", BuildType: "reseal", CorePackerVersionString: "1.16.0", TemplatePath: "/a/b/../t.json",
		UserVariables: map[string]string{"x": "ex", "n": "5"},
		Data:          map[string]string{"ID": "Build_ID. To set this dynamically in the Packer template, you must use the `build` function"},
	}
	for at, line := range table {
		made := rendering{Template: line.Template}
		made.Text, err = interpolate.RenderOnce(line.Template, engine)
		if err != nil {
			made = rendering{Template: line.Template, Error: err.Error()}
		}
		if os.Getenv("RESEAL_PACKER_RECORD") == "" && made != line {
			t.Errorf("%q: %+v, not %+v", line.Template, made, line)
		}
		table[at] = made
	}
	if os.Getenv("RESEAL_PACKER_RECORD") != "" {
		var out strings.Builder
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(table); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(renderings, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// greeted is what the example's builder makes of a name that is a template.
func greeted(t *testing.T, configs func(packersdk.Builder) []interface{}) string {
	t.Helper()
	p := start(t, "builder", "image", true)
	builder := p.client.Builder()
	ui := &screen{}
	within(t, "Run", func() {
		if _, _, err := builder.Prepare(configs(builder)...); err != nil {
			t.Errorf("Prepare: %v", err)
		}
		if _, err := builder.Run(context.Background(), ui, &provisioners{}); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return strings.TrimSuffix(strings.TrimPrefix(ui.text(), "say: Hello, "), "!")
}

func TestTemplatesInHCL(t *testing.T) {
	hello(t)
	in := func(name string) func(packersdk.Builder) []interface{} {
		return func(builder packersdk.Builder) []interface{} {
			return []interface{}{core(), options(builder.ConfigSpec(), map[string]cty.Value{"name": cty.StringVal(name)})}
		}
	}
	begun := time.Now().UTC().Add(-time.Minute)
	made := greeted(t, in("{{isotime | print `at=`}}"))
	moment, err := time.Parse(time.RFC3339, strings.TrimPrefix(made, "at="))
	if err != nil || moment.Before(begun) || moment.After(begun.Add(2*time.Minute)) {
		t.Errorf("%q: %v", made, err)
	}
	for template, want := range map[string]string{
		"{{build_name}}-{{build_type | upper}}": "w-HELLO-IMAGE",
		"{{packer_version}}":                    "1.16.0",
		"{{`{{`}}literal}}":                     "{{literal}}",
		"{{replace_all `.` `-` `a.b`}}":         "a-b",
	} {
		if made := greeted(t, in(template)); made != want {
			t.Errorf("%q: %q", template, made)
		}
	}
	ids := strings.Fields(greeted(t, in("{{uuid}} {{uuid}}")))
	if len(ids) != 2 || ids[0] == ids[1] || len(ids[0]) != 36 || len(ids[1]) != 36 {
		t.Errorf("%v", ids)
	}
}

func TestTemplatesInHCLRefused(t *testing.T) {
	hello(t)
	p := start(t, "builder", "image", true)
	builder := p.client.Builder()
	for template, want := range map[string]string{
		"a {{foo}} b":         "invalid 'name': template: root:1: function \"foo\" not defined",
		"{{user `x`}}":        "render 'name': template: root:1:2: executing \"root\" at <user `x`>: error calling user: ",
		"{{env `HOME`}}":      "render 'name': template: root:1:2: executing \"root\" at <env `HOME`>: error calling env: env vars are not allowed here in:\n\n{{env `HOME`}}",
		"{{build `ID`}}":      "render 'name': template: root:1:2: executing \"root\" at <build `ID`>: error calling build: Error validating build variable: the given variable ID will not be passed into your plugin. in:\n\n{{build `ID`}}",
		"{{template_dir}}":    "render 'name': template: root:1:2: executing \"root\" at <template_dir>: error calling template_dir: template path not available in:\n\n{{template_dir}}",
		"{{if true}}x{{end}}": "invalid 'name': template: root:1: `if` is not known",
	} {
		within(t, "Prepare", func() {
			given := options(builder.ConfigSpec(), map[string]cty.Value{"name": cty.StringVal(template)})
			_, _, err := builder.Prepare(core(), given)
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%q: %v", template, err)
			}
		})
	}
}

// oldCore is the second configuration of a JSON template.
func oldCore() map[string]interface{} {
	return map[string]interface{}{
		"packer_build_name":          "w",
		"packer_builder_type":        "hello-image",
		"packer_core_version":        "1.16.0",
		"packer_debug":               false,
		"packer_force":               false,
		"packer_on_error":            "",
		"packer_template_path":       "/templates/x.json",
		"packer_user_variables":      map[string]string{"who": "World", "port": "22"},
		"packer_sensitive_variables": []string{"who"},
	}
}

func TestJSONTemplates(t *testing.T) {
	hello(t)
	in := func(builder packersdk.Builder) []interface{} {
		return []interface{}{map[string]interface{}{
			"NAME":    "{{user `who`}} in {{template_dir}}",
			"ports":   []interface{}{"{{user `port`}}", 80.0, "0x10"},
			"labels":  map[string]interface{}{"a": 1.0, "b": true},
			"network": map[string]interface{}{"id": "n"},
			"disk":    map[string]interface{}{"size": "20", "fast": "true"},
		}, oldCore()}
	}
	if made := greeted(t, in); made != "World in /templates" {
		t.Errorf("%q", made)
	}
	several := func(packersdk.Builder) []interface{} {
		disks := []interface{}{map[string]interface{}{"size": 1.0}, map[string]interface{}{"size": "2", "fast": 1.0}}
		return []interface{}{map[string]interface{}{"name": 5986.0, "ports": "1,2,3", "disk": disks}, oldCore()}
	}
	if made := greeted(t, several); made != "5986" {
		t.Errorf("%q", made)
	}
}

// greeter is the example builder's options as a plugin in Go would have them.
type greeter struct {
	Name    string            `mapstructure:"name"`
	Ports   []int             `mapstructure:"ports"`
	Labels  map[string]string `mapstructure:"labels"`
	Network struct {
		ID string `mapstructure:"id"`
	} `mapstructure:"network"`
	Disk []struct {
		Size int  `mapstructure:"size"`
		Fast bool `mapstructure:"fast"`
	} `mapstructure:"disk"`
}

// What a plugin in Go says to the same options. Ours adds what may have been meant, and does not show values.
func TestJSONTemplatesAreRefusedAsInGo(t *testing.T) {
	hello(t)
	p := start(t, "builder", "image", true)
	builder := p.client.Builder()
	meant := regexp.MustCompile(`, did you mean "\w+"\?`)
	value := regexp.MustCompile(`, value: '.*?'`)
	// Over the wire the keys of a map may be anything.
	kind := strings.NewReplacer("map[string]interface", "map[interface {}]interface")
	type raw = map[string]interface{}
	for _, given := range []raw{
		{"nam": "x", "type": "y", "packer_foo": 1.0, "zoo": 1.0},
		{"nam": "x"},
		{"name": "x", "disk": []interface{}{raw{"size": 1.0, "fats": true}}},
		{"name": []interface{}{"x"}, "ports": []interface{}{"x"}, "disk": raw{"size": 1.0, "fast": "maybe"}},
		{"name": raw{"a": "b"}},
		{"name": "x", "network": "n"},
		{"name": "x", "network": []interface{}{raw{"id": "n"}}},
		{"name": "x", "disk": []interface{}{"n"}},
		{"name": "x", "disk": 5.0},
		{"name": "x", "labels": "a"},
		{"name": "x", "labels": 1.0},
		{"name": "x", "ports": "1,x"},
		{"name": "x", "ports": raw{"a": 1.0}},
		{"name": "x", "disk": raw{"size": "1", "fast": []interface{}{true}}},
		{"name": "{{print"},
		{"name": "{{split `a` `b` 3}}"},
		{"name": "{{env `a`}}"},
	} {
		within(t, "Prepare", func() {
			_, _, ours := builder.Prepare(given, oldCore())
			theirs := config.Decode(&greeter{}, &config.DecodeOpts{Interpolate: true}, given, oldCore())
			if ours == nil || theirs == nil {
				t.Errorf("%v: ours %v, theirs %v", given, ours, theirs)
				return
			}
			if meant.ReplaceAllString(ours.Error(), "") != kind.Replace(value.ReplaceAllString(theirs.Error(), "")) {
				t.Errorf("%v:\nours   %q\ntheirs %q", given, ours, theirs)
			}
		})
	}
}

func TestJSONTemplatesMustBeComplete(t *testing.T) {
	hello(t)
	p := start(t, "builder", "image", true)
	builder := p.client.Builder()
	check := func(given map[string]interface{}, want string) {
		t.Helper()
		within(t, "Prepare", func() {
			if _, _, err := builder.Prepare(given, oldCore()); err == nil || err.Error() != want {
				t.Errorf("%v: %q", given, err)
			}
		})
	}
	check(nil, "The argument \"name\" is required, but no definition was found.")
	check(map[string]interface{}{"network": map[string]interface{}{}},
		"2 error(s) occurred:\n\n* The argument \"name\" is required, but no definition was found.\n* The argument \"network.id\" is required, but no definition was found.")
	check(map[string]interface{}{"nam": "x"}, "1 error occurred:\n\t* unknown configuration key: '\"nam\"', did you mean \"name\"?\n\n")
}

// later is what Packer sends to provisioners of JSON templates in place of what a build will say.
func later() map[string]string {
	names := map[string]string{}
	for _, name := range []string{"ID", "PackerRunUUID", "Password"} {
		names[name] = "Build_" + name + ". To set this dynamically in the Packer template, you must use the `build` function"
	}
	return names
}

func TestProvisionersOfJSONTemplatesLearnOfTheMachine(t *testing.T) {
	hello(t)
	p := start(t, "provisioner", "shout", true)
	provisioner := p.client.Provisioner()
	ui := &screen{}
	within(t, "Provision", func() {
		given := map[string]interface{}{"command": "{{user `who`}}"}
		overrides := map[string]interface{}{"command": "echo {{build `ID`}} for {{user `who`}}"}
		if err := provisioner.Prepare(given, overrides, oldCore(), later()); err != nil {
			t.Error(err)
		}
		data := map[string]interface{}{"ID": "i-1", "Password": "pw"}
		if err := provisioner.Provision(context.Background(), ui, &machine{files: map[string]string{}}, data); err != nil {
			t.Error(err)
		}
	})
	ui.sees(t, "message: 259: echo i-1 for World typed")
	within(t, "Prepare", func() {
		given := map[string]interface{}{"command": "x", "comand": "x"}
		err := provisioner.Prepare(given, oldCore(), later())
		if err == nil || !strings.Contains(err.Error(), "unknown configuration key: '\"comand\"'") {
			t.Error(err)
		}
		err = provisioner.Prepare(map[string]interface{}{"command": "{{build `Nope`}}"}, oldCore(), later())
		if err == nil || !strings.Contains(err.Error(), "loaded data, but couldnt find Nope in it.") {
			t.Error(err)
		}
	})
}

func TestOverridesInHCL(t *testing.T) {
	hello(t)
	p := start(t, "provisioner", "shout", true)
	provisioner := p.client.Provisioner()
	ui := &screen{}
	within(t, "Provision", func() {
		given := options(provisioner.ConfigSpec(), map[string]cty.Value{"command": cty.StringVal("below")})
		if err := provisioner.Prepare(core(), given, map[string]interface{}{"command": "above {{build_name}}"}); err != nil {
			t.Fatal(err)
		}
		if err := provisioner.Provision(context.Background(), ui, &machine{files: map[string]string{}}, nil); err != nil {
			t.Fatal(err)
		}
	})
	ui.sees(t, "message: 259: above w typed")
}
