//! `reseal-manifest.json`, in the shape of Packer's manifest post-processor.

use std::fs;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::ending::Ending;

/// The file's name in the run's folder.
pub(super) const NAME: &str = "reseal-manifest.json";

/// Adds the build to the manifest at `path`; other builds' entries stay.
pub(super) fn add(path: &Path, ending: &Ending, fingerprint: &str, now: Timestamp) -> io::Result<()> {
    let wrong = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let mut manifest: Map<String, Value> = match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| wrong(format!("it is no manifest: {error}")))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Map::new(),
        Err(error) => return Err(error),
    };
    let builds = manifest.entry("builds").or_insert_with(|| json!([]));
    let builds = builds.as_array_mut();
    let builds = builds.ok_or_else(|| wrong("its `builds` is no list".to_owned()))?;
    builds.push(entry(ending, fingerprint, now));
    manifest.insert("last_run_uuid".to_owned(), json!(ending.build));
    let mut text = serde_json::to_vec_pretty(&manifest)?;
    text.push(b'\n');
    // Beside it and renamed: nobody reads half a manifest.
    let beside = path.with_extension("json.new");
    fs::write(&beside, text)?;
    fs::rename(&beside, path)
}

fn entry(ending: &Ending, fingerprint: &str, now: Timestamp) -> Value {
    let image = ending.image.as_ref();
    json!({
        "name": ending.name,
        "builder_type": "reseal",
        "build_time": now.as_second(),
        "files": null,
        "artifact_id": image.map(|image| image.id.as_str()).unwrap_or_default(),
        "packer_run_uuid": ending.build,
        "custom_data": {
            "image_name": image.map(|image| image.name.as_str()).unwrap_or_default(),
            "fingerprint": fingerprint,
            "seconds": ending.duration.as_secs().to_string(),
        },
    })
}
