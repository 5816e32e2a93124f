//! What a component is configured with.

use serde_json::{Map, Value as Json};

use crate::cty::{CtyError, read_object};
use crate::msgpack::Value;

/// The configurations of one `Prepare` or `Configure`. Has no `Debug`, because it holds what a user may keep secret.
#[derive(Clone, Default)]
pub struct Configs {
    /// What Packer itself says.
    pub core: CoreVariables,
    /// The options of the template, complete: what the user left out is null. `None` in the old JSON templates.
    pub options: Option<Map<String, Json>>,
    /// Raw maps: the options of a JSON template, the overrides of a provisioner for this build.
    pub raw: Vec<Map<String, Json>>,
}

/// What Packer says about the build. Data sources get none of it.
#[derive(Clone, Default)]
pub struct CoreVariables {
    /// The source's name (second label).
    pub build_name: String,
    /// The source's type (first label).
    pub builder_type: String,
    /// Packer's version.
    pub core_version: String,
    /// `-debug`
    pub debug: bool,
    /// `-force`
    pub force: bool,
    /// `-on-error`
    pub on_error: OnError,
    /// Names of the variables whose values Packer hides.
    pub sensitive_variables: Vec<String>,
}

/// What to do when a step of a build fails. It is the builder that does it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnError {
    /// Undo everything.
    #[default]
    Cleanup,
    /// Leave everything.
    Abort,
    /// Ask the user.
    Ask,
    /// Leave everything after running the clean-up provisioner.
    RunCleanupProvisioner,
}

impl Configs {
    /// Reads the list that comes with a call.
    pub(crate) fn read(argument: &Value) -> Result<Self, CtyError> {
        let mut configs = Self::default();
        for config in argument.field("Configs").and_then(Value::as_list).unwrap_or_default() {
            match config {
                Value::Bin(bytes) => configs.options = Some(read_object(bytes)?),
                Value::Map(_) => configs.add(config),
                _ => {}
            }
        }
        Ok(configs)
    }

    fn add(&mut self, config: &Value) {
        let Json::Object(map) = config.to_json() else { return };
        if map.keys().any(|key| key.starts_with("packer_")) {
            self.core = CoreVariables::read(&map);
        } else {
            self.raw.push(map);
        }
    }
}

impl CoreVariables {
    fn read(map: &Map<String, Json>) -> Self {
        let text = |name: &str| map.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        // Text in HCL templates, a truth value in JSON templates.
        let flag = |name: &str| matches!(map.get(name), Some(Json::Bool(true))) || text(name) == "true";
        let names = map.get("packer_sensitive_variables").and_then(Json::as_array);
        let names = names.into_iter().flatten().filter_map(Json::as_str);
        Self {
            build_name: text("packer_build_name"),
            builder_type: text("packer_builder_type"),
            core_version: text("packer_core_version"),
            debug: flag("packer_debug"),
            force: flag("packer_force"),
            on_error: OnError::read(&text("packer_on_error")),
            sensitive_variables: names.map(str::to_owned).collect(),
        }
    }
}

impl OnError {
    fn read(text: &str) -> Self {
        match text {
            "abort" => Self::Abort,
            "ask" => Self::Ask,
            "run-cleanup-provisioner" => Self::RunCleanupProvisioner,
            _ => Self::Cleanup,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_variables_and_options_are_told_apart() {
        let core = Value::record([
            ("packer_build_name", "w".into()),
            ("packer_debug", "true".into()),
            ("packer_force", Value::Bool(true)),
            ("packer_on_error", "abort".into()),
            ("packer_sensitive_variables", Value::texts(["pw"])),
        ]);
        let options = Value::Bin(br#"{"value":{"region":"KR1"},"type":["object",{"region":"string"}]}"#.to_vec());
        let overrides = Value::record([("scripts", Value::texts(["a"]))]);
        let list = Value::List(vec![core, options, overrides, Value::Nil]);
        let configs = Configs::read(&Value::record([("Configs", list)])).unwrap();
        assert_eq!(configs.core.build_name, "w");
        assert!(configs.core.debug && configs.core.force);
        assert_eq!(configs.core.on_error, OnError::Abort);
        assert_eq!(configs.core.sensitive_variables, ["pw"]);
        assert_eq!(configs.options.unwrap().get("region"), Some(&Json::from("KR1")));
        assert_eq!(configs.raw.len(), 1);
    }

    #[test]
    fn odd_configurations_are_refused_or_empty() {
        assert!(Configs::read(&Value::Nil).unwrap().options.is_none());
        let bad = Value::record([("Configs", Value::List(vec![Value::Bin(b"{".to_vec())]))]);
        assert!(Configs::read(&bad).is_err());
    }
}
