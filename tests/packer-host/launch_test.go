package host

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestDescribe(t *testing.T) {
	description := describe(t)
	if description.APIVersion != "x5.0" || description.ProtocolVersion != "v2" {
		t.Errorf("%+v", description)
	}
	if !regexp.MustCompile(`^\d+\.\d+\.\d+(-dev)?(\+.*)?$`).MatchString(description.Version) {
		t.Errorf("version %q", description.Version)
	}
	if len(description.Builders) == 0 {
		t.Error("no builders")
	}
}

func TestDescribeNeedsNoCookieAndSaysNothingElse(t *testing.T) {
	command := exec.Command(binary(t), "describe")
	command.Env = []string{}
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Count(out, []byte("\n")) != 1 || !bytes.HasPrefix(out, []byte("{")) {
		t.Errorf("printed %q", out)
	}
}

func TestStartWithoutCookie(t *testing.T) {
	command := exec.Command(binary(t), "start", "builder", describe(t).Builders[0])
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err == nil {
		t.Error("it started")
	}
	if len(out) != 0 {
		t.Errorf("printed %q", out)
	}
	if stderr.Len() == 0 {
		t.Error("said nothing")
	}
}

func TestUnknownComponentIsSaidOnTheFirstLine(t *testing.T) {
	command := exec.Command(binary(t), "start", "builder", "no-such-thing")
	command.Env = cookie()
	out, err := command.Output()
	if err == nil {
		t.Error("it started")
	}
	line := strings.TrimSuffix(string(out), "\n")
	if !strings.Contains(line, "no-such-thing") || strings.ContainsAny(line, "|\n") {
		t.Errorf("printed %q", out)
	}
}

func TestSocketIsPrivateAndRemoved(t *testing.T) {
	folder := t.TempDir()
	p := start(t, "builder", describe(t).Builders[0], true, "TMPDIR="+folder)
	within(t, "ConfigSpec", func() { p.client.Builder().ConfigSpec() })
	left, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left %v %v", left, err)
	}
}

func TestLongTemporaryFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), strings.Repeat("long", 40))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	p := start(t, "builder", describe(t).Builders[0], true, "TMPDIR="+folder)
	if p.conn.RemoteAddr().Network() != "tcp" {
		t.Errorf("listens on %s", p.conn.RemoteAddr())
	}
	within(t, "ConfigSpec", func() { p.client.Builder().ConfigSpec() })
}

func TestEndsWithTheConnection(t *testing.T) {
	p := start(t, "builder", describe(t).Builders[0], true)
	within(t, "ConfigSpec", func() { p.client.Builder().ConfigSpec() })
	_ = p.conn.Close()
	if err := p.ends(t); err != nil {
		t.Errorf("ended with %v: %s", err, p.stderr)
	}
}

func TestSignalsAreIgnored(t *testing.T) {
	p := start(t, "builder", describe(t).Builders[0], true)
	within(t, "ConfigSpec", func() { p.client.Builder().ConfigSpec() })
	interrupt(p)
	time.Sleep(200 * time.Millisecond)
	within(t, "ConfigSpec", func() { p.client.Builder().ConfigSpec() })
}

func TestNothingIsSaidOnStderrByDefault(t *testing.T) {
	p := start(t, "builder", describe(t).Builders[0], true)
	within(t, "ConfigSpec", func() { p.client.Builder().ConfigSpec() })
	_ = p.conn.Close()
	_ = p.ends(t)
	if strings.Contains(p.stderr.String(), "panic") {
		t.Errorf("said %s", p.stderr)
	}
}
