//! What the binary does as a whole: cold starts, a rehearsal, and its memory.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::row::Row;
use crate::cargo::{Done, root};
use crate::packer::release;

/// Measures one thing.
type Measure = fn() -> Done<Vec<Row>>;

/// The sections of this file.
pub(crate) const SECTIONS: &[(&str, Measure)] = &[("validate", validate), ("rehearse", rehearse), ("packer", packer)];

const EXAMPLE: &str = "examples/windows-2022-web.reseal.yaml";
const STARTS: usize = 21;
/// No section may hang a benchmark.
const LIMIT: Duration = Duration::from_mins(2);

/// Cold starts of `validate`: the middle of many.
fn validate() -> Done<Vec<Row>> {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        times.push(watch(&mut reseal(&["validate", EXAMPLE])?)?.took);
    }
    times.sort();
    let middle = times.get(STARTS / 2).copied().unwrap_or_default();
    let lines = fs::read_to_string(root().join(EXAMPLE)).map_or(0, |text| text.lines().count());
    let what = format!("validate a spec of {lines} lines, cold, middle of {STARTS}");
    Ok(vec![Row::new(what, milliseconds(middle), "ms").at_most(20.0)])
}

/// One whole rehearsal: time and memory.
fn rehearse() -> Done<Vec<Row>> {
    let runs = scratch()?;
    let folder = runs.to_string_lossy().into_owned();
    let seen = watch(&mut reseal(&["rehearse", EXAMPLE, "--runs", &folder])?);
    let _ = fs::remove_dir_all(&runs);
    let seen = seen?;
    let mut rows = vec![Row::new("rehearse the web server example", seen.took.as_secs_f64(), "s").at_most(5.0)];
    if let Some(peak) = seen.peak_mib {
        rows.push(Row::new("peak memory of that, lab included", peak, "MiB").at_most(30.0));
    }
    Ok(rows)
}

/// The plugin: how soon it has described itself, and what it takes while it waits.
fn packer() -> Done<Vec<Row>> {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        times.push(watch(&mut reseal(&["describe"])?)?.took);
    }
    times.sort();
    let middle = times.get(STARTS / 2).copied().unwrap_or_default();
    let what = format!("describe, middle of {STARTS}");
    let mut rows = vec![Row::new(what, milliseconds(middle), "ms").at_most(20.0)];
    rows.extend(idle()?.map(|mib| Row::new("memory of an idle builder", mib, "MiB").at_most(10.0)));
    Ok(rows)
}

/// Starts the builder as Packer does, waits for its first line, and looks.
fn idle() -> Done<Option<f64>> {
    const COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";
    let mut command = reseal(&["start", "builder", "--protobuf", "-packer-default-plugin-name-"])?;
    command.env("PACKER_PLUGIN_MAGIC_COOKIE", COOKIE).stdout(Stdio::piped());
    let mut child = command
        .spawn()
        .map_err(|error| format!("cannot start {command:?}: {error}"))?;
    let mut line = String::new();
    let read = child
        .stdout
        .take()
        .map(|stdout| BufReader::new(stdout).read_line(&mut line));
    let seen = peak(&child);
    let _ = child.kill();
    let _ = child.wait();
    match read {
        Some(Ok(1..)) if line.starts_with("5|0|") => Ok(seen),
        _ => Err(format!("the plugin did not begin: {line}")),
    }
}

/// What was seen of a finished process.
struct Seen {
    took: Duration,
    peak_mib: Option<f64>,
}

fn reseal(arguments: &[&str]) -> Done<Command> {
    let mut command = Command::new(release("reseal")?);
    command
        .args(arguments)
        .current_dir(root())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Ok(command)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn watch(command: &mut Command) -> Done<Seen> {
    let begun = Instant::now();
    let mut child = command
        .spawn()
        .map_err(|error| format!("cannot start {command:?}: {error}"))?;
    let mut peak_mib = None;
    loop {
        peak_mib = peak(&child).or(peak_mib);
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) if status.success() => break,
            Some(status) => return Err(format!("{command:?} ended with {status}")),
            None if begun.elapsed() > LIMIT => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("{command:?} did not end within {} s", LIMIT.as_secs()));
            }
            None => std::thread::sleep(Duration::from_micros(200)),
        }
    }
    Ok(Seen {
        took: begun.elapsed(),
        peak_mib,
    })
}

/// The most memory that the process had resident so far; only Linux tells.
fn peak(child: &Child) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

fn scratch() -> Done<PathBuf> {
    let folder = std::env::temp_dir().join(format!("reseal-bench-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|error| format!("cannot make `{}`: {error}", folder.display()))?;
    Ok(folder)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cargo::cargo;

    #[test]
    fn a_process_is_watched_to_its_end() {
        let seen = watch(cargo(["--version"]).stdout(Stdio::null())).unwrap();
        assert!(seen.took > Duration::ZERO && seen.took < LIMIT);
        if cfg!(target_os = "linux") {
            assert!(
                seen.peak_mib.is_some_and(|peak| peak > 0.1 && peak < 4096.0),
                "{:?}",
                seen.peak_mib
            );
        }
    }

    #[test]
    fn a_process_that_fails_is_no_measurement() {
        let mut command = cargo(["no-such-command-of-cargo"]);
        assert!(watch(command.stdout(Stdio::null()).stderr(Stdio::null())).is_err());
    }
}
