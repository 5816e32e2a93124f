package host

import (
	"bytes"
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2/hcldec"
	packersdk "github.com/hashicorp/packer-plugin-sdk/packer"
	"github.com/zclconf/go-cty/cty"
)

// screen is a Ui that remembers.
type screen struct {
	mutex    sync.Mutex
	lines    []string
	answer   string
	progress int64
}

func (s *screen) note(kind, text string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.lines = append(s.lines, kind+": "+text)
}

func (s *screen) text() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return strings.Join(s.lines, "\n")
}

func (s *screen) sees(t *testing.T, line string) {
	t.Helper()
	if !strings.Contains(s.text(), line) {
		t.Errorf("%q was not shown, but\n%s", line, s.text())
	}
}

func (s *screen) Askf(query string, args ...any) (string, error) { return s.Ask(query) }
func (s *screen) Ask(query string) (string, error) {
	s.note("ask", query)
	if s.answer == "" {
		return "", errors.New("no available tty")
	}
	return s.answer, nil
}
func (s *screen) Sayf(message string, args ...any)   { s.Say(message) }
func (s *screen) Say(message string)                 { s.note("say", message) }
func (s *screen) Message(message string)             { s.note("message", message) }
func (s *screen) Errorf(message string, args ...any) { s.Error(message) }
func (s *screen) Error(message string)               { s.note("error", message) }
func (s *screen) Machine(category string, args ...string) {
	s.note("machine", category+" "+strings.Join(args, ","))
}
func (s *screen) TrackProgress(src string, current, total int64, stream io.ReadCloser) io.ReadCloser {
	s.note("track", src)
	return &counted{stream, s}
}

type counted struct {
	io.ReadCloser
	screen *screen
}

func (c *counted) Read(bytes []byte) (int, error) {
	count, err := c.ReadCloser.Read(bytes)
	c.screen.mutex.Lock()
	c.screen.progress += int64(count)
	c.screen.mutex.Unlock()
	return count, err
}

// provisioners is a Hook.
type provisioners struct {
	run func(ctx context.Context, name string, ui packersdk.Ui, comm packersdk.Communicator, data interface{}) error
}

func (p *provisioners) Run(ctx context.Context, name string, ui packersdk.Ui, comm packersdk.Communicator, data interface{}) error {
	if p.run == nil {
		return nil
	}
	return p.run(ctx, name, ui, comm, data)
}

// core is the first configuration of every template.
func core() map[string]interface{} {
	return map[string]interface{}{
		"packer_build_name":          "w",
		"packer_builder_type":        "hello-image",
		"packer_core_version":        "1.16.0",
		"packer_debug":               "false",
		"packer_force":               "false",
		"packer_on_error":            "",
		"packer_sensitive_variables": []string{},
	}
}

// options is what Packer makes of a source block: every attribute of the spec, null where the user wrote nothing.
func options(spec hcldec.ObjectSpec, given map[string]cty.Value) cty.Value {
	value := map[string]cty.Value{}
	for name, kind := range hcldec.ImpliedType(spec).AttributeTypes() {
		if kind.IsListType() && kind.ElementType().IsObjectType() {
			value[name] = cty.ListValEmpty(kind.ElementType())
		} else {
			value[name] = cty.NullVal(kind)
		}
	}
	for name, given := range given {
		value[name] = given
	}
	return cty.ObjectVal(value)
}

// prepared is a builder of the example plugin that greets `name`.
func prepared(t *testing.T, protobuf bool, name string) (*process, packersdk.Builder) {
	t.Helper()
	p := start(t, "builder", "image", protobuf)
	builder := p.client.Builder()
	within(t, "Prepare", func() {
		given := options(builder.ConfigSpec(), map[string]cty.Value{"name": cty.StringVal(name)})
		vars, warnings, err := builder.Prepare(core(), given)
		if err != nil || len(warnings) != 0 || !reflect.DeepEqual(vars, []string{"Greeting"}) {
			t.Errorf("Prepare: %v %v %v", vars, warnings, err)
		}
	})
	return p, builder
}

func TestEveryConfigSpecDecodes(t *testing.T) {
	description := describe(t)
	generations(t, func(t *testing.T, protobuf bool) {
		for _, name := range description.Builders {
			p := start(t, "builder", name, protobuf)
			within(t, name, func() { hcldec.ImpliedType(p.client.Builder().ConfigSpec()) })
		}
		for _, name := range description.Provisioners {
			p := start(t, "provisioner", name, protobuf)
			within(t, name, func() { hcldec.ImpliedType(p.client.Provisioner().ConfigSpec()) })
		}
		for _, name := range description.PostProcessors {
			p := start(t, "post-processor", name, protobuf)
			within(t, name, func() { hcldec.ImpliedType(p.client.PostProcessor().ConfigSpec()) })
		}
		for _, name := range description.Datasources {
			p := start(t, "datasource", name, protobuf)
			within(t, name, func() {
				hcldec.ImpliedType(p.client.Datasource().ConfigSpec())
				hcldec.ImpliedType(p.client.Datasource().OutputSpec())
			})
		}
	})
}

// Whatever a plugin thinks of a template that says nothing, it says so and goes on.
func TestNothingIsConfigured(t *testing.T) {
	description := describe(t)
	generations(t, func(t *testing.T, protobuf bool) {
		for _, name := range description.Builders {
			builder := start(t, "builder", name, protobuf).client.Builder()
			within(t, name, func() {
				spec := builder.ConfigSpec()
				_, _, err := builder.Prepare(core(), options(spec, nil))
				t.Logf("builder %s: %v", name, err)
				builder.ConfigSpec()
			})
		}
		for _, name := range description.Provisioners {
			provisioner := start(t, "provisioner", name, protobuf).client.Provisioner()
			within(t, name, func() {
				err := provisioner.Prepare(core(), options(provisioner.ConfigSpec(), nil), nil)
				t.Logf("provisioner %s: %v", name, err)
				provisioner.ConfigSpec()
			})
		}
		for _, name := range description.PostProcessors {
			processor := start(t, "post-processor", name, protobuf).client.PostProcessor()
			within(t, name, func() {
				err := processor.Configure(core(), options(processor.ConfigSpec(), nil))
				t.Logf("post-processor %s: %v", name, err)
				processor.ConfigSpec()
			})
		}
		for _, name := range description.Datasources {
			source := start(t, "datasource", name, protobuf).client.Datasource()
			within(t, name, func() {
				err := source.Configure(options(source.ConfigSpec(), nil))
				t.Logf("data source %s: %v", name, err)
				source.OutputSpec()
			})
		}
	})
}

func TestConfigSpec(t *testing.T) {
	hello(t)
	disk := hcldec.ObjectSpec{
		"size": &hcldec.AttrSpec{Name: "size", Type: cty.Number, Required: true},
		"fast": &hcldec.AttrSpec{Name: "fast", Type: cty.Bool},
	}
	network := hcldec.ObjectSpec{"id": &hcldec.AttrSpec{Name: "id", Type: cty.String, Required: true}}
	generations(t, func(t *testing.T, protobuf bool) {
		var nestedNetwork, nestedDisk hcldec.Spec = network, disk
		if protobuf {
			nestedNetwork, nestedDisk = &network, &disk
		}
		want := hcldec.ObjectSpec{
			"name":    &hcldec.AttrSpec{Name: "name", Type: cty.String, Required: true},
			"ports":   &hcldec.AttrSpec{Name: "ports", Type: cty.List(cty.Number)},
			"labels":  &hcldec.AttrSpec{Name: "labels", Type: cty.Map(cty.String)},
			"network": &hcldec.BlockSpec{TypeName: "network", Nested: nestedNetwork},
			"disk":    &hcldec.BlockListSpec{TypeName: "disk", Nested: nestedDisk},
		}
		p := start(t, "builder", "image", protobuf)
		within(t, "ConfigSpec", func() {
			for range 2 {
				if got := p.client.Builder().ConfigSpec(); !reflect.DeepEqual(got, want) {
					t.Errorf("got %#v", got)
				}
			}
		})
	})
}

func TestPrepareRefuses(t *testing.T) {
	hello(t)
	p := start(t, "builder", "image", true)
	builder := p.client.Builder()
	within(t, "Prepare", func() {
		spec := builder.ConfigSpec()
		_, _, err := builder.Prepare(core(), options(spec, map[string]cty.Value{"name": cty.StringVal("")}))
		if err == nil || err.Error() != "2 error(s) occurred:\n\n* `name` must not be empty\n* nobody can be greeted" {
			t.Errorf("%v", err)
		}
		_, warnings, err := builder.Prepare(core(), options(spec, map[string]cty.Value{"name": cty.StringVal("<unknown>")}))
		if err != nil || len(warnings) != 1 {
			t.Errorf("%v %v", warnings, err)
		}
	})
}

func TestRun(t *testing.T) {
	hello(t)
	generations(t, func(t *testing.T, protobuf bool) {
		_, builder := prepared(t, protobuf, "World")
		ui := &screen{answer: "yes"}
		hook := &provisioners{run: func(_ context.Context, name string, ui packersdk.Ui, comm packersdk.Communicator, data interface{}) error {
			if name != "packer_provision" {
				t.Errorf("hook %s", name)
			}
			flat(t, data)
			ui.Say("provisioning")
			ui.Message("\xb0\xa1 is not UTF-8")
			ui.Error("careful")
			ui.Machine("progress", "1", "2")
			if answer, err := ui.Ask("sure?"); answer != "yes" || err != nil {
				t.Errorf("answered %q %v", answer, err)
			}
			return conversation(t, ui, comm)
		}}
		within(t, "Run", func() {
			artifact, err := builder.Run(context.Background(), ui, hook)
			if err != nil {
				t.Fatalf("Run: %v", err)
			}
			card(t, artifact)
		})
		want := "say: Hello, World!\nsay: provisioning\nmessage: \xb0\xa1 is not UTF-8\nerror: careful\nmachine: progress 1,2\nask: sure?"
		if !strings.HasPrefix(ui.text(), want) {
			t.Errorf("shown:\n%s", ui.text())
		}
	})
}

func flat(t *testing.T, data interface{}) {
	t.Helper()
	all, ok := data.(map[interface{}]interface{})
	if !ok {
		t.Fatalf("data is a %T", data)
	}
	for _, key := range []string{
		"ID", "Host", "Port", "User", "Password", "ConnType", "PackerRunUUID", "PackerHTTPPort", "PackerHTTPIP",
		"PackerHTTPAddr", "SSHPublicKey", "SSHPrivateKey", "WinRMPassword", "Greeting",
	} {
		switch all[key].(type) {
		case string, int64, bool:
		default:
			t.Errorf("%s is a %T", key, all[key])
		}
	}
	if all["Port"] != int64(5986) {
		t.Errorf("Port is %v", all["Port"])
	}
}

// conversation uses everything that a communicator has.
func conversation(t *testing.T, ui packersdk.Ui, comm packersdk.Communicator) error {
	ctx := context.Background()
	run := func(line, input string) (string, string, int) {
		var stdout, stderr bytes.Buffer
		command := &packersdk.RemoteCmd{Command: line, Stdout: &stdout, Stderr: &stderr}
		if input != "" {
			command.Stdin = strings.NewReader(input)
		}
		if err := comm.Start(ctx, command); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		status := command.Wait()
		return stdout.String(), stderr.String(), status
	}
	if out, _, status := run("echo hi there", ""); out != "hi there\n" || status != 0 {
		t.Errorf("echo: %q %d", out, status)
	}
	if _, err, _ := run("warn me", ""); err != "me" {
		t.Errorf("warn: %q", err)
	}
	for _, want := range []int{0, 1, 63, 64, 128, 259, 1603, 65535, 2300218, -1, -1073741510} {
		if _, _, status := run("exit "+itoa(want), ""); status != want {
			t.Errorf("exit %d: %d", want, status)
		}
	}
	input := strings.Repeat("0123456789", 30*scale())
	if out, _, _ := run("cat", input); out != input {
		t.Errorf("cat gave %d of %d bytes", len(out), len(input))
	}
	if out, _, _ := run("fill "+itoa(500*scale()), ""); len(out) != 500*scale() {
		t.Errorf("fill gave %d bytes", len(out))
	}
	if err := comm.Start(ctx, &packersdk.RemoteCmd{Command: "lose"}); err == nil || err.Error() != "the machine is gone" {
		t.Errorf("lose: %v", err)
	}
	files(t, comm)
	tracked := ui.TrackProgress("a.b/c d", 0, 7, io.NopCloser(strings.NewReader("seven!!")))
	if all, err := io.ReadAll(tracked); string(all) != "seven!!" || err != nil {
		t.Errorf("tracked %q %v", all, err)
	}
	_ = tracked.Close()
	var together sync.WaitGroup
	for at := range 8 {
		together.Add(1)
		go func() {
			defer together.Done()
			if out, _, _ := run("echo "+itoa(at), ""); out != itoa(at)+"\n" {
				t.Errorf("echo %d: %q", at, out)
			}
		}()
	}
	together.Wait()
	return nil
}

func files(t *testing.T, comm packersdk.Communicator) {
	big := bytes.Repeat([]byte{0, 1, 2, 3, 250}, 100*scale())
	for name, content := range map[string][]byte{"C:/empty": {}, "C:/small": []byte("abc"), "C:/big": big} {
		if err := comm.Upload(name, bytes.NewReader(content), nil); err != nil {
			t.Errorf("upload: %v", err)
		}
		var back bytes.Buffer
		if err := comm.Download(name, &back); err != nil || !bytes.Equal(back.Bytes(), content) {
			t.Errorf("download: %d of %d bytes, %v", back.Len(), len(content), err)
		}
	}
	if err := comm.Upload("refused", bytes.NewReader(big), nil); err == nil || err.Error() != "this place is full" {
		t.Errorf("refused: %v", err)
	}
	if err := comm.Download("nowhere", io.Discard); err == nil || err.Error() != "there is no nowhere" {
		t.Errorf("nowhere: %v", err)
	}
	if err := comm.UploadDir("C:/d", "/s", []string{"a", "b"}); err != nil {
		t.Errorf("folder: %v", err)
	}
	var listing bytes.Buffer
	if err := comm.Download("C:/d", &listing); err != nil || listing.String() != "/s without a,b" {
		t.Errorf("folder: %q %v", listing.String(), err)
	}
	if err := comm.DownloadDir("C:/d", "/s", nil); err == nil || err.Error() != "this machine has no folders" {
		t.Errorf("folder: %v", err)
	}
}

func card(t *testing.T, artifact packersdk.Artifact) {
	if id := artifact.Id(); id != "card-World" {
		t.Errorf("id %q", id)
	}
	if id := artifact.BuilderId(); id != "hello.image" {
		t.Errorf("builder id %q", id)
	}
	if files := artifact.Files(); len(files) != 0 {
		t.Errorf("files %v", files)
	}
	if text := artifact.String(); text != "A card for World was written" {
		t.Errorf("text %q", text)
	}
	flat(t, artifact.State("generated_data"))
	metadata, ok := artifact.State("par.artifact.metadata").(map[interface{}]interface{})
	if !ok || metadata["ImageID"] != "card-World" || metadata["ProviderName"] != "hello" {
		t.Errorf("metadata %v", metadata)
	}
	if state := artifact.State("anything"); state != nil {
		t.Errorf("state %v", state)
	}
	if err := artifact.Destroy(); err != nil {
		t.Errorf("destroy: %v", err)
	}
}

func TestDestroyFailsAndTheArtifactAnswersStill(t *testing.T) {
	hello(t)
	_, builder := prepared(t, true, "stuck")
	within(t, "Run", func() {
		artifact, err := builder.Run(context.Background(), &screen{}, &provisioners{})
		if err != nil {
			t.Fatal(err)
		}
		if err := artifact.Destroy(); err == nil || err.Error() != "the card sticks to the wall" {
			t.Errorf("destroy: %v", err)
		}
		if id := artifact.Id(); id != "card-stuck" {
			t.Errorf("id %q", id)
		}
	})
}

func TestRunFails(t *testing.T) {
	hello(t)
	_, builder := prepared(t, true, "fail")
	within(t, "Run", func() {
		artifact, err := builder.Run(context.Background(), &screen{}, &provisioners{})
		if artifact != nil || err == nil || err.Error() != "greetings are out" {
			t.Errorf("%v %v", artifact, err)
		}
	})
}

func TestRunLeavesNothing(t *testing.T) {
	hello(t)
	_, builder := prepared(t, true, "nobody")
	within(t, "Run", func() {
		if artifact, err := builder.Run(context.Background(), &screen{}, &provisioners{}); artifact != nil || err != nil {
			t.Errorf("%v %v", artifact, err)
		}
	})
}

func TestProvisioningFails(t *testing.T) {
	hello(t)
	_, builder := prepared(t, true, "World")
	hook := &provisioners{run: func(context.Context, string, packersdk.Ui, packersdk.Communicator, interface{}) error {
		return errors.New("prov failed")
	}}
	within(t, "Run", func() {
		artifact, err := builder.Run(context.Background(), &screen{}, hook)
		if artifact != nil || err == nil || err.Error() != "prov failed" {
			t.Errorf("%v %v", artifact, err)
		}
	})
}

func TestCancelWhileBuilding(t *testing.T) {
	hello(t)
	_, builder := prepared(t, true, "wait")
	ctx, cancel := context.WithCancel(context.Background())
	ui := &screen{}
	go func() {
		time.Sleep(100 * time.Millisecond)
		cancel()
	}()
	within(t, "Run", func() {
		_, err := builder.Run(ctx, ui, &provisioners{})
		if err == nil || err.Error() != "Build was cancelled." {
			t.Errorf("%v", err)
		}
	})
	ui.sees(t, "say: Goodbye.")
}

func TestCancelWhileProvisioning(t *testing.T) {
	hello(t)
	_, builder := prepared(t, true, "World")
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	hook := &provisioners{run: func(inner context.Context, _ string, _ packersdk.Ui, comm packersdk.Communicator, _ interface{}) error {
		defer close(stopped)
		go func() { _ = comm.Start(context.Background(), &packersdk.RemoteCmd{Command: "hang"}) }()
		time.Sleep(100 * time.Millisecond)
		cancel()
		<-inner.Done()
		return inner.Err()
	}}
	within(t, "Run", func() {
		if _, err := builder.Run(ctx, &screen{}, hook); err == nil || err.Error() != "cancelled" {
			t.Errorf("%v", err)
		}
		<-stopped
	})
}

func TestPackerIsGoneWhileBuilding(t *testing.T) {
	hello(t)
	p, builder := prepared(t, true, "wait")
	go func() { _, _ = builder.Run(context.Background(), &screen{}, &provisioners{}) }()
	time.Sleep(100 * time.Millisecond)
	_ = p.conn.Close()
	if err := p.ends(t); err != nil {
		t.Errorf("ended with %v: %s", err, p.stderr)
	}
}
