//! The way in: waits until the guest answers as itself, and learns who it is.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use reseal_engine::{Action, ActionError, Context, FailureClass, Verdict};
use reseal_guest::system::Identity;
use reseal_machine::clock::elapsed;
use reseal_machine::cloud::ServerPassword;
use reseal_machine::{CommError, Communicator, Schedule};
use serde::{Deserialize, Serialize};

use super::apps;
use super::ask::ask;
use crate::actions::cloud::{AddressOutput, IdentityOutput, KEY, PASSWORD, ReadyOutput};
use crate::identity;
use crate::plan::ids;
use crate::world::{Door, DoorTrust, Entrance, Role, World, role_name};

/// A refused account is believed at once, but not during the first minutes: while Windows makes the account, its
/// listener may answer already.
const EARLY: Duration = Duration::from_mins(3);

/// Which guest, and how to enter.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConnectParams {
    /// The step that knows the machine.
    pub ready: String,
    /// The step that gave it an address.
    pub address: String,
    /// TLS or plain HTTP.
    pub https: bool,
    /// The port.
    pub port: u16,
    /// Basic instead of Negotiate.
    pub basic: bool,
    /// `None` for the build's own certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<DoorTrust>,
    /// As whom.
    pub account: Account,
    /// The limit in seconds.
    pub limit_seconds: u64,
    /// Look which app packages would make sysprep fail before anything is installed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub apps: bool,
}

/// As whom to enter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// The one-time account that the user data make in this machine.
    Made(Role),
    /// This account, with the password that the guest posts to the cloud.
    Posted(String),
    /// This account, with a password that an earlier step put into the keyring.
    Kept {
        /// The account.
        username: String,
        /// The password's name.
        password: String,
    },
}

/// The action.
pub(super) struct Connect(pub(super) World);

#[async_trait]
impl Action for Connect {
    type Params = ConnectParams;
    type Output = Entrance;

    async fn run(&self, cx: &Context<'_>, params: &ConnectParams) -> Result<Entrance, ActionError> {
        let posted = match &params.account {
            Account::Posted(_) => self.posted(cx, params).await?,
            _ => String::new(),
        };
        let door = door(cx, params, posted)?;
        cx.note(format!(
            "connecting to {}:{} as {}",
            door.address, door.port, door.username
        ));
        let guest = self.0.open(cx, &cx.step().id, &door)?;
        self.answered(cx, params, guest.as_ref()).await?;
        let mut entrance = entrance(cx, guest.as_ref(), door).await?;
        if params.apps {
            entrance.apps = apps::look(cx, guest.as_ref()).await;
        }
        Ok(entrance)
    }
}

/// Where to enter and as whom. `posted` is the name under which a posted password is kept.
pub(super) fn door(cx: &Context<'_>, params: &ConnectParams, posted: String) -> Result<Door, ActionError> {
    let own: IdentityOutput = cx.output(ids::IDENTITY)?;
    let AddressOutput { address, .. } = cx.output(&params.address)?;
    let (username, password) = match &params.account {
        Account::Made(role) => (role_name(*role, cx.build()), PASSWORD.to_owned()),
        Account::Posted(user) => (user.clone(), posted),
        Account::Kept { username, password } => (username.clone(), password.clone()),
    };
    Ok(Door {
        address,
        port: params.port,
        https: params.https,
        trust: params.trust.clone().unwrap_or(DoorTrust::Pinned(own.pin)),
        basic: params.basic,
        username,
        password,
    })
}

/// The name under which this step keeps a password that the guest posted.
pub(super) fn posted_name(cx: &Context<'_>) -> String {
    format!("password/{}", cx.step().id)
}

/// Learns who answers behind an open door.
pub(super) async fn entrance(cx: &Context<'_>, guest: &dyn Communicator, door: Door) -> Result<Entrance, ActionError> {
    let identity = ask(cx, guest, &Identity::default()).await.map_err(restricted)?;
    if identity.language_mode != "FullLanguage" {
        return Err(language_mode(&identity.language_mode));
    }
    cx.note(format!(
        "{} ({} build {}.{})",
        identity.computer_name, identity.caption, identity.build, identity.ubr
    ));
    let identity = serde_json::to_value(identity).unwrap_or_default();
    Ok(Entrance {
        door,
        identity,
        apps: None,
    })
}

impl Connect {
    /// Waits for the password that the guest posts, decrypts it and keeps it under a name.
    async fn posted(&self, cx: &Context<'_>, params: &ConnectParams) -> Result<String, ActionError> {
        let ready: ReadyOutput = cx.output(&params.ready)?;
        let limit = Duration::from_secs(params.limit_seconds);
        let encrypted = posted_password(cx, &self.0, &ready.server, limit).await?;
        let key = cx.secret(KEY)?;
        let wrong = |error: identity::IdentityError| ActionError::new(FailureClass::Unreachable, error.to_string());
        let name = posted_name(cx);
        cx.keep_secret(&name, identity::decrypt_password(&key, &encrypted).map_err(wrong)?)?;
        Ok(name)
    }

    async fn answered(
        &self,
        cx: &Context<'_>,
        params: &ConnectParams,
        guest: &dyn Communicator,
    ) -> Result<(), ActionError> {
        let begun = cx.clock().now();
        let refusals = AtomicU32::new(0);
        let look = || async {
            match guest.probe().await {
                Ok(probe) => Ok(Verdict::Done(probe)),
                Err(CommError::Auth(why)) => {
                    let patient = elapsed(cx.clock(), begun) < EARLY || refusals.fetch_add(1, Ordering::Relaxed) < 3;
                    if patient {
                        Ok(Verdict::Waiting(format!("the account is refused: {why}")))
                    } else {
                        Err(refused(&why))
                    }
                }
                Err(error) => waiting(error),
            }
        };
        let schedule = Schedule::up_to(Duration::from_secs(params.limit_seconds));
        let waited = cx.wait_until("an answer of the guest", schedule, look).await;
        waited
            .map(|_| ())
            .map_err(|error| error.class(FailureClass::Unreachable))
    }
}

/// Waits until the cloud has the password that a guest posted.
pub(super) async fn posted_password(
    cx: &Context<'_>,
    world: &World,
    server: &reseal_machine::ServerId,
    limit: Duration,
) -> Result<String, ActionError> {
    let look = || async {
        let said = world.cloud.server_password(server).await;
        match crate::actions::cloud::passing(said.map(Verdict::Done))? {
            Verdict::Done(ServerPassword::Encrypted(text)) => Ok(Verdict::Done(text)),
            Verdict::Done(ServerPassword::NotYet) => Ok(Verdict::Waiting("no password posted yet".into())),
            Verdict::Waiting(why) => Ok(Verdict::Waiting(why)),
            Verdict::Done(ServerPassword::NotOffered) => Err(not_offered()),
        }
    };
    let waited = cx
        .wait_until("the instance password", Schedule::up_to(limit), look)
        .await;
    waited.map_err(|error| error.class(FailureClass::Unreachable))
}

fn language_mode(mode: &str) -> ActionError {
    ActionError::new(
        FailureClass::Install,
        format!("PowerShell runs in language mode {mode}"),
    )
    .hint("a policy (WDAC or AppLocker) restricts scripts; take a base image without it")
}

/// In a restricted language mode PowerShell cannot even run the question which mode it is.
fn restricted(error: ActionError) -> ActionError {
    let said = error.to_string();
    // The name of the error is the same in every language of Windows.
    if said.contains("in this language mode") || said.contains("NotSupportedInConstrainedLanguage") {
        language_mode("ConstrainedLanguage")
    } else {
        error
    }
}

pub(super) fn not_offered() -> ActionError {
    ActionError::new(
        FailureClass::Unreachable,
        "this cloud does not hand out instance passwords",
    )
    .hint("use `connect: { winrm: { way_in: user_data } }`")
}

fn refused(why: &str) -> ActionError {
    ActionError::new(
        FailureClass::Unreachable,
        format!("the guest refuses the account: {why}"),
    )
    .hint("the user data did not run, or ran differently: see cloudbase-init.log in the guest")
    .hint("an image whose property nhncloud_allow_user_script is false never runs user data")
}

/// What passes by itself during a boot. A wrong certificate passes too: the image may have a listener of its own until
/// the user data replace it.
fn waiting<T>(error: CommError) -> Result<Verdict<T>, ActionError> {
    match error {
        CommError::Cancelled => Err(ActionError::cancelled()),
        error => Ok(Verdict::Waiting(error.to_string())),
    }
}
