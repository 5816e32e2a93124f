package host

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2/hcldec"
	packersdk "github.com/hashicorp/packer-plugin-sdk/packer"
	"github.com/zclconf/go-cty/cty"
)

// standard is the component that has the plugin's own name in templates.
const standard = "-packer-default-plugin-name-"

// real skips tests of the product when another plugin is under test.
func real(t *testing.T) {
	t.Helper()
	if !contains(describe(t).Builders, standard) {
		t.Skip("this is not the product's binary")
	}
}

var world struct {
	once      sync.Once
	variables []string
	process   *exec.Cmd
}

func TestMain(m *testing.M) {
	code := m.Run()
	if world.process != nil {
		_ = world.process.Process.Kill()
		_ = world.process.Wait()
	}
	os.Exit(code)
}

// lab is the environment of a cloud that runs as long as the tests: the product's own.
func lab(t *testing.T) []string {
	t.Helper()
	world.once.Do(func() {
		world.process = exec.Command(binary(t), "lab", "--speed", "300", "--builds", "8")
		stdout, err := world.process.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := world.process.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			variable := strings.TrimPrefix(lines.Text(), "export ")
			world.variables = append(world.variables, strings.ReplaceAll(variable, "'", ""))
			if strings.HasPrefix(variable, "RESEAL_HURRY=") {
				return
			}
		}
		t.Fatal("the lab says nothing")
	})
	return world.variables
}

const minimal = `reseal: 1
name: minimal
cloud: { provider: nhn, region: KR1 }
base:
  image: { name: "Windows 2022 STD*EN*", newest: true }
  flavor: m2.c2m4
  network: Default Network
image: { name: minimal }
`

// written is a spec in a file.
func written(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.reseal.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// asked is a builder of the product that has prepared a spec; core may say more than usual.
func asked(t *testing.T, protobuf bool, text string, more map[string]interface{}) (*process, packersdk.Builder) {
	t.Helper()
	p := start(t, "builder", standard, protobuf, lab(t)...)
	builder := p.client.Builder()
	variables := core()
	for name, value := range more {
		variables[name] = value
	}
	within(t, "Prepare", func() {
		given := options(builder.ConfigSpec(), map[string]cty.Value{
			"spec": cty.StringVal(written(t, text)),
			"runs": cty.StringVal(t.TempDir()),
		})
		vars, warnings, err := builder.Prepare(variables, given)
		if err != nil || len(warnings) != 0 || !contains(vars, "ResealBuildID") {
			t.Errorf("Prepare: %v %v %v", vars, warnings, err)
		}
	})
	return p, builder
}

func TestProductDescribesItsComponents(t *testing.T) {
	real(t)
	description := describe(t)
	if !contains(description.Provisioners, "software") || !contains(description.Provisioners, "generalize") ||
		!contains(description.Datasources, "image") {
		t.Errorf("%+v", description)
	}
}

func TestProductOptionsAreTheSpecs(t *testing.T) {
	real(t)
	generations(t, func(t *testing.T, protobuf bool) {
		p := start(t, "builder", standard, protobuf)
		within(t, "ConfigSpec", func() {
			kind := hcldec.ImpliedType(p.client.Builder().ConfigSpec())
			step := kind.AttributeType("software").ElementType()
			if !step.AttributeType("install_msi").HasAttribute("detect") {
				t.Errorf("%#v", step)
			}
			if kind.AttributeType("base").AttributeType("flavor") != cty.String {
				t.Errorf("%#v", kind.AttributeType("base"))
			}
		})
	})
}

func TestProductRefusesAtTheLine(t *testing.T) {
	real(t)
	generations(t, func(t *testing.T, protobuf bool) {
		p := start(t, "builder", standard, protobuf)
		builder := p.client.Builder()
		check := func(given map[string]cty.Value, wanted ...string) {
			t.Helper()
			_, _, err := builder.Prepare(core(), options(builder.ConfigSpec(), given))
			for _, text := range wanted {
				if err == nil || !strings.Contains(err.Error(), text) {
					t.Errorf("%q is not in %v", text, err)
				}
			}
		}
		within(t, "Prepare", func() {
			check(nil, "spec = ")
			check(map[string]cty.Value{"spec": cty.StringVal("nowhere.yaml")}, "nowhere.yaml")
			wrong := written(t, strings.Replace(minimal, "flavor", "flavour", 1))
			check(map[string]cty.Value{"spec": cty.StringVal(wrong)}, "error[spec::unknown-field]", "x.reseal.yaml:6:3")
			spec := options(builder.ConfigSpec(), map[string]cty.Value{"spec": cty.StringVal("<unknown>")})
			_, warnings, err := builder.Prepare(core(), spec)
			if err != nil || len(warnings) != 1 {
				t.Errorf("%v %v", warnings, err)
			}
		})
	})
}

// long is for builds, which are many calls.
func long(t *testing.T, what string, step func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		step()
	}()
	select {
	case <-done:
	case <-time.After(4 * patience):
		t.Fatalf("%s takes too long", what)
	}
}

func TestProductBuildsWithAHook(t *testing.T) {
	real(t)
	generations(t, func(t *testing.T, protobuf bool) {
		_, builder := asked(t, protobuf, minimal, nil)
		ui := &screen{}
		hook := &provisioners{run: func(ctx context.Context, name string, ui packersdk.Ui, comm packersdk.Communicator, data interface{}) error {
			all := data.(map[interface{}]interface{})
			for _, key := range []string{"ID", "Host", "User", "Password", "WinRMPassword", "ResealBuildID", "SourceImageName"} {
				if text, ok := all[key].(string); !ok || text == "" {
					t.Errorf("%s is %v", key, all[key])
				}
			}
			if all["Port"] != int64(5986) || all["ConnType"] != "winrm" {
				t.Errorf("%v %v", all["Port"], all["ConnType"])
			}
			ui.Say("the password is " + all["Password"].(string))
			return guest(t, comm)
		}}
		long(t, "Run", func() {
			artifact, err := builder.Run(context.Background(), ui, hook)
			if err != nil {
				t.Fatalf("Run: %v\n%s", err, ui.text())
			}
			image(t, artifact)
		})
		ui.sees(t, "say: the password is <sensitive>")
		ui.sees(t, "say: generalize with sysprep")
	})
}

// guest uses the machine as provisioners do.
func guest(t *testing.T, comm packersdk.Communicator) error {
	var stdout, stderr bytes.Buffer
	run := func(line string) int {
		stdout.Reset()
		command := &packersdk.RemoteCmd{Command: line, Stdout: &stdout, Stderr: &stderr}
		if err := comm.Start(context.Background(), command); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		return command.Wait()
	}
	if status := run("echo hi & exit 7"); status != 7 || strings.TrimSpace(stdout.String()) != "hi" {
		t.Errorf("%d %q", status, stdout.String())
	}
	if status := run("nothing-like-that"); status != 1 || !strings.Contains(stderr.String(), "not recognized") {
		t.Errorf("%d %q", status, stderr.String())
	}
	content := bytes.Repeat([]byte{0, 1, 2, 250}, 50_000)
	if err := comm.Upload("C:/Windows/Temp/x.bin", bytes.NewReader(content), nil); err != nil {
		t.Errorf("upload: %v", err)
	}
	var back bytes.Buffer
	if err := comm.Download("c:\\windows\\temp\\x.bin", &back); err != nil || !bytes.Equal(back.Bytes(), content) {
		t.Errorf("download: %d of %d bytes, %v", back.Len(), len(content), err)
	}
	if err := comm.DownloadDir("C:/x", t.TempDir(), nil); err == nil {
		t.Error("a folder came down")
	}
	return nil
}

func image(t *testing.T, artifact packersdk.Artifact) {
	if artifact.BuilderId() != "reseal.image" || len(artifact.Id()) != 36 || len(artifact.Files()) != 0 {
		t.Errorf("%s %s %v", artifact.BuilderId(), artifact.Id(), artifact.Files())
	}
	if !strings.Contains(artifact.String(), "An image was created: minimal ("+artifact.Id()+")") {
		t.Errorf("%s", artifact.String())
	}
	metadata, ok := artifact.State("par.artifact.metadata").(map[interface{}]interface{})
	if !ok || metadata["ImageID"] != artifact.Id() || metadata["ProviderName"] != "nhncloud" || metadata["SourceImageID"] == "" {
		t.Errorf("%#v", metadata)
	}
	generated, ok := artifact.State("generated_data").(map[interface{}]interface{})
	if !ok || generated["ConnType"] != "winrm" {
		t.Errorf("%#v", generated)
	}
	if artifact.State("unheard-of") != nil {
		t.Error("an unknown state is something")
	}
	for range 2 {
		if err := artifact.Destroy(); err != nil {
			t.Errorf("Destroy: %v", err)
		}
	}
}

func TestProductIsCancelledInTheHook(t *testing.T) {
	real(t)
	generations(t, func(t *testing.T, protobuf bool) {
		_, builder := asked(t, protobuf, minimal, nil)
		ctx, cancel := context.WithCancel(context.Background())
		hook := &provisioners{run: func(inner context.Context, name string, _ packersdk.Ui, _ packersdk.Communicator, _ interface{}) error {
			cancel()
			<-inner.Done()
			return inner.Err()
		}}
		ui := &screen{}
		long(t, "Run", func() {
			artifact, err := builder.Run(ctx, ui, hook)
			if artifact != nil || err == nil || err.Error() != "Build was cancelled." {
				t.Errorf("%v %v", artifact, err)
			}
		})
		ui.sees(t, "undo: start a m2.c2m4 machine")
	})
}

func TestProductAsksAboutAFailure(t *testing.T) {
	real(t)
	_, builder := asked(t, true, minimal, map[string]interface{}{"packer_on_error": "ask", "packer_debug": "true"})
	ui := &screen{answer: "r"}
	var names []string
	hook := &provisioners{run: func(_ context.Context, name string, _ packersdk.Ui, _ packersdk.Communicator, _ interface{}) error {
		names = append(names, name)
		if len(names) == 1 {
			return errors.New("not yet")
		}
		return nil
	}}
	long(t, "Run", func() {
		artifact, err := builder.Run(context.Background(), ui, hook)
		if err != nil {
			t.Fatalf("%v\n%s", err, ui.text())
		}
		_ = artifact.Destroy()
	})
	if strings.Join(names, " ") != "packer_provision packer_provision" {
		t.Errorf("%v", names)
	}
	ui.sees(t, "ask: [c] Clean up and exit, [a] abort without cleanup, or [r] retry step")
	ui.sees(t, "ask: Pausing after run of step 'cloud/server'. Press enter to continue.")
	ui.sees(t, "ask: Pausing before cleanup of step 'cloud/server'. Press enter to continue.")
}

func TestProductCleansUpAfterAFailedProvisioner(t *testing.T) {
	real(t)
	_, builder := asked(t, true, minimal, nil)
	var names []string
	hook := &provisioners{run: func(_ context.Context, name string, _ packersdk.Ui, _ packersdk.Communicator, _ interface{}) error {
		names = append(names, name)
		return errors.New("no good")
	}}
	ui := &screen{}
	long(t, "Run", func() {
		_, err := builder.Run(context.Background(), ui, hook)
		if err == nil || !strings.HasSuffix(err.Error(), "no good") {
			t.Errorf("%v", err)
		}
	})
	if strings.Join(names, " ") != "packer_provision packer_cleanup_provision" {
		t.Errorf("%v", names)
	}
	ui.sees(t, "closed: nothing is left")
}

func TestProductWorksInAnotherBuildersMachine(t *testing.T) {
	real(t)
	generations(t, func(t *testing.T, protobuf bool) {
		_, builder := asked(t, protobuf, minimal, nil)
		ui := &screen{}
		hook := &provisioners{run: func(ctx context.Context, name string, ui packersdk.Ui, comm packersdk.Communicator, data interface{}) error {
			if name != "packer_provision" {
				return nil
			}
			visit(t, protobuf, "software", minimal+"software: [ { windows_feature: { names: [Web-Server] } }, { reboot: { when: always } } ]\n", ui, comm)
			visit(t, protobuf, "generalize", minimal, ui, comm)
			return errors.New("that is all")
		}}
		long(t, "Run", func() {
			if _, err := builder.Run(context.Background(), ui, hook); err == nil || !strings.Contains(err.Error(), "that is all") {
				t.Errorf("%v", err)
			}
		})
		ui.sees(t, "Web-Server: installed")
		ui.sees(t, "restarting Windows: the spec says so")
		ui.sees(t, "generalized: tag file, ImageState, GeneralizationState and SetupType agree")
	})
}

// visit runs one of the product's provisioners through a communicator.
func visit(t *testing.T, protobuf bool, component, text string, ui packersdk.Ui, comm packersdk.Communicator) {
	t.Helper()
	p := start(t, "provisioner", component, protobuf, lab(t)...)
	provisioner := p.client.Provisioner()
	given := map[string]cty.Value{"spec": cty.StringVal(written(t, text)), "runs": cty.StringVal(t.TempDir())}
	if err := provisioner.Prepare(core(), options(provisioner.ConfigSpec(), given), nil); err != nil {
		t.Errorf("Prepare: %v", err)
	}
	if err := provisioner.Provision(context.Background(), ui, comm, map[string]interface{}{"ID": "x"}); err != nil {
		t.Errorf("%s: %v", component, err)
	}
}

func TestProductFindsTheBaseImage(t *testing.T) {
	real(t)
	generations(t, func(t *testing.T, protobuf bool) {
		p := start(t, "datasource", "image", protobuf, lab(t)...)
		source := p.client.Datasource()
		within(t, "Execute", func() {
			given := map[string]cty.Value{"spec": cty.StringVal(written(t, minimal))}
			if err := source.Configure(options(source.ConfigSpec(), given)); err != nil {
				t.Fatalf("Configure: %v", err)
			}
			value, err := source.Execute()
			if err != nil {
				t.Fatalf("Execute: %v", err)
			}
			if name := value.GetAttr("name").AsString(); !strings.HasPrefix(name, "Windows 2022 STD") {
				t.Errorf("%s", name)
			}
		})
		p = start(t, "datasource", "image", protobuf, lab(t)...)
		source = p.client.Datasource()
		within(t, "Execute", func() {
			none := strings.Replace(minimal, "Windows 2022 STD*EN*", "Windows 1999*", 1)
			given := map[string]cty.Value{"spec": cty.StringVal(written(t, none))}
			_ = source.Configure(options(source.ConfigSpec(), given))
			if _, err := source.Execute(); err == nil || !strings.Contains(err.Error(), "Windows 1999*") {
				t.Errorf("%v", err)
			}
		})
	})
}

func TestProductProvesAnImage(t *testing.T) {
	real(t)
	generations(t, func(t *testing.T, protobuf bool) {
		_, builder := asked(t, protobuf, minimal, nil)
		long(t, "PostProcess", func() {
			artifact, err := builder.Run(context.Background(), &screen{}, &provisioners{})
			if err != nil {
				t.Fatalf("Run: %v", err)
			}
			ui := &screen{}
			proved, keep, forced, err := processor(t, protobuf, minimal).PostProcess(context.Background(), ui, artifact)
			if err != nil || !keep || !forced || proved.Id() != artifact.Id() {
				t.Errorf("%v %v %v", keep, forced, err)
			}
			ui.sees(t, "say: prove the first boot")
			ui.sees(t, "closed: the image is there, and nothing else")
			failing := minimal + "verify: { boot: true, checks: [ { powershell: { inline: '# reseal-lab: exit 5' } } ] }\n"
			_, _, _, err = processor(t, protobuf, failing).PostProcess(context.Background(), &screen{}, artifact)
			if err == nil || !strings.Contains(err.Error(), "x.reseal.yaml:9") {
				t.Errorf("%v", err)
			}
			if err := artifact.Destroy(); err != nil {
				t.Errorf("Destroy: %v", err)
			}
			_, _, _, err = processor(t, protobuf, minimal).PostProcess(context.Background(), &screen{}, artifact)
			if err == nil || !strings.Contains(err.Error(), "is no image of this cloud") {
				t.Errorf("%v", err)
			}
		})
	})
}

// processor is the product's post-processor for a spec.
func processor(t *testing.T, protobuf bool, text string) packersdk.PostProcessor {
	t.Helper()
	p := start(t, "post-processor", "verify", protobuf, lab(t)...)
	processor := p.client.PostProcessor()
	given := map[string]cty.Value{"spec": cty.StringVal(written(t, text)), "runs": cty.StringVal(t.TempDir())}
	if err := processor.Configure(core(), options(processor.ConfigSpec(), given)); err != nil {
		t.Errorf("Configure: %v", err)
	}
	return processor
}

// sections is the minimal spec as a JSON template has it.
func sections() map[string]interface{} {
	return map[string]interface{}{
		"cloud": map[string]interface{}{"provider": "nhn", "region": "{{user `region`}}"},
		"base": map[string]interface{}{
			"image":   map[string]interface{}{"name": "Windows 2022 STD*EN*", "newest": "true"},
			"flavor":  "m2.c2m4",
			"network": "Default Network",
		},
		"software": map[string]interface{}{
			"registry": map[string]interface{}{
				"key":    "HKLM\\SOFTWARE\\Example",
				"values": map[string]interface{}{"Mode": map[string]interface{}{"dword": 1.0}},
			},
			"retries": "1",
		},
		"image": map[string]interface{}{"name": "old-{{isotime `20060102`}}", "properties": map[string]interface{}{"os_version": 2022.0}},
	}
}

func oldTemplate() map[string]interface{} {
	variables := oldCore()
	variables["packer_user_variables"] = map[string]string{"region": "KR1", "token": "canary-token"}
	variables["packer_sensitive_variables"] = []string{"token"}
	return variables
}

func TestProductTakesJSONTemplates(t *testing.T) {
	real(t)
	builder := start(t, "builder", standard, true).client.Builder()
	check := func(change func(map[string]interface{}), wanted string) {
		t.Helper()
		given := sections()
		change(given)
		_, warnings, err := builder.Prepare(given, oldTemplate())
		if wanted == "" && (err != nil || len(warnings) != 0) {
			t.Errorf("%v %v", warnings, err)
		}
		if wanted != "" && (err == nil || !strings.Contains(err.Error(), wanted)) {
			t.Errorf("%q is not in %v", wanted, err)
		}
		if err != nil && strings.Contains(err.Error(), "canary-token") {
			t.Errorf("a secret is shown: %v", err)
		}
	}
	within(t, "Prepare", func() {
		check(func(map[string]interface{}) {}, "")
		check(func(given map[string]interface{}) { given["imagee"] = 1.0 }, "unknown configuration key: '\"imagee\"', did you mean \"image\"?")
		check(func(given map[string]interface{}) { delete(given["base"].(map[string]interface{}), "flavor") }, "The argument \"base.flavor\" is required")
		check(func(given map[string]interface{}) {
			given["cloud"] = map[string]interface{}{"provider": "{{user `token`}}"}
		}, "is not possible here")
		check(func(given map[string]interface{}) {
			given["vars"] = map[string]interface{}{"a": "1"}
			given["description"] = "${b}"
		}, "`b`")
		if _, _, err := builder.Prepare(nil, oldTemplate()); err == nil || !strings.Contains(err.Error(), "spec = ") {
			t.Errorf("%v", err)
		}
		spec := written(t, minimal)
		if _, _, err := builder.Prepare(map[string]interface{}{"spec": spec}, oldTemplate()); err != nil {
			t.Errorf("%v", err)
		}
	})
}

func TestProductBuildsAJSONTemplate(t *testing.T) {
	real(t)
	builder := start(t, "builder", standard, true, lab(t)...).client.Builder()
	ui := &screen{}
	long(t, "Run", func() {
		given := sections()
		given["runs"] = t.TempDir()
		if _, _, err := builder.Prepare(given, oldTemplate()); err != nil {
			t.Fatal(err)
		}
		artifact, err := builder.Run(context.Background(), ui, &provisioners{})
		if err != nil {
			t.Fatalf("%v\n%s", err, ui.text())
		}
		if want := "old-" + time.Now().UTC().Format("20060102"); !strings.Contains(artifact.String(), want) {
			t.Errorf("%q is not in %s", want, artifact.String())
		}
		if err := artifact.Destroy(); err != nil {
			t.Error(err)
		}
	})
}
