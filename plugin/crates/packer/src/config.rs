//! What a component is configured with.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use secrecy::SecretString;
use serde_json::{Map, Value as Json};

use crate::cty::{CtyError, read_object};
use crate::data::GeneratedData;
use crate::decode::{Language, decode, filled};
use crate::hcl::ObjectSpec;
use crate::interpolate::{Build, Context, Surroundings};
use crate::msgpack::Value;
use crate::role::Schema;
use crate::rpc::message;

/// The configuration of one `Prepare` or `Configure`. Has no `Debug`, because it holds what a user may keep secret.
#[derive(Clone, Default)]
pub struct Configs {
    /// What Packer itself says.
    pub core: CoreVariables,
    /// The options of the template, whether in HCL or in JSON: of the types of the component's
    /// [`ObjectSpec`], with templates (`{{timestamp}}`) rendered and overrides for this build on top. Complete: what the
    /// user left out is null, and no blocks are an empty list.
    pub options: Map<String, Json>,
    /// What the options have to be filled with when there is a machine.
    asked: BTreeSet<String>,
    spec: Arc<ObjectSpec>,
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
    /// The user variables of a JSON template. In HCL their values are not told.
    pub user_variables: Option<BTreeMap<String, String>>,
    /// The file of a JSON template.
    pub template: Option<String>,
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
    /// Reads the list that comes with a call; says what is wrong with it.
    pub(crate) fn read(argument: &Value, schema: &Schema) -> Result<Self, Vec<String>> {
        let given = Given::read(argument).map_err(|error| vec![message(&error)])?;
        let mut sources = vec![];
        let language = if given.hcl.is_some() {
            Language::Hcl
        } else {
            Language::Json
        };
        sources.extend(given.hcl);
        sources.extend(given.raw);
        let context = given.core.context(&schema.surroundings, given.later);
        let options = decode(&schema.spec, language, sources, &context)?;
        Ok(Self {
            core: given.core,
            options,
            asked: context.asked.into_inner(),
            spec: Arc::clone(&schema.spec),
        })
    }

    /// The options with what the template's `` {{ build `NAME` }} `` asks for. There is a machine when provisioners and
    /// post-processors run; before, such a place holds `{{.NAME}}`.
    pub fn filled(&self, data: &GeneratedData) -> Map<String, Json> {
        filled(&self.spec, &self.options, &self.asked, data)
    }
}

/// What comes with a call, told apart.
#[derive(Default)]
struct Given {
    core: CoreVariables,
    /// The options of a template in HCL.
    hcl: Option<Map<String, Json>>,
    /// The options of a template in JSON, then the overrides for this build, in either language.
    raw: Vec<Map<String, Json>>,
    /// What a build will say of its machine: Packer sends the names to components of JSON templates.
    later: Build,
}

impl Given {
    fn read(argument: &Value) -> Result<Self, CtyError> {
        let mut given = Self::default();
        for config in argument.field("Configs").and_then(Value::as_list).unwrap_or_default() {
            match config {
                Value::Bin(bytes) => given.hcl = Some(read_object(bytes)?),
                Value::Map(_) => given.add(config),
                _ => {}
            }
        }
        Ok(given)
    }

    fn add(&mut self, config: &Value) {
        let Json::Object(map) = config.to_json() else { return };
        let text = |name: &str| map.get(name).and_then(Json::as_str).unwrap_or_default();
        if text("PackerRunUUID").starts_with("Build_PackerRunUUID.") {
            self.later = Build::Later(map.keys().cloned().collect());
        } else if map.contains_key("packer_build_name") || map.contains_key("packer_core_version") {
            self.core = CoreVariables::read(&map);
        } else {
            self.raw.push(map);
        }
    }
}

impl CoreVariables {
    /// The values of the variables that Packer hides, where they are told.
    pub fn secrets(&self) -> impl Iterator<Item = SecretString> {
        let variables = self.user_variables.as_ref();
        let secret = move |name: &String| variables?.get(name).map(|value| value.as_str().into());
        self.sensitive_variables.iter().filter_map(secret)
    }

    fn context(&self, surroundings: &Surroundings, build: Build) -> Context {
        Context {
            surroundings: surroundings.clone(),
            build_name: self.build_name.clone(),
            build_type: self.builder_type.clone(),
            core_version: self.core_version.clone(),
            template: self.template.clone(),
            user_variables: self.user_variables.clone(),
            build,
            asked: RefCell::default(),
        }
    }

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
            user_variables: map.get("packer_user_variables").and_then(Json::as_object).map(texts),
            template: map
                .get("packer_template_path")
                .and_then(Json::as_str)
                .map(str::to_owned),
        }
    }
}

fn texts(map: &Map<String, Json>) -> BTreeMap<String, String> {
    let text = |(name, value): (&String, &Json)| Some((name.clone(), value.as_str()?.to_owned()));
    map.iter().filter_map(text).collect()
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
    use crate::hcl::{Generation, Type};

    fn schema() -> Schema {
        let spec = ObjectSpec::new()
            .optional("region", Type::String)
            .optional("scripts", Type::list(Type::String));
        Schema::new(spec, Generation::Protobuf, Surroundings::default())
    }

    fn read(configs: Vec<Value>) -> Result<Configs, Vec<String>> {
        Configs::read(&Value::record([("Configs", Value::List(configs))]), &schema())
    }

    #[test]
    fn core_variables_options_and_overrides_are_told_apart() {
        let core = Value::record([
            ("packer_build_name", "w".into()),
            ("packer_debug", "true".into()),
            ("packer_force", Value::Bool(true)),
            ("packer_on_error", "abort".into()),
            ("packer_sensitive_variables", Value::texts(["pw"])),
        ]);
        let options = Value::Bin(br#"{"value":{"region":"KR1"},"type":["object",{"region":"string"}]}"#.to_vec());
        let overrides = Value::record([("scripts", Value::texts(["a"]))]);
        let configs = read(vec![core, options, overrides, Value::Nil]).unwrap();
        assert_eq!(configs.core.build_name, "w");
        assert!(configs.core.debug && configs.core.force);
        assert_eq!(configs.core.on_error, OnError::Abort);
        assert_eq!(configs.core.sensitive_variables, ["pw"]);
        assert_eq!(
            Json::Object(configs.options),
            serde_json::json!({ "region": "KR1", "scripts": ["a"] })
        );
    }

    #[test]
    fn a_json_template_says_its_variables_and_asks_for_what_comes_later() {
        let options = Value::record([("region", "{{user `r`}}/{{build `ID`}}/{{build_name}}".into())]);
        let core = Value::record([
            ("packer_build_name", "w".into()),
            (
                "packer_user_variables",
                Value::record([("r", "KR1".into()), ("pw", "hidden".into())]),
            ),
            ("packer_sensitive_variables", Value::texts(["pw", "unset"])),
        ]);
        let later = Value::record([
            ("PackerRunUUID", "Build_PackerRunUUID. To set this".into()),
            ("ID", "Build_ID. To set this".into()),
        ]);
        let configs = read(vec![options, core, later]).unwrap();
        assert_eq!(configs.options.get("region"), Some(&Json::from("KR1/{{.ID}}/w")));
        let filled = configs.filled(&GeneratedData::new().with("ID", "i-1"));
        assert_eq!(filled.get("region"), Some(&Json::from("KR1/i-1/w")));
        assert_eq!(configs.core.secrets().count(), 1);
    }

    #[test]
    fn odd_configurations_are_refused_or_empty() {
        assert_eq!(read(vec![]).unwrap().options.get("region"), Some(&Json::Null));
        assert!(Configs::read(&Value::Nil, &schema()).is_ok());
        assert!(read(vec![Value::Bin(b"{".to_vec())]).is_err());
    }
}
