//! The steps of a spec: what the user may write under `software:`.
//!
//! One file per step: its options (their doc comments are the user's documentation), its checks, its call, and how to
//! read its answer. The scripts are in `ops/` under the same names. Adding a step is adding two files and one line in
//! the list below.

mod call;
mod capability;
mod chocolatey;
mod cmd;
mod environment;
mod file;
mod firewall;
mod install_exe;
mod install_msi;
mod msix;
mod packages;
mod powershell;
mod powershell_module;
mod reboot;
mod registry;
mod service;
mod user;
mod windows_feature;
mod windows_update;
mod zip;

use std::time::Duration;

use schemars::{Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::capability::{Capability, OptionalFeature};
pub use self::chocolatey::Chocolatey;
pub use self::cmd::Cmd;
pub use self::environment::{Environment, PathChange, Scope};
pub use self::file::{Encoding, File, FileState};
pub use self::firewall::{Direction, Firewall, FirewallAction};
pub use self::install_exe::{Family, InstallExe};
pub use self::install_msi::InstallMsi;
pub use self::msix::Msix;
pub use self::packages::{Cab, Msu};
pub use self::powershell::Powershell;
pub use self::powershell_module::PowershellModule;
pub use self::reboot::{Reboot, RebootWhen};
pub use self::registry::{Registry, RegistryData, RegistryView};
pub use self::service::{Service, ServiceState, StartType};
pub use self::user::User;
pub use self::windows_feature::WindowsFeature;
pub use self::windows_update::{UpdateCategory, UpdateServer, WindowsUpdate};
pub use self::zip::{Unzip, Zip};

use crate::call::{Call, CallContext, Payload};
use crate::error::{Problems, StepError, StepErrorKind};
use crate::exit_codes::Table;
use crate::failure::StepFailure;
use crate::outcome::Outcome;
use crate::parse::parse;
use crate::script::Script;

/// Fields that every step has and that the spec takes out before it calls [`parse_step`]. No step's own field has one of
/// these names, with one exception: `when` of `reboot` is its own, see [`reserved_fields`].
pub const RESERVED_FIELDS: [&str; 6] = ["name", "timeout", "retries", "on_failure", "when", "only_if"];

/// The general fields of one step: [`RESERVED_FIELDS`] without those that the step uses itself.
pub fn reserved_fields(step: &str) -> Vec<&'static str> {
    RESERVED_FIELDS
        .into_iter()
        .filter(|field| !(step == "reboot" && *field == "when"))
        .collect()
}

/// Whether a thing should be there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It should be there.
    #[default]
    Present,
    /// It should not be there.
    Absent,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Absent => "absent",
        }
    }

    /// `verb` for present things, "remove" for absent ones.
    fn verb(self, verb: &'static str) -> &'static str {
        if self == Self::Present { verb } else { "remove" }
    }
}

/// What every step can do.
trait Operation {
    /// Checks that the types cannot make.
    fn check(&self, problems: &mut Problems);
    /// Files to bring into the guest first.
    fn payloads(&self) -> Vec<Payload> {
        Vec::new()
    }
    /// The script and its input.
    fn call(&self, cx: &CallContext) -> Call;
    /// What the exit codes of its programs mean.
    fn table(&self) -> Table {
        Table::Plain
    }
    /// Reads the answer.
    fn read(&self, answer: &Value) -> Result<Outcome, StepFailure> {
        Outcome::read(answer, self.table())
    }
    /// Whether a restart may be needed afterwards.
    fn may_reboot(&self) -> bool {
        false
    }
    /// How long it may take when the spec does not say.
    fn default_timeout(&self) -> Duration {
        Duration::from_mins(5)
    }
    /// One line for the plan, without the step's name.
    fn summary(&self) -> String;
    /// How often it may be called at the most, with restarts between.
    fn rounds(&self) -> u32 {
        1
    }
}

macro_rules! steps {
    ($($name:literal => $step:ident),* $(,)?) => {
        /// One step, ready to be planned.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub enum Step {
            $(#[doc = concat!("`", $name, "`")] #[serde(rename = $name)] $step($step)),*
        }

        /// The names of all steps, as the user writes them.
        pub const STEP_NAMES: &[&str] = &[$($name),*];

        /// Reads one step's options. `value` is the mapping after `- name:`, without the [`RESERVED_FIELDS`].
        ///
        /// # Errors
        /// The first mistake that the types find, or the first one that the step's own checks find.
        pub fn parse_step(name: &str, value: Value) -> Result<Step, StepError> {
            let step = match name {
                $($name => Step::$step(parse(value)?),)*
                _ => return Err(unknown_step(name)),
            };
            step.problems().into_iter().next().map_or(Ok(step), Err)
        }

        /// The JSON Schema of a step's options, without the [`RESERVED_FIELDS`].
        pub fn step_schema(name: &str, generator: &mut SchemaGenerator) -> Option<Schema> {
            match name {
                $($name => Some(generator.subschema_for::<$step>()),)*
                _ => None,
            }
        }

        impl Step {
            /// Its name, as the user writes it.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$step(_) => $name),* }
            }

            fn operation(&self) -> &dyn Operation {
                match self { $(Self::$step(step) => step),* }
            }
        }
    };
}

steps! {
    "install_msi" => InstallMsi,
    "install_exe" => InstallExe,
    "windows_feature" => WindowsFeature,
    "optional_feature" => OptionalFeature,
    "capability" => Capability,
    "powershell" => Powershell,
    "cmd" => Cmd,
    "registry" => Registry,
    "service" => Service,
    "environment" => Environment,
    "firewall" => Firewall,
    "user" => User,
    "file" => File,
    "zip" => Zip,
    "unzip" => Unzip,
    "msix" => Msix,
    "msu" => Msu,
    "cab" => Cab,
    "powershell_module" => PowershellModule,
    "chocolatey" => Chocolatey,
    "windows_update" => WindowsUpdate,
    "reboot" => Reboot,
}

/// The scripts of all steps.
pub(crate) const STEP_SCRIPTS: &[Script] = &[
    install_msi::SCRIPT,
    install_exe::SCRIPT,
    windows_feature::SCRIPT,
    capability::OPTIONAL_FEATURE,
    capability::CAPABILITY,
    powershell::SCRIPT,
    cmd::SCRIPT,
    registry::SCRIPT,
    service::SCRIPT,
    environment::SCRIPT,
    firewall::SCRIPT,
    user::SCRIPT,
    file::SCRIPT,
    zip::ZIP,
    zip::UNZIP,
    msix::SCRIPT,
    packages::MSU,
    packages::CAB,
    powershell_module::SCRIPT,
    chocolatey::SCRIPT,
    windows_update::SCRIPT,
];

fn unknown_step(name: &str) -> StepError {
    StepError {
        path: String::new(),
        kind: StepErrorKind::UnknownStep,
        message: format!("there is no step `{name}`"),
        allowed: STEP_NAMES.iter().map(|&name| name.to_owned()).collect(),
    }
}

impl Step {
    /// Everything that the step's own checks find; [`parse_step`] gives only the first.
    pub fn problems(&self) -> Vec<StepError> {
        let mut problems = Problems::default();
        self.operation().check(&mut problems);
        problems.0
    }

    /// Files to bring into the guest before the call.
    pub fn payloads(&self) -> Vec<Payload> {
        self.operation().payloads()
    }

    /// The script and its input.
    pub fn call(&self, cx: &CallContext) -> Call {
        self.operation().call(cx)
    }

    /// Reads the answer: either the whole `{"ok":…}` or only its `result`.
    ///
    /// # Errors
    /// The guest's error by its kind, with what is known about its exit code.
    pub fn read(&self, answer: &Value) -> Result<Outcome, StepFailure> {
        self.operation().read(answer)
    }

    /// Whether a restart may be needed afterwards.
    pub fn may_reboot(&self) -> bool {
        self.operation().may_reboot()
    }

    /// How long it may take when the spec does not say.
    pub fn default_timeout(&self) -> Duration {
        self.operation().default_timeout()
    }

    /// One line for the plan, e.g. `install agent.msi`.
    pub fn summary(&self) -> String {
        self.operation().summary()
    }

    /// How often it may be called at the most; more than once only while [`Outcome::more`] says so, with a restart
    /// between the calls.
    pub fn rounds(&self) -> u32 {
        self.operation().rounds()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn mistakes_have_their_place() {
        let cases = [
            (
                "install_msi",
                json!({"source": {"file": "a.msi"}, "proprties": {}}),
                "proprties",
                StepErrorKind::UnknownField,
            ),
            (
                "install_msi",
                json!({"source": {"fil": "a.msi"}}),
                "source.fil",
                StepErrorKind::UnknownField,
            ),
            ("install_msi", json!({}), "", StepErrorKind::Missing),
            ("install_msi", json!({"source": {}}), "source", StepErrorKind::Missing),
            (
                "install_msi",
                json!({"source": {"file": "a.msi"}, "features": "x"}),
                "features",
                StepErrorKind::WrongType,
            ),
            (
                "windows_feature",
                json!({"names": ["a", 3]}),
                "names[1]",
                StepErrorKind::WrongType,
            ),
            (
                "install_exe",
                json!({"source": {"file": "a.exe"}, "family": "wise"}),
                "family",
                StepErrorKind::Invalid,
            ),
            (
                "install_exe",
                json!({"source": {"file": "a.exe"}, "family": "squirrel"}),
                "family",
                StepErrorKind::Invalid,
            ),
            (
                "registry",
                json!({"key": "HKLM\\X", "values": {"A": {"word": 1}}}),
                "values.A",
                StepErrorKind::Invalid,
            ),
            ("registry", json!({"key": "HKXX\\X"}), "key", StepErrorKind::Invalid),
            ("install_mis", json!({}), "", StepErrorKind::UnknownStep),
        ];
        for (step, value, path, kind) in cases {
            let error = parse_step(step, value.clone()).expect_err(step);
            assert_eq!(
                (error.path.as_str(), error.kind),
                (path, kind),
                "{step} {value}: {error}"
            );
        }
    }

    #[test]
    fn unknown_fields_name_what_is_allowed() {
        let error = parse_step("reboot", json!({"wen": "always"})).unwrap_err();
        assert_eq!((error.path.as_str(), error.allowed), ("wen", vec!["when".to_owned()]));
    }

    #[test]
    fn no_field_collides_with_the_general_ones() {
        for &name in STEP_NAMES {
            let mut generator = SchemaGenerator::default();
            let schema = step_schema(name, &mut generator).unwrap();
            let definitions = generator.take_definitions(true);
            let target = schema
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|path| path.rsplit('/').next());
            let definition = target
                .and_then(|target| definitions.get(target))
                .cloned()
                .unwrap_or_else(|| schema.to_value());
            let fields = definition["properties"].as_object().unwrap();
            assert_eq!(definition["additionalProperties"], json!(false), "{name}");
            for reserved in reserved_fields(name) {
                assert!(!fields.contains_key(reserved), "{name}.{reserved}");
            }
            for (field, schema) in fields {
                let described = schema.get("description").is_some() || schema.get("$ref").is_some();
                assert!(described, "{name}.{field} has no description");
            }
        }
    }
}
