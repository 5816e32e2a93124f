//! One build that follows from a spec.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Base, Cloud, CloudbaseInit, Connect, FileCopy, Generalize, Image, Limit, OnError, Unattend, Verify};
use crate::steps::Step;

/// One build: the spec with its variables filled in, for one combination of the matrix.
///
/// INVARIANT: no sensitive value is in any field but `secrets`. Strings inside `software`, `checks`, `unattend` and
/// `connect.winrm.username` are templates: a sensitive variable stands there as `${name}` and a literal `${` as
/// `$${`, until [`crate::template::reveal`] fills them in. All other strings are final.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The build's name: the spec's name and, with a matrix, its values (`win2022-web.2022-EN`).
    pub name: String,
    /// The spec's own name.
    pub spec_name: String,
    /// What the image is for.
    pub description: Option<String>,
    /// The file it was read from.
    pub file: String,
    /// The chosen value of each matrix list.
    pub matrix: BTreeMap<String, String>,
    /// The values of the variables that are not sensitive.
    pub variables: BTreeMap<String, Value>,
    /// The values of the sensitive ones.
    pub secrets: BTreeMap<String, SecretString>,
    /// Where the image is built.
    pub cloud: Cloud,
    /// The machine that the build starts from.
    pub base: Base,
    /// How the guest is reached.
    pub connect: Connect,
    /// What is pushed into the guest before the first step.
    pub files: Vec<FileCopy>,
    /// The steps to do.
    pub software: Vec<SpecStep>,
    /// Steps that their `when` excludes.
    pub skipped: Vec<SkippedStep>,
    /// The answer file.
    pub unattend: Unattend,
    /// What becomes of Cloudbase-Init.
    pub cloudbase_init: CloudbaseInit,
    /// How sysprep is run.
    pub generalize: Generalize,
    /// The image to make.
    pub image: Image,
    /// How the image is proved; its steps are in `checks`.
    pub verify: Verify,
    /// The steps of `verify.checks`.
    pub checks: Vec<SpecStep>,
    /// What happens when the build fails.
    pub on_error: OnError,
    /// Texts of the scripts that the spec names and of its answer file, by path as written.
    pub scripts: BTreeMap<String, ScriptText>,
}

/// A file whose content belongs to the spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptText {
    /// Its content.
    pub text: String,
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
}

/// One step to do in the guest.
#[derive(Debug, Clone)]
pub struct SpecStep {
    /// Number and name, unique in the build and stable while the spec's list is: `03-install-example-agent`.
    pub id_slug: String,
    /// What a person calls it.
    pub label: String,
    /// What to do.
    pub step: Step,
    /// How patiently.
    pub policy: Policy,
    /// Where it is written.
    pub origin: Origin,
}

/// A step that is not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SkippedStep {
    /// Its id would have ended so.
    pub id_slug: String,
    /// What people call it.
    pub label: String,
    /// The condition that did not hold.
    pub when: String,
    /// Where it is written.
    pub origin: Origin,
}

/// How patiently a step is done. These fields may stand beside any operation or inside its options.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// How long it may take, for example `10m`. Without it the operation's usual limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Limit>,
    /// How often it is tried again after a failure.
    #[schemars(range(max = 20))]
    pub retries: u32,
    /// What a failure means for the build.
    pub on_failure: OnFailure,
    /// A PowerShell condition; the step is done only when it is true in the guest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only_if: Option<String>,
}

/// What a step's failure means for the build.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// The build ends.
    #[default]
    Abort,
    /// It is reported and the build goes on.
    Continue,
}

/// Where something is written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "WrittenAt")]
pub struct Origin {
    /// JSON pointer in the spec, `/software/2`; in another file with its path before it, `parts/agent.yaml#/steps/0`.
    pub route: String,
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
}
