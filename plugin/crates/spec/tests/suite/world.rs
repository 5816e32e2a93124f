//! What the tests have in common: files on disk, files in memory, ordinary inputs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use reseal_diag::{Look, SourceText, render_all};
use reseal_spec::{BuildInfo, Files, Inputs, Loaded, load};

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

/// All files with this ending in a folder, by name.
pub(crate) fn files_in(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.to_string_lossy().ends_with(ending));
    files.sort();
    assert!(!files.is_empty(), "nothing in {folder}");
    files
}

/// A folder on disk.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Files for Folder {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(self.0.join(path)).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            kind => kind.to_string(),
        })
    }

    fn exists(&self, path: &str) -> bool {
        self.0.join(path).exists()
    }
}

/// Files in memory.
#[derive(Default)]
pub(crate) struct Memory(pub(crate) BTreeMap<&'static str, &'static str>);

impl Files for Memory {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let text = self.0.get(path).ok_or("there is no such file")?;
        Ok(text.as_bytes().to_vec())
    }

    fn exists(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }
}

/// Inputs without values from outside.
pub(crate) fn inputs(files: &dyn Files) -> Inputs<'_> {
    let build = BuildInfo {
        id: "0199ab".to_owned(),
        date: "20261123".to_owned(),
        time: "101500".to_owned(),
    };
    Inputs {
        files,
        vars: Vec::new(),
        var_files: Vec::new(),
        environment: Vec::new(),
        build,
    }
}

/// Loads a file of the repository.
pub(crate) fn load_file(path: &Path) -> Loaded {
    let text = std::fs::read_to_string(path).unwrap();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let folder = Folder(path.parent().unwrap().to_owned());
    load(&SourceText::new(name, text), &inputs(&folder))
}

/// All complaints as a person sees them.
pub(crate) fn rendered(loaded: &Loaded) -> String {
    render_all(&loaded.diagnostics, Look::Plain)
}
