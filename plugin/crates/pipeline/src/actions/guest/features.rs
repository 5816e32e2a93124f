//! The provider's four promises, each proved on a machine made of the image.

use std::time::Duration;

use async_trait::async_trait;
use reseal_engine::{Action, ActionError, Context, FailureClass, Verdict};
use reseal_guest::promises::{Outlook, Promise, is_kms_client};
use reseal_guest::system::{IdentityFacts, License, VerifyFactsResult};
use reseal_machine::Schedule;
use serde::{Deserialize, Serialize};

use super::cloudbase::CloudbaseOutput;
use super::verify::facts;
use crate::actions::cloud::{ReadyOutput, ServerOutput};
use crate::world::{Entrance, World};

/// Windows asks its key management service some time after the log-in screen has appeared.
const ACTIVATION: Duration = Duration::from_mins(5);

/// `LicenseStatus` of an activated Windows.
const LICENSED: u32 = 1;

/// Which promise, and what to compare with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PromiseParams {
    /// The promise.
    pub promise: Promise,
    /// The step that followed the first boot.
    pub connect: String,
    /// The step that asked the clone for its facts.
    pub proof: String,
    /// The step that connected to the build machine.
    pub built: String,
    /// The step that looked at Cloudbase-Init before the capture.
    pub cloudbase: String,
    /// The step that made the clone.
    pub server: String,
    /// The step that knows the clone's root volume.
    pub ready: String,
    /// The size of the clone's root disk as planned, GB.
    pub disk_gb: u32,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kept {
    /// Proved.
    Proved(String),
    /// Nobody promised it for this image.
    NotPromised(String),
}

/// The action.
pub(super) struct Check(pub(super) World);

#[async_trait]
impl Action for Check {
    type Params = PromiseParams;
    type Output = Kept;

    async fn run(&self, cx: &Context<'_>, params: &PromiseParams) -> Result<Kept, ActionError> {
        let mut scene = Scene::read(cx, params)?;
        if params.promise == Promise::Activation && scene.waits_for_activation() {
            self.activated(cx, params, &mut scene).await?;
        }
        match scene.judge(params.promise) {
            Ok(kept) => {
                let (Kept::Proved(text) | Kept::NotPromised(text)) = &kept;
                cx.note(text.clone());
                Ok(kept)
            }
            Err(wrong) => Err(scene.broken(params.promise, &wrong)),
        }
    }
}

impl Check {
    /// Asks again until Windows is activated or the time is over; what is wrong then, the judge says.
    async fn activated(&self, cx: &Context<'_>, params: &PromiseParams, scene: &mut Scene) -> Result<(), ActionError> {
        let guest = self.0.guest(cx, &params.connect)?;
        let schedule = Schedule {
            first: Duration::from_secs(15),
            longest: Duration::from_secs(30),
            limit: ACTIVATION,
        };
        let look = || async {
            let facts = facts(cx, guest.as_ref()).await?;
            Ok(match &facts.license {
                Some(license) if license.status == LICENSED => Verdict::Done(facts),
                license => Verdict::Waiting(status(license.as_ref())),
            })
        };
        match cx.wait_until("the activation of Windows", schedule, look).await {
            Ok(facts) => scene.facts = facts,
            Err(error) if error.class == FailureClass::Internal => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Everything that the promises are judged by.
struct Scene {
    facts: VerifyFactsResult,
    built: IdentityFacts,
    server: String,
    disk_gb: u32,
    before: CloudbaseOutput,
}

impl Scene {
    fn read(cx: &Context<'_>, params: &PromiseParams) -> Result<Self, ActionError> {
        let built: Entrance = cx.output(&params.built)?;
        let server: ServerOutput = cx.output(&params.server)?;
        let ready: ReadyOutput = cx.output(&params.ready)?;
        Ok(Self {
            facts: cx.output(&params.proof)?,
            built: serde_json::from_value(built.identity).unwrap_or_default(),
            server: server.name,
            // A volume whose size the cloud does not show has the size that was asked for.
            disk_gb: if ready.root_gb > 0 {
                ready.root_gb
            } else {
                params.disk_gb
            },
            before: cx.output(&params.cloudbase)?,
        })
    }

    fn judge(&self, promise: Promise) -> Result<Kept, Vec<String>> {
        match promise {
            Promise::Identity => self.identity(),
            Promise::Drive => self.drive(),
            Promise::Activation => self.activation(),
            Promise::Password => self.password(),
        }
    }

    /// The failure, with what the first look had to say and how the other promises stand.
    fn broken(&self, promise: Promise, wrong: &[String]) -> ActionError {
        let message = format!("the image breaks a promise ({}): {}", promise.title(), wrong.join("; "));
        let mut error = ActionError::new(FailureClass::Verify, message);
        if let Some(outlook) = self.outlook(promise) {
            error
                .said
                .extend(outlook.kept_by.iter().map(|by| format!("it was to be kept by {by}")));
            error
                .said
                .extend(outlook.problems.iter().map(|problem| format!("foreseen: {problem}")));
        }
        for other in Promise::ALL.into_iter().filter(|other| *other != promise) {
            let said = self.judge(other).err().unwrap_or_default();
            error.said.extend(
                said.into_iter()
                    .map(|text| format!("also broken ({}): {text}", other.title())),
            );
        }
        error.hint(cure(promise))
    }

    fn outlook(&self, promise: Promise) -> Option<&Outlook> {
        self.before.outlook.iter().find(|one| one.promise == promise)
    }

    fn identity(&self) -> Result<Kept, Vec<String>> {
        let mut wrong = Vec::new();
        let sid = match (&self.built.machine_sid, &self.facts.machine_sid) {
            (Some(built), Some(now)) if built.eq_ignore_ascii_case(now) => {
                wrong.push(format!("the machine SID {now} was not renewed"));
                now
            }
            (Some(_), Some(now)) => now,
            (None, _) => {
                return Err(vec![
                    "the build machine's SID could not be read, so nothing proves a new one".to_owned(),
                ]);
            }
            (_, None) => {
                return Err(vec![
                    "the clone's SID could not be read, so nothing proves a new one".to_owned(),
                ]);
            }
        };
        let name = &self.facts.computer_name;
        let wanted: String = self.server.chars().take(15).collect();
        if name.eq_ignore_ascii_case(&self.built.computer_name) {
            wrong.push(format!("the computer is still called {name}"));
        } else if self.before.sets_name && !name.eq_ignore_ascii_case(&wanted) {
            wrong.push(format!("the computer is called {name}, not {wanted} as its server"));
        }
        if wrong.is_empty() {
            Ok(Kept::Proved(format!("{name} with the new SID {sid}")))
        } else {
            Err(wrong)
        }
    }

    fn drive(&self) -> Result<Kept, Vec<String>> {
        if !self.facts.cloudbase.present {
            return Ok(Kept::NotPromised(
                "without Cloudbase-Init nothing extends drive C:".to_owned(),
            ));
        }
        if self.disk_gb == 0 {
            return Err(vec![
                "the size of the root disk is not known, so nothing proves that drive C: fills it".to_owned(),
            ]);
        }
        let gib = |bytes: u64| bytes >> 30;
        let has = self.facts.drive_c_bytes;
        if has >= (u64::from(self.disk_gb) << 30) / 10 * 9 {
            return Ok(Kept::Proved(format!(
                "drive C: has {} of {} GB",
                gib(has),
                self.disk_gb
            )));
        }
        let gap = self.facts.disk_unallocated_bytes.filter(|gap| *gap > 0);
        let gap = gap.map_or(String::new(), |gap| format!(", {} GB are not allocated", gib(gap)));
        Err(vec![format!("drive C: has {} of {} GB{gap}", gib(has), self.disk_gb)])
    }

    /// Where the cloud hands the password out, a log-in proves more; everywhere else its maker's word has to do.
    fn password(&self) -> Result<Kept, Vec<String>> {
        if !self.facts.cloudbase.present {
            return Ok(Kept::NotPromised(
                "without Cloudbase-Init nothing makes a password".to_owned(),
            ));
        }
        if self.facts.cloudbase.password_set {
            return Ok(Kept::Proved(
                "Cloudbase-Init has set a password and posted it".to_owned(),
            ));
        }
        Err(vec!["Cloudbase-Init has set no password on the clone".to_owned()])
    }

    /// Only what was activated before, or what Cloudbase-Init was told to activate, must be activated afterwards.
    fn is_activation_promised(&self) -> bool {
        let told = self.before.prepared.activates();
        let license = self.before.prepared.license.as_ref();
        told || license.is_some_and(|license| license.status == LICENSED && is_kms_client(license))
    }

    fn waits_for_activation(&self) -> bool {
        self.is_activation_promised() && self.facts.license.as_ref().map(|license| license.status) != Some(LICENSED)
    }

    fn activation(&self) -> Result<Kept, Vec<String>> {
        let license = self.facts.license.as_ref();
        match license {
            Some(license) if license.status == LICENSED => {
                let host = Some(license.kms_host.as_str()).filter(|host| !host.is_empty());
                let by = host.map_or(String::new(), |host| format!(" by {host}"));
                Ok(Kept::Proved(format!("Windows is activated ({}){by}", license.channel)))
            }
            _ if self.is_activation_promised() => Err(vec![format!("Windows is not activated: {}", status(license))]),
            _ => Ok(Kept::NotPromised(format!(
                "{}; the build machine was not activated by KMS either",
                status(license)
            ))),
        }
    }
}

/// A licence's state in words.
fn status(license: Option<&License>) -> String {
    let Some(license) = license else {
        return "no licence could be read".to_owned();
    };
    let word = match license.status {
        0 => "unlicensed",
        1 => "licensed",
        2 => "initial grace",
        3 => "additional grace",
        4 => "not genuine",
        5 => "notification",
        6 => "extended grace",
        _ => "unknown",
    };
    let host = Some(license.kms_host.as_str()).filter(|host| !host.is_empty());
    let host = host.map_or("no KMS host is known".to_owned(), |host| format!("KMS host {host}"));
    format!("{word} (LicenseStatus {}), {}, {host}", license.status, license.channel)
}

fn cure(promise: Promise) -> &'static str {
    match promise {
        Promise::Identity => "a clone with the old identity was not generalized: never publish it",
        Promise::Drive => {
            "the ExtendVolumesPlugin grows C: only into free space that directly follows it: move a recovery \
                           partition before it, and see that `plugins` names the plugin"
        }
        Promise::Activation => {
            "see that the clone's network reaches the KMS host (port 1688); `cloudbase_init: { set: \
                                { activate_windows: true, kms_host: HOST } }` sets Cloudbase-Init's side"
        }
        Promise::Password => "see cloudbase-init.log on the clone",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reseal_guest::system::CloudbasePrepared;
    use serde_json::{Value, json};

    fn scene(facts: &Value, before: &Value) -> Scene {
        let mut usual = json!({
            "computer_name": "VERIFY-1", "machine_sid": "S-1-5-21-2", "drive_c_bytes": 69_u64 << 30,
            "license": {"status": 1, "channel": "Volume:GVLK", "kms_host": "kms"}, "cloudbase": {"present": true, "password_set": true},
        });
        for (key, value) in facts.as_object().unwrap() {
            usual[key] = value.clone();
        }
        let mut prepared = json!({
            "present": true, "config": {"path": "c", "found": true, "values": {}},
            "license": {"status": 1, "channel": "Volume:GVLK", "kms_host": "kms"},
        });
        for (key, value) in before.as_object().unwrap() {
            prepared[key] = value.clone();
        }
        Scene {
            facts: serde_json::from_value(usual).unwrap(),
            built: serde_json::from_value(json!({"computer_name": "BUILD-1", "machine_sid": "S-1-5-21-1"})).unwrap(),
            server: "verify-1".to_owned(),
            disk_gb: 70,
            before: prepared_as(serde_json::from_value(prepared).unwrap()),
        }
    }

    fn prepared_as(prepared: CloudbasePrepared) -> CloudbaseOutput {
        CloudbaseOutput {
            sets_name: prepared.sets_name(false),
            outlook: vec![],
            prepared,
        }
    }

    fn broken(facts: &Value, before: &Value) -> Vec<Promise> {
        let scene = scene(facts, before);
        Promise::ALL
            .into_iter()
            .filter(|promise| scene.judge(*promise).is_err())
            .collect()
    }

    #[test]
    fn a_promise_is_kept_only_by_proof() {
        use Promise::{Activation, Drive, Identity, Password};
        let nothing = json!({});
        assert_eq!(broken(&nothing, &nothing), []);
        assert_eq!(broken(&json!({"machine_sid": null}), &nothing), [Identity]);
        assert_eq!(broken(&json!({"machine_sid": "s-1-5-21-1"}), &nothing), [Identity]);
        assert_eq!(broken(&json!({"computer_name": "build-1"}), &nothing), [Identity]);
        assert_eq!(broken(&json!({"computer_name": "OTHER"}), &nothing), [Identity]);
        let unnamed = json!({"config": {"path": "c", "found": true, "values": {"plugins": "x.MTUPlugin"}}});
        assert_eq!(broken(&json!({"computer_name": "OTHER"}), &unnamed), []);
        assert_eq!(broken(&json!({"drive_c_bytes": 60_u64 << 30}), &nothing), [Drive]);
        assert_eq!(broken(&json!({"cloudbase": {"present": true}}), &nothing), [Password]);
        let bare = json!({"drive_c_bytes": 1, "cloudbase": {"present": false}});
        assert_eq!(broken(&bare, &nothing), []);
        let unlicensed = json!({"license": {"status": 5, "channel": "Volume:GVLK"}});
        assert_eq!(broken(&unlicensed, &nothing), [Activation]);
        assert_eq!(broken(&json!({"license": null}), &json!({})), [Activation]);
        let never = json!({"license": {"status": 5, "channel": "Volume:GVLK"}});
        assert_eq!(broken(&unlicensed, &never), []);
        let told =
            json!({"license": null, "config": {"path": "c", "found": true, "values": {"activate_windows": "true"}}});
        assert_eq!(broken(&unlicensed, &told), [Activation]);
    }

    #[test]
    fn an_unknown_size_proves_nothing() {
        let mut scene = scene(&json!({}), &json!({}));
        scene.disk_gb = 0;
        assert!(scene.drive().is_err());
        scene.disk_gb = 70;
        scene.built.machine_sid = None;
        assert!(scene.identity().is_err());
    }

    #[test]
    fn all_broken_promises_are_told_at_once() {
        let scene = scene(&json!({"machine_sid": "S-1-5-21-1", "drive_c_bytes": 1}), &json!({}));
        let wrong = scene.judge(Promise::Identity).unwrap_err();
        let error = scene.broken(Promise::Identity, &wrong);
        assert!(error.message.contains("not renewed"), "{error:?}");
        assert!(
            error.said.concat().contains("also broken (drive extension)"),
            "{error:?}"
        );
    }
}
