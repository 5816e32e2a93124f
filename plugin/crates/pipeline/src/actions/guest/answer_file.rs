//! The answer file: the provider's from the guest, the spec's overrides, compiled, checked, pushed.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use reseal_engine::{Action, ActionError, Context, FailureClass};
use reseal_guest::system::{AnswerFile, IdentityFacts, UnattendFind, UnattendPush};
use reseal_machine::Communicator;
use reseal_unattend::{Architecture, Compiled, Options, Pass, Problem, RevealError, Target, said};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::ask::ask;
use crate::secrets;
use crate::world::{Entrance, World};

/// What to compile and push.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AnswerFileParams {
    /// The step that connected.
    pub connect: String,
    /// The typed overrides.
    pub options: Options,
    /// Where the base comes from.
    pub base: BaseFile,
}

/// The file to start from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BaseFile {
    /// The provider's, in the guest.
    Guest,
    /// None.
    None,
    /// This text.
    Text(String),
}

/// What was pushed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AnswerFileOutput {
    /// Its path in the guest.
    pub(super) path: String,
    /// Its SHA-256.
    pub(super) sha256: String,
    /// Where the base was found.
    pub(super) base: Option<String>,
    /// Its specialize pass runs Cloudbase-Init.
    #[serde(default)]
    pub(super) runs_cloudbase: bool,
    /// It says that the licence is not to be rearmed.
    #[serde(default)]
    pub(super) skips_rearm: bool,
    /// It copies a profile to all users.
    #[serde(default)]
    pub(super) copies_profile: bool,
}

/// The action.
pub(super) struct Push(pub(super) World);

#[async_trait]
impl Action for Push {
    type Params = AnswerFileParams;
    type Output = AnswerFileOutput;

    async fn run(&self, cx: &Context<'_>, params: &AnswerFileParams) -> Result<AnswerFileOutput, ActionError> {
        let guest = self.0.guest(cx, &params.connect)?;
        let Entrance { identity, .. } = cx.output(&params.connect)?;
        let identity: IdentityFacts = serde_json::from_value(identity).unwrap_or_default();
        let (base, found) = base(cx, guest.as_ref(), &params.base).await?;
        let compiled = compile(cx, params, base.as_deref(), &identity)?;
        let bytes = compiled.xml.expose_secret().as_bytes();
        let sha256 = hex::encode(Sha256::digest(bytes));
        let push = UnattendPush::new(BASE64.encode(bytes), sha256.clone());
        let pushed = ask(cx, guest.as_ref(), &push).await?;
        Ok(AnswerFileOutput {
            path: pushed.path,
            sha256,
            base: found,
            runs_cloudbase: runs_cloudbase(&compiled.redacted),
            skips_rearm: skips_rearm(&compiled.redacted),
            copies_profile: copies_profile(&compiled.redacted),
        })
    }
}

/// The base's text and where it was found.
async fn base(
    cx: &Context<'_>,
    guest: &dyn Communicator,
    base: &BaseFile,
) -> Result<(Option<String>, Option<String>), ActionError> {
    match base {
        BaseFile::None => Ok((None, None)),
        BaseFile::Text(text) => Ok((Some(text.clone()), None)),
        BaseFile::Guest => {
            let file = ask(cx, guest, &UnattendFind::default()).await?;
            if !file.found {
                cx.warn("the guest has no answer file of Cloudbase-Init; starting from none");
                return Ok((None, None));
            }
            let text = decode(&file)?;
            Ok((Some(text), file.path))
        }
    }
}

fn decode(file: &AnswerFile) -> Result<String, ActionError> {
    let path = file.path.as_deref().unwrap_or("the guest's answer file");
    let wrong = || ActionError::new(FailureClass::Sysprep, format!("{path} is no text"));
    let bytes = BASE64
        .decode(file.data.as_deref().unwrap_or_default())
        .map_err(|_| wrong())?;
    let utf16 = |read: fn([u8; 2]) -> u16| {
        let units = bytes
            .chunks_exact(2)
            .filter_map(|pair| <[u8; 2]>::try_from(pair).ok())
            .map(read);
        String::from_utf16(&units.collect::<Vec<u16>>()).map_err(|_| wrong())
    };
    let text = match file.encoding.as_deref() {
        Some("utf16le") => utf16(u16::from_le_bytes)?,
        Some("utf16be") => utf16(u16::from_be_bytes)?,
        _ => String::from_utf8(bytes.clone()).map_err(|_| wrong())?,
    };
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

fn compile(
    cx: &Context<'_>,
    params: &AnswerFileParams,
    base: Option<&str>,
    identity: &IdentityFacts,
) -> Result<Compiled, ActionError> {
    let reveal = |text: &str| {
        secrets::text_of(cx, text).map_err(|error| RevealError {
            message: error.to_string(),
        })
    };
    let compiled = reseal_unattend::compile(base, &params.options, &target(identity), &reveal)
        .map_err(|problems| wrong(&problems))?;
    for problem in &compiled.problems {
        cx.warn(format!("answer file: {}", problem.diagnostic.message));
    }
    Ok(compiled)
}

/// What is known of the guest.
fn target(identity: &IdentityFacts) -> Target {
    let architecture = match identity.architecture.to_ascii_lowercase().as_str() {
        "arm64" => Architecture::Arm64,
        "x86" => Architecture::X86,
        _ => Architecture::Amd64,
    };
    let build = (identity.build > 0).then_some(identity.build);
    Target {
        build,
        architecture: Some(architecture),
        ..Target::sysprep(None)
    }
}

fn wrong(problems: &[Problem]) -> ActionError {
    let message = match problems.len() {
        1 => "the answer file cannot be compiled".to_owned(),
        count => format!("the answer file cannot be compiled: {count} problems"),
    };
    let said = problems.iter().map(|problem| {
        let option = problem.option.as_deref().unwrap_or("base");
        format!("{option}: {}", problem.diagnostic.message)
    });
    ActionError::new(FailureClass::Sysprep, message).said(said)
}

fn skips_rearm(xml: &str) -> bool {
    let values = said(xml, Pass::Generalize, "Microsoft-Windows-Security-SPP", "SkipRearm");
    values.iter().any(|value| value == "1")
}

fn copies_profile(xml: &str) -> bool {
    let values = said(xml, Pass::Specialize, "Microsoft-Windows-Shell-Setup", "CopyProfile");
    values
        .iter()
        .any(|value| value.eq_ignore_ascii_case("true") || value == "1")
}

/// Whether a command of the answer file starts Cloudbase-Init: only `RunSynchronous` can, and it does so in specialize.
fn runs_cloudbase(xml: &str) -> bool {
    let commands = said(xml, Pass::Specialize, "Microsoft-Windows-Deployment", "Path");
    commands
        .iter()
        .any(|command| command.to_ascii_lowercase().contains("cloudbase-init"))
}
