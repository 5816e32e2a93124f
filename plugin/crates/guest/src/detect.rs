//! Is the thing there, and in which version?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::Problems;
use crate::version::VersionReq;

/// How to find out whether something is installed. Exactly one of `product`, `product_code`, `file`, `registry`,
/// `service`, `feature` and `script`; `version` may join the first four. Asked before (then the step may be skipped) and
/// after (then the step may fail although the installer said yes).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Detect {
    /// The display name in "Programs and Features"; `*` and `?` are allowed. Example: `Example Agent*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// An MSI product code. Example: `{90160000-008C-0000-1000-0000000FF1CE}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_code: Option<String>,
    /// A file in the guest. Example: `C:\Program Files\Tool\tool.exe`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// A registry key, and perhaps a value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<RegistryProbe>,
    /// A service by its short name. Example: `W3SVC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// A Windows feature, role or optional feature. Example: `Web-Server`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<String>,
    /// PowerShell whose last value says `$true` or `$false`. Example: `Test-Path C:\Tool`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("contentMediaType" = "application/x-powershell"))]
    pub script: Option<String>,
    /// The version that it must have. Example: `>=4.2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionReq>,
}

/// A key or value in the registry (64-bit view).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegistryProbe {
    /// The key. Example: `HKLM\SOFTWARE\Example`.
    pub key: String,
    /// The value's name; without it the key's existence is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What the value must be, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<String>,
}

/// What detection found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detected {
    /// It is there, in a version that fits.
    pub present: bool,
    /// Its version.
    #[serde(default)]
    pub version: Option<String>,
    /// What was looked at.
    #[serde(default)]
    pub detail: String,
}

impl Detected {
    pub(crate) fn read(value: Option<&Value>) -> Option<Self> {
        value
            .filter(|value| value.is_object())
            .and_then(|value| serde_json::from_value(value.clone()).ok())
    }
}

const KINDS: [&str; 7] = [
    "product",
    "product_code",
    "file",
    "registry",
    "service",
    "feature",
    "script",
];

impl Detect {
    pub(crate) fn check(&self, at: &str, problems: &mut Problems) {
        let given = self.given();
        match given.as_slice() {
            [] => problems.missing(at, "says nothing to look for", &KINDS),
            [kind] => {
                if self.version.is_some() && ["service", "feature", "script"].contains(kind) {
                    problems.invalid(&format!("{at}.version"), format!("`{kind}` has no version"));
                }
            }
            several => problems.invalid(at, format!("give only one of `{}`", several.join("`, `"))),
        }
        if let Some(code) = &self.product_code
            && !crate::source::has_placeholder(code)
            && !is_guid(code)
        {
            problems.invalid(&format!("{at}.product_code"), "a product code is a GUID in braces");
        }
    }

    fn given(&self) -> Vec<&'static str> {
        let present = [
            self.product.is_some(),
            self.product_code.is_some(),
            self.file.is_some(),
            self.registry.is_some(),
            self.service.is_some(),
            self.feature.is_some(),
            self.script.is_some(),
        ];
        KINDS
            .into_iter()
            .zip(present)
            .filter_map(|(kind, given)| given.then_some(kind))
            .collect()
    }

    /// The JSON of `ops/README.md`.
    pub(crate) fn input(&self) -> Value {
        let version = self.version.as_ref().map(VersionReq::comparators).unwrap_or_default();
        if let Some(product) = &self.product {
            json!({"kind": "product", "product": product, "version": version})
        } else if let Some(code) = &self.product_code {
            json!({"kind": "product_code", "product_code": code, "version": version})
        } else if let Some(file) = &self.file {
            json!({"kind": "file", "file": file, "version": version})
        } else if let Some(probe) = &self.registry {
            json!({"kind": "registry", "key": probe.key, "value": probe.value, "equals": probe.equals, "version": version})
        } else if let Some(service) = &self.service {
            json!({"kind": "service", "service": service})
        } else if let Some(feature) = &self.feature {
            json!({"kind": "feature", "feature": feature})
        } else {
            json!({"kind": "script", "script": self.script})
        }
    }
}

/// `null`, or the JSON of the detection.
pub(crate) fn input(detect: Option<&Detect>) -> Value {
    detect.map_or(Value::Null, Detect::input)
}

fn is_guid(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) else {
        return false;
    };
    let lengths = [8, 4, 4, 4, 12];
    let groups: Vec<&str> = inner.split('-').collect();
    groups.len() == lengths.len()
        && groups
            .iter()
            .zip(lengths)
            .all(|(g, n)| g.len() == n && g.chars().all(|c| c.is_ascii_hexdigit()))
}
