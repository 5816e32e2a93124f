//! One look-up over a cloud of `clouds.yaml` and the environment.
//!
//! INVARIANT: what a cloud says goes before the environment, thing by thing: a cloud that names its project by name
//! never gets the project id of the environment beside it.

use serde_json::Value;

use super::Named;

/// Where one setting may stand.
pub(super) struct Key {
    /// Names in `clouds.yaml`, inside `auth` or beside it.
    pub(super) yaml: &'static [&'static str],
    /// Names in the environment.
    pub(super) env: &'static [&'static str],
}

macro_rules! keys {
    ($($name:ident = [$($yaml:literal),*] [$($env:literal),*];)*) => {$(
        pub(super) const $name: Key = Key { yaml: &[$($yaml),*], env: &[$($env),*] };
    )*};
}

keys! {
    AUTH_URL = ["auth_url"] ["OS_AUTH_URL"];
    AUTH_TYPE = ["auth_type"] ["OS_AUTH_TYPE"];
    IDENTITY_VERSION = ["identity_api_version"] ["OS_IDENTITY_API_VERSION"];
    USER_ID = ["user_id"] ["OS_USER_ID", "OS_USERID"];
    USER_NAME = ["username", "user_name"] ["OS_USERNAME"];
    PASSWORD = ["password"] ["OS_PASSWORD"];
    PROJECT_ID = ["project_id", "tenant_id"] ["OS_PROJECT_ID", "OS_TENANT_ID"];
    PROJECT_NAME = ["project_name", "tenant_name"] ["OS_PROJECT_NAME", "OS_TENANT_NAME"];
    USER_DOMAIN_ID = ["user_domain_id"] ["OS_USER_DOMAIN_ID"];
    USER_DOMAIN_NAME = ["user_domain_name"] ["OS_USER_DOMAIN_NAME"];
    PROJECT_DOMAIN_ID = ["project_domain_id"] ["OS_PROJECT_DOMAIN_ID"];
    PROJECT_DOMAIN_NAME = ["project_domain_name"] ["OS_PROJECT_DOMAIN_NAME"];
    DOMAIN_ID = ["domain_id", "default_domain_id", "default_domain"] ["OS_DOMAIN_ID", "OS_DEFAULT_DOMAIN_ID", "OS_DEFAULT_DOMAIN"];
    DOMAIN_NAME = ["domain_name", "default_domain_name"] ["OS_DOMAIN_NAME", "OS_DEFAULT_DOMAIN_NAME"];
    CREDENTIAL_ID = ["application_credential_id"] ["OS_APPLICATION_CREDENTIAL_ID"];
    CREDENTIAL_NAME = ["application_credential_name"] ["OS_APPLICATION_CREDENTIAL_NAME"];
    CREDENTIAL_SECRET = ["application_credential_secret"] ["OS_APPLICATION_CREDENTIAL_SECRET"];
    TOKEN = ["token"] ["OS_TOKEN", "OS_AUTH_TOKEN"];
    REGION = ["region_name"] ["OS_REGION_NAME"];
    INTERFACE = ["interface", "endpoint_type"] ["OS_INTERFACE", "OS_ENDPOINT_TYPE"];
    CACERT = ["cacert"] ["OS_CACERT"];
    CERT = ["cert"] ["OS_CERT"];
    KEY = ["key"] ["OS_KEY"];
    INSECURE = ["insecure"] ["OS_INSECURE"];
    VERIFY = ["verify"] [];
    HTTP_PROXY = [] ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
    HTTPS_PROXY = [] ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
    NO_PROXY = [] ["no_proxy", "NO_PROXY"];
}

/// A cloud over the environment.
pub(super) struct Settings<'a> {
    pub(super) cloud: Option<Value>,
    pub(super) env: &'a dyn Fn(&str) -> Option<String>,
}

impl Settings<'_> {
    /// The value of `key`, if it has one that is not empty.
    pub(super) fn get(&self, key: &Key) -> Option<String> {
        self.in_cloud(key.yaml).or_else(|| self.in_env(key.env))
    }

    /// What is named by id or by name, id first.
    pub(super) fn named(&self, id: &Key, name: &Key) -> Option<Named> {
        let in_cloud = |key: &Key| self.in_cloud(key.yaml);
        let in_env = |key: &Key| self.in_env(key.env);
        in_cloud(id)
            .map(Named::Id)
            .or_else(|| in_cloud(name).map(Named::Name))
            .or_else(|| in_env(id).map(Named::Id))
            .or_else(|| in_env(name).map(Named::Name))
    }

    /// Whether the cloud itself says one of these.
    pub(super) fn cloud_says(&self, keys: &[&Key]) -> bool {
        keys.iter().any(|key| self.in_cloud(key.yaml).is_some())
    }

    /// Whether the environment says one of these.
    pub(super) fn env_says(&self, keys: &[&Key]) -> bool {
        keys.iter().any(|key| self.in_env(key.env).is_some())
    }

    pub(super) fn flag(&self, key: &Key) -> Option<bool> {
        match self.get(key)?.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => Some(true),
            "0" | "false" | "no" | "off" => Some(false),
            _ => None,
        }
    }

    /// A value of the cloud under a name that is put together, e.g. an endpoint override.
    pub(super) fn in_cloud(&self, names: &[&str]) -> Option<String> {
        let cloud = self.cloud.as_ref()?;
        names.iter().find_map(|name| {
            let inside = cloud.get("auth").and_then(|auth| auth.get(name));
            text(inside.or_else(|| cloud.get(name))?)
        })
    }

    pub(super) fn in_env(&self, names: &[&str]) -> Option<String> {
        names
            .iter()
            .find_map(|name| (self.env)(name).filter(|value| !value.is_empty()))
    }

    /// The region of a cloud that only lists its `regions`.
    pub(super) fn only_listed_region(&self) -> Option<String> {
        match self.cloud.as_ref()?.get("regions")?.as_array()?.as_slice() {
            [region] => text(region.get("name").unwrap_or(region)),
            _ => None,
        }
    }
}

/// A scalar as text: an id of digits only is a number to YAML.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}
