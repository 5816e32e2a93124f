//! Finds the logs: in files, in folders, in zip files, on standard input. Everything is bounded.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::decode;

/// So much of one log is read; what is cut off of a file is its beginning, because the last run decides.
const ONE: u64 = 64 * 1024 * 1024;
/// So much of all logs together.
const ALL: u64 = 256 * 1024 * 1024;
/// So many files of a folder or an archive are looked at.
const LOOKED_AT: usize = 20_000;
/// So many logs are read.
const LOGS: usize = 64;
/// So deep a folder is walked.
const DEPTH: usize = 12;

/// A log that was read.
pub(super) struct LogFile {
    pub(super) name: String,
    pub(super) text: String,
}

/// All that was read, and what could not be.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) files: Vec<LogFile>,
    pub(super) notes: Vec<String>,
    read: u64,
}

/// Reads everything that the paths name.
pub(super) fn all(paths: &[&String]) -> Gathered {
    let mut gathered = Gathered::default();
    for path in paths {
        if let Err(error) = gathered.path(path) {
            gathered.notes.push(format!("cannot read `{path}`: {error}"));
        }
    }
    gathered
}

impl Gathered {
    fn path(&mut self, name: &str) -> io::Result<()> {
        if name == "-" {
            let mut stdin = io::stdin().lock();
            return self.stream("stdin", &mut stdin);
        }
        let path = Path::new(name);
        if path.is_dir() {
            let mut found = Vec::new();
            let mut left = LOOKED_AT;
            walk(path, DEPTH, &mut left, &mut found);
            if left == 0 {
                self.notes
                    .push(format!("`{name}` has too many files; the rest was not looked at"));
            }
            if found.is_empty() {
                self.notes.push(format!(
                    "`{name}` has no file that is called like a log of Windows (setupact.log, setuperr.log)"
                ));
            }
            found.sort();
            for path in found {
                let name = path.display().to_string();
                if let Err(error) = self.file(&name, &path) {
                    self.notes.push(format!("cannot read `{name}`: {error}"));
                }
            }
            return Ok(());
        }
        self.file(name, path)
    }

    /// The last run decides, so a file that is too long is read from where its end fits.
    fn file(&mut self, name: &str, path: &Path) -> io::Result<()> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        if length > ONE {
            let even = (length - ONE).next_multiple_of(2);
            file.seek(SeekFrom::Start(even))?;
            self.notes.push(format!(
                "`{name}` is very long; its beginning was not read, and lines are counted after it"
            ));
        }
        self.stream(name, &mut file)
    }

    /// Reads a log, or the logs of an archive, which is known by its first bytes.
    fn stream(&mut self, name: &str, from: &mut dyn Read) -> io::Result<()> {
        let bytes = self.bytes(name, from)?;
        if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
            return self.archive(name, bytes);
        }
        self.keep(name, &bytes);
        Ok(())
    }

    fn keep(&mut self, name: &str, bytes: &[u8]) {
        if self.files.len() < LOGS {
            let text = decode::text(bytes);
            if text.trim().is_empty() {
                self.notes.push(format!("`{name}` is empty"));
            } else if is_binary(&text) {
                self.notes.push(format!("`{name}` is no text"));
                return;
            }
            self.files.push(LogFile {
                name: name.to_owned(),
                text,
            });
        } else {
            self.notes
                .push(format!("`{name}` was not read: {LOGS} logs are enough"));
        }
    }

    fn bytes(&mut self, name: &str, from: &mut dyn Read) -> io::Result<Vec<u8>> {
        let most = ONE.min(ALL.saturating_sub(self.read));
        let mut bytes = Vec::new();
        from.take(most).read_to_end(&mut bytes)?;
        let read = u64::try_from(bytes.len()).unwrap_or(most);
        self.read += read;
        if read == most && !self.is_noted(name) {
            self.notes.push(format!("`{name}` is very long; its end was not read"));
        }
        Ok(bytes)
    }

    /// Whether it has been said already that not all was read.
    fn is_noted(&self, name: &str) -> bool {
        self.notes
            .last()
            .is_some_and(|note| note.starts_with(&format!("`{name}` is very long")))
    }

    /// What an entry says of its own size is not believed: reading stops at the limit.
    fn archive(&mut self, name: &str, bytes: Vec<u8>) -> io::Result<()> {
        let mut archive = ZipArchive::new(io::Cursor::new(bytes)).map_err(io::Error::other)?;
        for at in 0..archive.len().min(LOOKED_AT) {
            let mut entry = match archive.by_index(at) {
                Ok(entry) => entry,
                Err(error) => {
                    self.notes.push(format!("cannot read a file in `{name}`: {error}"));
                    continue;
                }
            };
            let inner = entry.name().map(|name| name.replace('\\', "/")).unwrap_or_default();
            if !entry.is_file() || !is_log(&inner) {
                continue;
            }
            let full = format!("{name}/{inner}");
            match self.bytes(&full, &mut entry) {
                Ok(bytes) => self.keep(&full, &bytes),
                Err(error) => self.notes.push(format!("cannot read `{full}`: {error}")),
            }
        }
        Ok(())
    }
}

/// Programs and archives have letters that no log has, many of them near their beginning. Zeros do not count: a log has
/// them where the power failed.
fn is_binary(text: &str) -> bool {
    let near = || text.chars().filter(|letter| *letter != '\0').take(4096);
    let odd = near().filter(|letter| letter.is_control() && !"\r\n\t".contains(*letter));
    odd.count() * 20 > near().count()
}

/// Logs that tell about sysprep, setup and servicing, by their names.
fn is_log(path: &str) -> bool {
    const NAMES: [&str; 11] = [
        "setupact",
        "setuperr",
        "cbs",
        "dism",
        "netsetup",
        "unattendgc",
        "setupcomplete",
        "sysprep",
        "setupapi.dev",
        "setupdiag",
        "cloudbase-init",
    ];
    let path = path.to_lowercase();
    let name = path.rsplit('/').next().unwrap_or(&path);
    let (_, ending) = name.rsplit_once('.').unwrap_or_default();
    let result = name == "setupdiagresults.xml";
    result || (matches!(ending, "log" | "txt") && NAMES.iter().any(|known| name.contains(known)))
}

/// Links are not followed: a folder could lead back to itself.
fn walk(folder: &Path, depth: usize, left: &mut usize, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if *left == 0 {
            return;
        }
        *left -= 1;
        let Ok(kind) = entry.file_type() else { continue };
        let path = entry.path();
        if kind.is_dir() && depth > 0 {
            walk(&path, depth - 1, left, found);
        } else if kind.is_file() && is_log(&path.to_string_lossy().replace('\\', "/")) {
            found.push(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    const ERROR: &str = "2026-05-06 14:40:35, Error SYSPRP x\r\n";

    fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(io::Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn folders_and_archives_give_their_logs_only() {
        let folder = tempfile::tempdir().unwrap();
        let panther = folder.path().join("Windows/Panther/UnattendGC");
        fs::create_dir_all(&panther).unwrap();
        fs::write(panther.join("setupact.log"), ERROR).unwrap();
        fs::write(panther.join("secrets.txt"), "no log").unwrap();
        let bytes = archive(&[("Panther\\setuperr.log", ERROR.as_bytes()), ("unattend.xml", b"<x/>")]);
        fs::write(folder.path().join("logs.zip"), bytes).unwrap();
        let root = folder.path().display().to_string();
        let gathered = all(&[&root]);
        assert_eq!(gathered.files.len(), 1);
        assert!(gathered.files.iter().all(|file| file.name.ends_with("setupact.log")));
        let gathered = all(&[&format!("{root}/logs.zip")]);
        let names: Vec<&str> = gathered.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, [format!("{root}/logs.zip/Panther/setuperr.log")]);
        assert_eq!(gathered.files.first().map(|file| file.text.as_str()), Some(ERROR));
    }

    #[test]
    fn a_bomb_is_cut_and_a_broken_archive_is_said() {
        let zeros = vec![b'0'; usize::try_from(ONE).unwrap() + 1024];
        let bytes = archive(&[("setupact.log", &zeros)]);
        assert!(bytes.len() < 1024 * 1024);
        let mut gathered = Gathered::default();
        gathered.archive("a.zip", bytes).unwrap();
        assert!(
            gathered.notes.iter().any(|note| note.contains("very long")),
            "{:?}",
            gathered.notes
        );
        assert!(gathered.read <= ONE);
        assert!(
            Gathered::default()
                .archive("b.zip", b"PK\x03\x04 torn".to_vec())
                .is_err()
        );
    }

    #[test]
    fn the_end_of_a_long_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("setupact.log");
        let mut file = File::create(&path).unwrap();
        file.set_len(ONE + 3).unwrap();
        file.seek(SeekFrom::End(0)).unwrap();
        file.write_all(ERROR.as_bytes()).unwrap();
        let gathered = all(&[&path.display().to_string()]);
        let text = gathered
            .files
            .first()
            .map(|file| file.text.trim_end())
            .unwrap_or_default();
        assert!(text.ends_with(ERROR.trim_end()));
        assert_eq!(gathered.notes.len(), 1, "{:?}", gathered.notes);
    }

    #[test]
    fn what_is_no_log_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let note = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            all(&[&path.display().to_string()]).notes.join("; ")
        };
        assert!(note("a.log", b"\r\n").ends_with("is empty"));
        assert!(note("b.log", &[1, 2, 3, 4, 5, 6, 7, 8]).ends_with("is no text"));
        assert_eq!(note("c.log", ERROR.as_bytes()), "");
        let nothing = all(&[&folder.path().join("..").join("nowhere").display().to_string()]).notes;
        assert_eq!(nothing.len(), 1);
        let empty = tempfile::tempdir().unwrap();
        let notes = all(&[&empty.path().display().to_string()]).notes.join("; ");
        assert!(notes.contains("no file that is called"), "{notes}");
    }

    #[test]
    fn what_is_not_there_is_said() {
        let gathered = all(&[&"/nowhere/at/all.log".to_owned()]);
        assert!(gathered.files.is_empty() && gathered.notes.len() == 1);
    }
}
