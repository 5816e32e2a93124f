package host

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/packer-plugin-sdk/plugin"
	"github.com/hashicorp/packer-plugin-sdk/rpc"
)

// patience bounds every wait of these tests.
const patience = 30 * time.Second

// binary is the plugin under test.
func binary(t *testing.T) string {
	t.Helper()
	path := os.Getenv("RESEAL_PACKER_PLUGIN")
	if path == "" {
		t.Skip("RESEAL_PACKER_PLUGIN names no plugin")
	}
	return path
}

// hello skips tests that know the example plugin's components when another plugin is under test.
func hello(t *testing.T) {
	t.Helper()
	if !contains(describe(t).Provisioners, "shout") {
		t.Skip("this is not the example plugin")
	}
}

func contains(list []string, text string) bool {
	for _, item := range list {
		if item == text {
			return true
		}
	}
	return false
}

func describe(t *testing.T) plugin.SetDescription {
	t.Helper()
	command := exec.Command(binary(t), "describe")
	out, err := command.Output()
	if err != nil {
		t.Fatalf("describe: %v", err)
	}
	var description plugin.SetDescription
	if err := json.Unmarshal(out, &description); err != nil {
		t.Fatalf("describe printed %q: %v", out, err)
	}
	return description
}

// generations runs a test once per protocol generation.
func generations(t *testing.T, test func(t *testing.T, protobuf bool)) {
	t.Helper()
	t.Run("gob", func(t *testing.T) { test(t, false) })
	t.Run("protobuf", func(t *testing.T) { test(t, true) })
}

// process is a started plugin.
type process struct {
	command *exec.Cmd
	client  *rpc.Client
	conn    net.Conn
	stderr  *bytes.Buffer
	ended   chan error
}

func cookie() []string {
	return append(os.Environ(),
		plugin.MagicCookieKey+"="+plugin.MagicCookieValue,
		"PACKER_PLUGIN_MIN_PORT=10000", "PACKER_PLUGIN_MAX_PORT=25000")
}

// start does what Packer does: starts the process, reads the first line, connects, opens stream 0.
func start(t *testing.T, kind, name string, protobuf bool, environment ...string) *process {
	t.Helper()
	arguments := []string{"start", kind}
	if protobuf {
		arguments = append(arguments, "--protobuf")
	}
	command := exec.Command(binary(t), append(arguments, name)...)
	command.Env = append(cookie(), environment...)
	p := &process{command: command, stderr: &bytes.Buffer{}, ended: make(chan error, 1)}
	command.Stderr = p.stderr
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.stop(t) })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("no handshake: %v: %s", err, p.stderr)
	}
	go func() { p.ended <- command.Wait() }()
	parts := strings.Split(strings.TrimSpace(line), "|")
	if len(parts) != 4 || parts[0] != plugin.APIVersionMajor || parts[1] != plugin.APIVersionMinor {
		t.Fatalf("handshake %q", line)
	}
	conn, err := net.DialTimeout(parts[2], parts[3], patience)
	if err != nil {
		t.Fatal(err)
	}
	p.conn = conn
	p.client, err = rpc.NewClient(record(t, conn))
	if err != nil {
		t.Fatal(err)
	}
	p.client.UseProto = protobuf
	return p
}

// stop ends the process the way Packer does, without a word.
func (p *process) stop(t *testing.T) {
	_ = p.command.Process.Kill()
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Error("the plugin does not end")
	}
}

// ends waits for the process to end by itself.
func (p *process) ends(t *testing.T) error {
	t.Helper()
	select {
	case err := <-p.ended:
		p.ended <- err
		return err
	case <-time.After(patience):
		t.Fatal("the plugin did not end")
		return nil
	}
}

// transcript writes down both directions of a connection, for the tests of the plugin's own library:
// one line per piece, `>` for what the host sends.
type transcript struct {
	net.Conn
	mutex sync.Mutex
	file  io.WriteCloser
}

func record(t *testing.T, conn net.Conn) net.Conn {
	folder := os.Getenv("RESEAL_PACKER_RECORD")
	if folder == "" {
		return conn
	}
	name := strings.NewReplacer("/", "-", "Test", "").Replace(t.Name())
	file, err := os.Create(filepath.Join(folder, strings.ToLower(name)+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	return &transcript{Conn: conn, file: file}
}

// scale makes transfers many windows long, and transcripts readable.
func scale() int {
	if os.Getenv("RESEAL_PACKER_RECORD") != "" {
		return 1
	}
	return 10_000
}

func (r *transcript) note(direction string, bytes []byte) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	fmt.Fprintf(r.file, "%s %s\n", direction, hex.EncodeToString(bytes))
}

func (r *transcript) Read(bytes []byte) (int, error) {
	count, err := r.Conn.Read(bytes)
	if count > 0 {
		r.note("<", bytes[:count])
	}
	return count, err
}

func (r *transcript) Write(bytes []byte) (int, error) {
	r.note(">", bytes)
	return r.Conn.Write(bytes)
}

// within fails a test whose step takes too long.
func within(t *testing.T, what string, step func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		step()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("%s takes too long", what)
	}
}

func interrupt(p *process) {
	_ = p.command.Process.Signal(syscall.SIGINT)
	_ = p.command.Process.Signal(syscall.SIGTERM)
}
