//! The few secrets that a resume needs: owner-only, beside the journal, removed when the build closes.
//!
//! The journal names them; this file has the values. INVARIANT: a secret is written here before it is used.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use secrecy::{ExposeSecret as _, SecretString};

/// Named secrets of one build.
#[derive(Debug)]
pub struct Keyring {
    path: PathBuf,
    secrets: Mutex<BTreeMap<String, SecretString>>,
}

impl Keyring {
    /// Reads the keyring at `path`; a missing file is an empty keyring.
    ///
    /// # Errors
    /// What the file system says, or [`io::ErrorKind::InvalidData`].
    pub fn open(path: &Path) -> io::Result<Self> {
        let secrets = match fs::read(path) {
            Ok(bytes) => parse(&bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        Ok(Self {
            path: path.to_owned(),
            secrets: Mutex::new(secrets),
        })
    }

    /// A secret by its name.
    pub fn get(&self, name: &str) -> Option<SecretString> {
        self.lock().get(name).cloned()
    }

    /// All values, for a scrubber of outputs.
    pub fn values(&self) -> Vec<SecretString> {
        self.lock().values().cloned().collect()
    }

    /// Keeps a secret, on disk before this returns.
    ///
    /// # Errors
    /// What the file system says.
    pub fn put(&self, name: &str, secret: SecretString) -> io::Result<()> {
        let mut secrets = self.lock();
        secrets.insert(name.to_owned(), secret);
        write(&self.path, &secrets)
    }

    /// Forgets everything and removes the file.
    ///
    /// # Errors
    /// What the file system says; a missing file is no error.
    pub fn remove(&self) -> io::Result<()> {
        self.lock().clear();
        // A crash between writing and renaming leaves the new file.
        forget(&beside(&self.path)).and(forget(&self.path))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, SecretString>> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn parse(bytes: &[u8]) -> io::Result<BTreeMap<String, SecretString>> {
    let plain: BTreeMap<String, String> =
        serde_json::from_slice(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not a keyring"))?;
    Ok(plain
        .into_iter()
        .map(|(name, value)| (name, SecretString::from(value)))
        .collect())
}

fn beside(path: &Path) -> PathBuf {
    path.with_extension("json.new")
}

fn forget(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes beside the file and renames, so that a crash leaves the old or the new keyring.
fn write(path: &Path, secrets: &BTreeMap<String, SecretString>) -> io::Result<()> {
    let plain: BTreeMap<&str, &str> = secrets
        .iter()
        .map(|(name, value)| (name.as_str(), value.expose_secret()))
        .collect();
    let beside = beside(path);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(&serde_json::to_vec(&plain)?)?;
    file.sync_data()?;
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_survive_the_process_and_nobody_else_reads_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keyring.json");
        Keyring::open(&path)
            .unwrap()
            .put("password", SecretString::from("canary"))
            .unwrap();
        let again = Keyring::open(&path).unwrap();
        assert_eq!(again.get("password").unwrap().expose_secret(), "canary");
        assert!(!format!("{again:?}").contains("canary"));
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
            assert_eq!(mode & 0o077, 0);
        }
        fs::write(dir.path().join("keyring.json.new"), "canary").unwrap();
        again.remove().unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
