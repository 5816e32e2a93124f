//! What a template asks for: a spec in a file with values for its variables, or the spec itself.

use std::path::PathBuf;

use reseal_packer::{Configs, ObjectSpec, Type, UNKNOWN};
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::schema::Body;
use crate::cli::DEFAULT_RUNS;

/// The sections that a template may hold itself. Variables and the matrix are HCL's own business there, and what
/// happens after a failure is Packer's.
pub(super) const SECTIONS: [&str; 12] = [
    "name",
    "description",
    "cloud",
    "base",
    "connect",
    "files",
    "software",
    "unattend",
    "cloudbase_init",
    "generalize",
    "image",
    "verify",
];

/// Which spec, and with which values.
#[derive(Clone)]
pub(super) struct Order {
    /// The spec's file; without it the template holds the sections.
    pub(super) spec: Option<PathBuf>,
    /// The sections of a spec that the template holds.
    pub(super) sections: Map<String, Value>,
    /// Which build of a matrix.
    pub(super) build: Option<String>,
    /// Values for variables.
    pub(super) vars: Vec<(String, String)>,
    /// Values that nobody may see.
    pub(super) sensitive: Vec<(String, SecretString)>,
    /// Files with values.
    pub(super) var_files: Vec<PathBuf>,
    /// Where runs are kept.
    pub(super) runs: PathBuf,
    /// Refuse what is not as in the lock.
    pub(super) locked: bool,
}

/// The options of every component that works with a spec, of which the template may hold some sections itself.
///
/// Packer's template engine works in all of them, file names and keys of `vars` included; nothing of a secret is shown when
/// it does not. In the sections it leaves alone what [`Body`] says.
pub(super) fn options(sections: &[&str]) -> ObjectSpec {
    let sections = Body::sections(sections).spec();
    let sections = sections.iter().map(|(name, spec)| (name.to_owned(), spec.clone()));
    let common = ObjectSpec::new()
        .optional("spec", Type::String)
        .optional("build", Type::String)
        .optional("vars", Type::map(Type::String))
        .secret("sensitive_vars", Type::map(Type::String))
        .optional("var_files", Type::list(Type::String))
        .optional("runs", Type::String)
        .optional("locked", Type::Bool);
    sections.fold(common, |spec, (name, option)| spec.with(name, option))
}

/// Why there is no order.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unclear {
    /// A value will be known only when data sources have been read.
    #[error("some values are not known yet")]
    Unknown,
    /// What the user should change.
    #[error("{}", .0.join("\n\n"))]
    Wrong(Vec<String>),
}

impl Order {
    /// Reads the options of a template.
    pub(super) fn read(configs: &Configs, sections: &[&str]) -> Result<Self, Unclear> {
        Self::written(&configs.options, sections)
    }

    /// Reads options in which everything stands that a build says of its machine.
    pub(super) fn written(options: &Map<String, Value>, sections: &[&str]) -> Result<Self, Unclear> {
        let order = Self::of(options, sections);
        match order.contradictions() {
            wrong if !wrong.is_empty() => Err(Unclear::Wrong(wrong)),
            _ if options.values().any(holds_unknown) => Err(Unclear::Unknown),
            _ => Ok(order),
        }
    }

    /// The same with the sections that a spec must have, for work that has nothing to do with a cloud of ours.
    pub(super) fn for_any_cloud(mut self) -> Self {
        if self.spec.is_none() {
            let base = json!({ "image": { "name": "any" }, "flavor": "any", "network": "any" });
            let needed = [
                ("cloud", json!({ "provider": "openstack" })),
                ("base", base),
                ("image", json!({ "name": "any" })),
            ];
            for (name, section) in needed {
                self.sections.entry(name).or_insert(section);
            }
        }
        self
    }

    /// The same, and the image is booted: whoever asks for a proof need not say that too.
    pub(super) fn that_boots(mut self) -> Self {
        if self.spec.is_none() {
            let verify = self.sections.entry("verify").or_insert_with(|| json!({}));
            if let Some(verify) = verify.as_object_mut() {
                verify.insert("boot".to_owned(), json!(true));
            }
        }
        self
    }

    fn of(options: &Map<String, Value>, sections: &[&str]) -> Self {
        let text = |name: &str| options.get(name).and_then(Value::as_str).map(str::to_owned);
        let pairs = |name: &str| -> Vec<(String, String)> {
            let map = options.get(name).and_then(Value::as_object).into_iter().flatten();
            map.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
                .collect()
        };
        let files = options.get("var_files").and_then(Value::as_array).into_iter().flatten();
        Self {
            spec: text("spec").map(PathBuf::from),
            sections: match Body::sections(sections).value(options) {
                Value::Object(sections) => sections,
                _ => Map::new(),
            },
            build: text("build"),
            vars: pairs("vars"),
            sensitive: pairs("sensitive_vars")
                .into_iter()
                .map(|(name, value)| (name, value.into()))
                .collect(),
            var_files: files.filter_map(Value::as_str).map(PathBuf::from).collect(),
            runs: text("runs").map_or_else(|| DEFAULT_RUNS.into(), PathBuf::from),
            locked: options.get("locked") == Some(&Value::Bool(true)),
        }
    }

    fn contradictions(&self) -> Vec<String> {
        let written: Vec<&str> = self.sections.keys().map(String::as_str).collect();
        match (&self.spec, written.as_slice()) {
            (None, []) => vec!["name the spec's file with `spec = \"…\"`, or write its sections here".to_owned()],
            (Some(_), [_, ..]) => vec![format!(
                "`spec` names a file, and {} stand here too; leave one of both out",
                quoted(&written)
            )],
            (None, _) if self.build.is_some() => {
                vec!["`build` chooses one of a spec file's matrix; sections make one build".to_owned()]
            }
            _ => vec![],
        }
    }
}

fn quoted(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

fn holds_unknown(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(UNKNOWN),
        Value::Array(items) => items.iter().any(holds_unknown),
        Value::Object(fields) => fields.values().any(holds_unknown),
        _ => false,
    }
}
