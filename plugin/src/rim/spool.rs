//! The machine that Packer runs on, as its provisioners' transfers need it: spooled streams, folders, files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use glob::Pattern;
use reseal_machine::communicator::Blob;
use reseal_packer::{Local, LocalFile, Spool};

use super::files::{self, FileBlob};
use super::random;

/// The local disk; what is spooled goes to a folder for temporary files.
#[derive(Debug, Clone)]
pub struct Disk {
    temporary: PathBuf,
}

impl Disk {
    /// Spools into this folder.
    pub fn new(temporary: impl Into<PathBuf>) -> Self {
        Self {
            temporary: temporary.into(),
        }
    }

    /// Spools where the system has its temporary files.
    pub fn system() -> Self {
        Self::new(std::env::temp_dir())
    }
}

/// A path where the system has its temporary files.
pub fn temporary(name: &str) -> PathBuf {
    std::env::temp_dir().join(name)
}

impl Local for Disk {
    fn spool(&self, name: &str) -> io::Result<Box<dyn Spool>> {
        let path = self.temporary.join(format!("reseal-{}", random::id()));
        let file = private().write(true).create_new(true).open(&path)?;
        Ok(Box::new(Spooled {
            name: name.to_owned(),
            file,
            gone: Removed(path),
        }))
    }

    fn walk(&self, folder: &str, exclude: &[String]) -> io::Result<Vec<LocalFile>> {
        let root = Path::new(folder);
        let found = files::walk(root)?.ok_or_else(|| no_folder(folder))?;
        let wrong = |error: glob::PatternError| io::Error::new(io::ErrorKind::InvalidInput, error);
        let patterns: Vec<Pattern> = exclude
            .iter()
            .map(|text| Pattern::new(text))
            .collect::<Result<_, _>>()
            .map_err(wrong)?;
        let wanted = found
            .into_iter()
            .filter(|file| !patterns.iter().any(|pattern| pattern.matches(&file.path)));
        Ok(wanted
            .map(|file| LocalFile {
                path: root.join(&file.path).display().to_string(),
                relative: file.path,
            })
            .collect())
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn Blob>> {
        Ok(Box::new(FileBlob::new(path, File::open(path)?)?))
    }
}

fn no_folder(folder: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotADirectory, format!("`{folder}` is no folder"))
}

/// What is spooled may be secret: nobody else may read it.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}

struct Spooled {
    name: String,
    file: File,
    gone: Removed,
}

impl Spool for Spooled {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    fn finish(self: Box<Self>) -> io::Result<Box<dyn Blob>> {
        let Self { name, file, gone } = *self;
        drop(file);
        let blob = FileBlob::new(name, File::open(&gone.0)?)?;
        Ok(Box::new(Kept { blob, _gone: gone }))
    }
}

/// A spooled file, for as long as it is read.
struct Kept {
    blob: FileBlob,
    _gone: Removed,
}

impl Blob for Kept {
    fn name(&self) -> String {
        self.blob.name()
    }

    fn len(&self) -> u64 {
        self.blob.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.blob.read_at(offset, buffer)
    }
}

/// A path whose file goes when this is dropped.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        // A temporary file that cannot be removed is the system's to remove.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spooled_stream_can_be_read_twice_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::new(folder.path());
        let mut spool = disk.spool("C:/x").unwrap();
        spool.append(b"abc").unwrap();
        spool.append(b"def").unwrap();
        let blob = spool.finish().unwrap();
        let mut buffer = [0; 6];
        for _ in 0..2 {
            assert_eq!(blob.read_at(0, &mut buffer).unwrap(), 6);
            assert_eq!(&buffer, b"abcdef");
        }
        assert_eq!((blob.name().as_str(), blob.len()), ("C:/x", 6));
        drop(blob);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        drop(disk.spool("never finished").unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_is_walked_without_what_is_excluded() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        for name in ["a/1.txt", "a/2.log", "3.txt"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let disk = Disk::new(folder.path());
        let root = folder.path().display().to_string();
        let names = |exclude: &[String]| -> Vec<String> {
            let found = disk.walk(&root, exclude).unwrap();
            found.into_iter().map(|file| file.relative).collect()
        };
        assert_eq!(names(&[]), ["3.txt", "a/1.txt", "a/2.log"]);
        assert_eq!(names(&["*.log".to_owned()]), ["3.txt", "a/1.txt"]);
        assert!(disk.walk(&format!("{root}/3.txt"), &[]).is_err());
        assert!(disk.walk(&root, &["[".to_owned()]).is_err());
    }
}
