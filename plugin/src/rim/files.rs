//! The runner's files, seen from a spec's folder.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use reseal_machine::BuildId;
use reseal_machine::communicator::{Blob, Store};
use reseal_pipeline::facts::FileFact;
use reseal_pipeline::world::{Found, LocalFiles};
use sha2::{Digest as _, Sha256};

use crate::scrub::{Scrubbed, Scrubber};

/// Files relative to the folder of a spec; logs go to the folder of a run.
#[derive(Clone)]
pub struct SpecFolder {
    folder: PathBuf,
    runs: PathBuf,
    scrubber: Scrubber,
}

impl SpecFolder {
    /// The folder that `spec` is in.
    pub fn of(spec: &Path, runs: &Path, scrubber: Scrubber) -> Self {
        let folder = spec.parent().unwrap_or(Path::new("")).to_owned();
        Self {
            folder,
            runs: runs.to_owned(),
            scrubber,
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    /// Size and hash of a local file, or of all files of a folder.
    ///
    /// # Errors
    /// What the file system says.
    pub fn measure(&self, path: &str) -> io::Result<FileFact> {
        match self.walk(path)? {
            None => {
                let (size, sha256) = hash(&self.path(path))?;
                Ok(FileFact::File { size, sha256 })
            }
            Some(files) => {
                let one = |found: Found| Ok((found.path.clone(), hash(&self.path(path).join(&found.path))?));
                Ok(FileFact::Folder(
                    files.into_iter().map(one).collect::<io::Result<BTreeMap<_, _>>>()?,
                ))
            }
        }
    }
}

fn hash(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 128 * 1024];
    let mut size = 0;
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok((size, hex::encode(hash.finalize())));
        }
        hash.update(buffer.get(..count).unwrap_or_default());
        size += u64::try_from(count).unwrap_or_default();
    }
}

impl reseal_spec::Files for SpecFolder {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        fs::read(self.path(path)).map_err(|error| error.to_string())
    }

    fn exists(&self, path: &str) -> bool {
        self.path(path).exists()
    }
}

impl LocalFiles for SpecFolder {
    fn blob(&self, path: &str) -> io::Result<Arc<dyn Blob>> {
        Ok(Arc::new(FileBlob::new(path, File::open(self.path(path))?)?))
    }

    fn walk(&self, path: &str) -> io::Result<Option<Vec<Found>>> {
        walk(&self.path(path))
    }

    fn log(&self, build: &BuildId, name: &str) -> io::Result<Box<dyn Store>> {
        let path = self.runs.join(build.as_str()).join("logs").join(safe(name));
        fs::create_dir_all(path.parent().unwrap_or(Path::new("")))?;
        Ok(Box::new(FileStore(Scrubbed::new(
            self.scrubber.clone(),
            File::create(path)?,
        ))))
    }
}

/// All files below a folder, sorted; `None` when it is no folder.
///
/// # Errors
/// What the file system says.
pub fn walk(root: &Path) -> io::Result<Option<Vec<Found>>> {
    if !fs::metadata(root)?.is_dir() {
        return Ok(None);
    }
    let mut found = Vec::new();
    collect(root, "", &mut found)?;
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Some(found))
}

/// A relative path whose parts cannot leave the folder.
fn safe(name: &str) -> PathBuf {
    let parts = name
        .split(['/', '\\'])
        .filter(|part| !part.is_empty() && *part != "." && *part != "..");
    parts.map(|part| part.replace(':', "_")).collect()
}

fn collect(folder: &Path, prefix: &str, found: &mut Vec<Found>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name
            .to_str()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a file name is no Unicode"))?;
        let path = if prefix.is_empty() {
            name.to_owned()
        } else {
            format!("{prefix}/{name}")
        };
        let metadata = fs::metadata(entry.path())?;
        if metadata.is_dir() {
            collect(&entry.path(), &path, found)?;
        } else {
            found.push(Found {
                path,
                size: metadata.len(),
            });
        }
    }
    Ok(())
}

/// An open file that can be read at any place.
pub struct FileBlob {
    name: String,
    length: u64,
    file: Mutex<File>,
}

impl FileBlob {
    /// Reads an open file; `name` is what messages call it.
    ///
    /// # Errors
    /// What the file system says.
    pub fn new(name: impl Into<String>, file: File) -> io::Result<Self> {
        Ok(Self {
            name: name.into(),
            length: file.metadata()?.len(),
            file: Mutex::new(file),
        })
    }
}

impl Blob for FileBlob {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        use std::io::{Seek as _, SeekFrom};
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(offset))?;
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match file.read(rest)? {
                0 => break,
                count => done += count,
            }
        }
        Ok(done)
    }
}

struct FileStore(Scrubbed<File>);

impl Store for FileStore {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_cannot_write_outside_the_folder() {
        assert_eq!(safe("a/../../etc/passwd"), PathBuf::from("a/etc/passwd"));
        assert_eq!(safe(r"C:\x\..\y.log"), PathBuf::from("C_/x/y.log"));
    }

    #[test]
    fn a_file_can_be_read_at_any_place() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.bin"), b"0123456789").unwrap();
        let files = SpecFolder::of(&dir.path().join("x.yaml"), dir.path(), Scrubber::default());
        let blob = files.blob("a.bin").unwrap();
        let mut buffer = [0; 4];
        assert_eq!(blob.read_at(8, &mut buffer).unwrap(), 2);
        assert_eq!(blob.read_at(2, &mut buffer).unwrap(), 4);
        assert_eq!(&buffer, b"2345");
        assert!(matches!(
            files.measure("a.bin").unwrap(),
            FileFact::File { size: 10, .. }
        ));
    }
}
