//! The lock beside a spec: `web.reseal.yaml` has `web.reseal.lock`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use reseal_pipeline::lock::{FORMAT, Lock, Resolved, differences};

use crate::VERSION;

/// Where a spec's lock is.
pub fn path(spec: &Path) -> PathBuf {
    let name = spec
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let stem = name
        .strip_suffix(".yaml")
        .or_else(|| name.strip_suffix(".yml"))
        .unwrap_or(&name);
    let stem = stem.strip_suffix(".reseal").unwrap_or(stem);
    spec.with_file_name(format!("{stem}.reseal.lock"))
}

/// Reads a spec's lock; `None` when there is none.
///
/// # Errors
/// What the file system says, or that it is no lock, or a newer one.
pub fn read(spec: &Path) -> io::Result<Option<Lock>> {
    let path = path(spec);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let wrong = |why: String| io::Error::new(io::ErrorKind::InvalidData, format!("`{}`: {why}", path.display()));
    let lock: Lock = serde_yaml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    if lock.reseal_lock > FORMAT {
        return Err(wrong(format!(
            "format {} is newer than this program knows ({FORMAT})",
            lock.reseal_lock
        )));
    }
    Ok(Some(lock))
}

/// What is different from the lock, for one build; `None` when the build is not locked yet.
///
/// # Errors
/// See [`read`].
pub fn compare(spec: &Path, build: &str, now: &Resolved) -> io::Result<Option<Vec<String>>> {
    Ok(read(spec)?.and_then(|lock| lock.builds.get(build).map(|locked| differences(locked, now))))
}

/// Writes what one build resolved to, beside the spec's other builds.
///
/// # Errors
/// What the file system says.
pub fn write(spec: &Path, build: &str, resolved: &Resolved) -> io::Result<()> {
    let mut lock = read(spec)?.unwrap_or_else(|| Lock::new(VERSION));
    VERSION.clone_into(&mut lock.tool);
    lock.builds.insert(build.to_owned(), resolved.clone());
    let text = serde_yaml::to_string(&lock).map_err(io::Error::other)?;
    let head =
        "# Written by Reseal after a successful build; keep it in the repository. `-locked` refuses differences.\n";
    let path = path(spec);
    let beside = path.with_extension("lock.new");
    fs::write(&beside, format!("{head}{text}"))?;
    fs::rename(&beside, &path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_survives_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let spec = dir.path().join("web.reseal.yaml");
        let resolved = Resolved {
            base_id: "1".into(),
            base_name: "윈도우".into(),
            ..Resolved::default()
        };
        assert_eq!(compare(&spec, "web", &resolved).unwrap(), None);
        write(&spec, "web", &resolved).unwrap();
        assert!(dir.path().join("web.reseal.lock").exists());
        assert_eq!(compare(&spec, "web", &resolved).unwrap(), Some(vec![]));
        let other = Resolved {
            base_id: "2".into(),
            ..resolved
        };
        assert_eq!(compare(&spec, "web", &other).unwrap().unwrap().len(), 1);
    }

    #[test]
    fn a_newer_lock_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let spec = dir.path().join("web.reseal.yaml");
        fs::write(path(&spec), "reseal_lock: 2\ntool: '9'\nbuilds: {}\n").unwrap();
        assert!(read(&spec).unwrap_err().to_string().contains("newer"));
    }
}
